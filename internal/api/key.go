package api

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"unicode/utf8"

	"datakit.dev/internal/spec"
	"datakit.dev/internal/status"
	"datakit.dev/internal/store"
)

func freshParam() Param {
	return Param{
		Name: "fresh", In: "query", Type: "boolean", Allowed: []string{"true"},
		Doc: "true: read it from the store, not from what was last read.", DocZH: "true：直接从配置中心读取，而非最近一次读取的结果。",
	}
}

// key answers with one key: what it holds, what became of it, and, where that is
// not what it holds, what runs of it.
func (s *Server) key(w http.ResponseWriter, req *http.Request) {
	t, ok := s.tree(w, req)
	if !ok {
		return
	}
	name := req.PathValue("key")
	e, ok := store.Snapshot{Entries: t.Entries}.Get(name)
	if req.URL.Query().Get("fresh") != "" {
		var err error
		e, err = s.opts.Keys.Read(req.Context(), t.ID, name)
		if ok = err == nil; !ok && !errors.Is(err, store.ErrNotFound) {
			s.refuseRead(w, err)
			return
		}
	}
	if !ok {
		fail(w, http.StatusNotFound, "notFound", "there is no key %q in %s", clip(name), t.ID)
		return
	}
	w.Header().Set("ETag", etag(e.Revision))
	give(w, s.valueOf(t, e))
}

func (s *Server) valueOf(t Tree, e store.Entry) keyValue {
	answer := keyValue{Store: t.ID, keyEntry: t.entry(e), Writable: s.mayWrite(t), Problems: problems(s.check(e.Key, e.Value))}
	if report, ok := t.Reports[e.Key]; ok {
		answer.Origin = report.Store + ":" + report.Key
	}
	answer.Value, answer.Redacted = s.shown(e)
	if answer.State == status.Kept {
		if good, ok := s.opts.Keys.Running(t.ID, e.Key); ok {
			text, _ := s.shown(good)
			answer.Running = &keyRunning{string(good.Revision), text}
		}
	}
	return answer
}

// shown returns the value of an entry as the caller may see it, and whether that
// is not the value itself.
func (s *Server) shown(e store.Entry) (text string, redacted bool) {
	if s.settings().Write && utf8.ValidString(e.Value) {
		return e.Value, false
	}
	return strings.ToValidUTF8(s.opts.Keys.Redact(e.Key, e.Value), "\uFFFD"), true
}

func (s *Server) refuseRead(w http.ResponseWriter, err error) {
	text := spec.RedactURL(err.Error())
	if errors.Is(err, store.ErrUnavailable) || errors.Is(err, context.DeadlineExceeded) {
		fail(w, http.StatusServiceUnavailable, "unavailable", "%s", text)
		return
	}
	fail(w, http.StatusBadGateway, "store", "%s", text)
}
