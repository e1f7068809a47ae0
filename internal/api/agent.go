package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"datakit.dev/internal/diag"
	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
)

// The bounds of a plan request.
const (
	maxPlanBody = 32 << 20
	maxPlanKeys = 1000
)

func (s *Server) ping(w http.ResponseWriter, _ *http.Request) {
	info := s.opts.Agent.Info()
	give(w, pong{info.Version, info.Host, time.Since(info.Started).Round(time.Second).String()})
}

func (s *Server) status(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, s.opts.Agent.Status())
}

func (s *Server) reload(w http.ResponseWriter, req *http.Request) {
	if err := s.opts.Agent.Reload(req.Context()); err != nil {
		fail(w, http.StatusUnprocessableEntity, "reload", "%s", spec.RedactURL(err.Error()))
		return
	}
	give(w, reloaded{s.opts.Agent.Status().Generation})
}

func (s *Server) accept(w http.ResponseWriter, _ *http.Request) {
	give(w, accepted{s.opts.Agent.Accept()})
}

// A planRequest is the body of /v1/confd/plan.
type planRequest struct {
	Source  string      `json:"source,omitempty"` // the ID of a store; "" is the first
	Entries []planEntry `json:"entries"`
}

type planEntry struct {
	Key   string `json:"key"` // below the root: "confd/cpu"
	Value string `json:"value"`
}

func (s *Server) plan(w http.ResponseWriter, req *http.Request) {
	if req.ContentLength > maxPlanBody {
		w.Header().Set("Connection", "close") // the rest is not read
		refuse(w, tooLarge{maxPlanBody})
		return
	}
	entries, source, err := readPlan(http.MaxBytesReader(w, req.Body, maxPlanBody))
	if err != nil {
		refuse(w, bodyError("read the plan", err))
		return
	}
	reply(w, http.StatusOK, s.opts.Agent.Try(source, entries))
}

// readPlan returns what a plan request asks for, as a store would have it.
func readPlan(body io.Reader) (entries []store.Entry, source string, err error) {
	var p planRequest
	d := json.NewDecoder(body)
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil {
		return nil, "", fmt.Errorf(`expected {"source":"","entries":[{"key":"confd/cpu","value":"…"}]}: %w`, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, "", errors.New("there is something behind the JSON object")
	}
	if n := len(p.Entries); n == 0 || n > maxPlanKeys {
		return nil, "", fmt.Errorf("%d entries, expected 1 to %d", n, maxPlanKeys)
	}
	entries = make([]store.Entry, len(p.Entries))
	for i, e := range p.Entries {
		if err := store.CheckKey(e.Key); err != nil {
			return nil, "", fmt.Errorf("entry %d: %s", i+1, clip(diag.OneLine(err.Error())))
		}
		entries[i] = store.Entry{Key: e.Key, Value: e.Value}
	}
	snap, err := store.NewSnapshot("", entries)
	return snap.Entries, p.Source, err
}
