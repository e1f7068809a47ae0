package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"datakit.dev/internal/status/changes"
)

// The bounds of streams. A reader holds no queue of its own but a place in the
// journal, so that one more costs little, and a slow one costs nobody.
const (
	maxReaders  = 64 // of the server's connections
	eventBatch  = 64 // entries between two looks at whether to go on
	heartbeat   = 15 * time.Second
	eventWrite  = 10 * time.Second // a reader that takes longer to read is dropped
	maxStream   = time.Hour        // then the browser connects again, and is let in anew
	reconnectIn = 3 * time.Second
)

// streamEnd is the data of the last event of a stream.
type streamEnd struct {
	Reason string `json:"reason"`
}

// streamStart is the data of the first event of a stream.
type streamStart struct {
	Last uint64 `json:"last"` // the ID that what follows is behind
	// Complete is false where something was missed: then what is shown is to be
	// read anew.
	Complete bool `json:"complete"`
}

func (s *Server) eventRoute() Route {
	return Route{
		Method: http.MethodGet, Path: "/v1/events", Access: Console, handler: s.events,
		Summary:   "Changes, generations and states of units and stores as they come: server-sent events.",
		SummaryZH: "以 server-sent events 实时推送变更、generation 以及采集器和配置中心的状态变化。",
		Params: []Param{
			{Name: "since", In: "query", Type: "integer", Doc: "Go on behind this ID; without it, with what comes from now on.", DocZH: "从该 ID 之后继续；缺省只推送此后的事件。"},
			{Name: "ticks", In: "query", Type: "boolean", Doc: "With the counters, as they grow, every two seconds.", DocZH: "每两秒附带一次增长中的计数。"},
			{Name: "Last-Event-ID", In: "header", Type: "integer", Doc: "The same, as browsers send it when they connect again. It goes first.", DocZH: "同上，浏览器重连时自动发送，优先于 since。"},
		},
		Answer: Body{Type: "text/event-stream"},
		Events: []Event{
			{"hello", streamStart{}, "the first; `complete` is `false` where something was missed", "第一条；若有遗漏，`complete` 为 `false`"},
			{string(changes.Key), changeEntry{}, "one change, as in `/v1/changes`", "一条变更，同 `/v1/changes`"},
			{string(changes.Generation), changes.Entry{}, "a turn was applied", "一轮变更已生效"},
			{string(changes.Unit), changes.Entry{}, "a unit went into a state", "采集单元的状态改变"},
			{string(changes.Store), changes.Entry{}, "a store went into a state", "配置中心的状态改变"},
			{"tick", tick{}, "counters, where `ticks` asks for them", "计数，仅当请求了 `ticks`"},
			{"end", streamEnd{}, "the last; `reason` says why", "最后一条；`reason` 说明原因"},
		},
		Errors: []Error{
			{http.StatusBadRequest, "badRequest", "the ID is no number", "ID 不是数字"},
			{http.StatusServiceUnavailable, "busy", "there are as many readers of events as are taken", "事件的读者已达上限"},
		},
	}
}

// events streams what happens. Its events are hello, then change, generation, unit
// and store with the ID of each, ticks where they are wanted, and end.
func (s *Server) events(w http.ResponseWriter, req *http.Request) {
	at := req.Header.Get("Last-Event-ID")
	if at == "" {
		at = req.URL.Query().Get("since")
	}
	since, given, err := number(at)
	if err != nil {
		fail(w, http.StatusBadRequest, "badRequest", "%v", err)
		return
	}
	if s.readers.Add(1) > maxReaders {
		s.readers.Add(-1)
		w.Header().Set("Retry-After", "10")
		fail(w, http.StatusServiceUnavailable, "busy", "%d readers of events are connected, and no more are taken", maxReaders)
		return
	}
	defer s.readers.Add(-1)
	if !given {
		since = s.opts.Changes.Last()
	}
	out := &stream{w: w, control: http.NewResponseController(w)}
	out.open()
	s.follow(req, out, since)
}

// follow writes what comes behind since, until there is a reason to end.
func (s *Server) follow(req *http.Request, out *stream, since uint64) {
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	ticks, stop := s.ticksFor(req)
	defer stop()
	over := time.NewTimer(maxStream)
	defer over.Stop()
	list, complete, more := s.opts.Changes.Since(since, eventBatch)
	out.event("hello", 0, streamStart{since, complete})
	if ticks.C != nil {
		out.event("tick", 0, ticks.next()) // at once: a page shows no gap
	}
	for {
		for _, e := range list {
			since = e.ID
			out.entry(e)
		}
		if !out.flush() {
			return
		}
		if len(list) == 0 {
			select {
			case <-more:
			case <-beat.C:
				out.comment("beat")
				if !s.still(req) {
					out.end("you are logged out")
					return
				}
			case <-ticks.C:
				out.event("tick", 0, ticks.next())
			case <-over.C:
				out.end("connect again")
				return
			case <-ending(req.Context()):
				out.end("the agent stops")
				return
			case <-req.Context().Done():
				return
			}
		}
		if list, complete, more = s.opts.Changes.Since(since, eventBatch); !complete {
			out.end("you read too slowly, and missed something: connect again")
			return
		}
	}
}

// still reports whether the reader would be let in now: its session may have
// ended, and the token may have been made or revoked.
func (s *Server) still(req *http.Request) bool {
	c := callerIn(req.Context())
	if c.token {
		return s.callerOf(req).token
	}
	return s.admitted(s.callerOf(req))
}

// stream writes server-sent events.
type stream struct {
	w       http.ResponseWriter
	control *http.ResponseController
	buf     bytes.Buffer
}

// open sends the head of the answer. A stream has no time in which it must be
// done, only one for each write.
func (o *stream) open() {
	_ = o.control.SetReadDeadline(time.Time{}) // who cannot, has none
	h := o.w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // a proxy before us must not hold it back
	o.w.WriteHeader(http.StatusOK)
	fmt.Fprintf(&o.buf, "retry: %d\n\n", reconnectIn.Milliseconds())
}

func (o *stream) entry(e changes.Entry) {
	switch e.Kind {
	case changes.Key:
		o.event(string(e.Kind), e.ID, changeEntry{e.ID, e.Time, *e.Change})
	default:
		o.event(string(e.Kind), e.ID, e)
	}
}

// event adds one event; the ID 0 is none, so that the reader keeps its last one.
func (o *stream) event(name string, id uint64, v any) {
	text, err := json.Marshal(v)
	if err != nil {
		return // of our own types: it never fails
	}
	if id > 0 {
		fmt.Fprintf(&o.buf, "id: %d\n", id)
	}
	fmt.Fprintf(&o.buf, "event: %s\ndata: %s\n\n", name, text)
}

func (o *stream) comment(text string) {
	fmt.Fprintf(&o.buf, ": %s\n\n", strings.ReplaceAll(text, "\n", " "))
}

// end tells why the stream ends.
func (o *stream) end(reason string) {
	o.event("end", 0, streamEnd{reason})
	o.flush()
}

// flush sends what was added, and reports whether the reader took it.
func (o *stream) flush() bool {
	if o.buf.Len() == 0 {
		return true
	}
	_ = o.control.SetWriteDeadline(time.Now().Add(eventWrite))
	_, err := o.w.Write(o.buf.Bytes())
	o.buf.Reset()
	return err == nil && o.control.Flush() == nil
}
