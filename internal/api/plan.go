package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"datakit.dev/internal/diag"
	"datakit.dev/internal/reconcile"
	"datakit.dev/internal/store"
)

// The bounds of a plan request, and of one to validate: its value is as long as a
// store's may be, and JSON may write each byte as six.
const (
	maxPlanBody     = 32 << 20
	maxPlanKeys     = 1000
	maxValidateBody = 8 << 20
	maxChecking     = 2 // at once: the others wait
	checkWait       = 2 * time.Second
)

// A planRequest is the body of /v1/confd/plan.
type planRequest struct {
	Source  string      `json:"source,omitempty"` // the ID of a store; "" is the first
	Entries []planEntry `json:"entries"`
}

type planEntry struct {
	Key     string `json:"key"` // below the root: "confd/cpu"
	Value   string `json:"value"`
	Deleted bool   `json:"deleted,omitempty"` // the key is gone, whatever its value
}

// A planAnswer is what the change would do, and what is wrong with its values.
type planAnswer struct {
	reconcile.Trial
	Problems []keyProblem `json:"problems"`
}

type keyProblem struct {
	Key string `json:"key"`
	problem
}

// A planned is a plan request, read.
type planned struct {
	source  string
	entries []store.Entry
	removed []string
}

func (s *Server) plan(w http.ResponseWriter, req *http.Request) {
	var p planRequest
	if !readObject(w, req, maxPlanBody, &p, `expected {"source":"","entries":[{"key":"confd/cpu","value":"…"}]}`) {
		return
	}
	c, err := p.read()
	if err != nil {
		refuse(w, bodyError("read the plan", err))
		return
	}
	answer := planAnswer{Trial: s.opts.Agent.Try(c.source, c.entries, c.removed...), Problems: []keyProblem{}}
	for _, e := range c.entries {
		for _, p := range problems(s.check(e.Key, e.Value)) {
			answer.Problems = append(answer.Problems, keyProblem{e.Key, p})
		}
	}
	reply(w, http.StatusOK, answer)
}

// read returns what a plan request asks for, as a store would have it.
func (p planRequest) read() (c planned, err error) {
	if n := len(p.Entries); n == 0 || n > maxPlanKeys {
		return c, fmt.Errorf("%d entries, expected 1 to %d", n, maxPlanKeys)
	}
	for i, e := range p.Entries {
		if err := store.CheckKey(e.Key); err != nil {
			return c, fmt.Errorf("entry %d: %s", i+1, clip(diag.OneLine(err.Error())))
		}
		if e.Deleted {
			c.removed = append(c.removed, e.Key)
			continue
		}
		c.entries = append(c.entries, store.Entry{Key: e.Key, Value: e.Value})
	}
	snap, err := store.NewSnapshot("", c.entries)
	c.source, c.entries = p.Source, snap.Entries
	return c, err //nolint:wrapcheck // it names the entry
}

// readObject decodes the body into v, one JSON object of known fields; where it
// cannot it has answered.
func readObject(w http.ResponseWriter, req *http.Request, limit int64, v any, form string) bool {
	if req.ContentLength > limit {
		w.Header().Set("Connection", "close") // the rest is not read
		refuse(w, tooLarge{limit})
		return false
	}
	d := json.NewDecoder(http.MaxBytesReader(w, req.Body, limit))
	d.DisallowUnknownFields()
	err := d.Decode(v)
	if err != nil {
		err = fmt.Errorf("%s: %w", form, err)
	} else if _, rest := d.Token(); !errors.Is(rest, io.EOF) {
		err = errors.New("there is something behind the JSON object")
	}
	if err != nil {
		refuse(w, bodyError("read the body", err))
	}
	return err == nil
}

func (s *Server) check(key, value string) diag.List {
	if s.opts.Keys == nil {
		return nil
	}
	return s.opts.Keys.Check(key, value)
}

type (
	validateRequest struct {
		Key   string `json:"key"` // below the root: it says whether the value is a script
		Value string `json:"value"`
	}
	validated struct {
		Problems []problem `json:"problems"`
	}
)

// validate is for an editor, which asks while somebody types: it decodes and
// compiles, and starts nothing.
func (s *Server) validate(w http.ResponseWriter, req *http.Request) {
	var v validateRequest
	if !readObject(w, req, maxValidateBody, &v, `expected {"key":"confd/cpu","value":"…"}`) {
		return
	}
	ctx, cancel := context.WithTimeout(req.Context(), checkWait)
	defer cancel()
	select {
	case s.checking <- struct{}{}:
		defer func() { <-s.checking }()
	case <-ctx.Done():
		w.Header().Set("Retry-After", "1")
		fail(w, http.StatusServiceUnavailable, "busy", "other values are being validated: try again")
		return
	}
	give(w, validated{problems(s.check(v.Key, v.Value))})
}
