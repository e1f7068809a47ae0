package api

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"datakit.dev/internal/status"
	"datakit.dev/internal/status/changes"
)

// The bounds of one answer.
const (
	defaultChanges = 100
	maxChanges     = changes.MaxChanges
)

// changeList is the content of /v1/changes.
type changeList struct {
	Changes []changeEntry `json:"changes"` // oldest first
	// Complete is false where changes behind since are no longer known.
	Complete bool   `json:"complete"`
	Last     uint64 `json:"last"` // the ID to go on from
}

// changeEntry is one change with its ID and time.
type changeEntry struct {
	ID   uint64      `json:"id"`
	Time status.Time `json:"time"`
	changes.Change
}

func (s *Server) changes(w http.ResponseWriter, req *http.Request) {
	since, given, err := number(req.URL.Query().Get("since"))
	before, older, berr := number(req.URL.Query().Get("before"))
	limit, lerr := limitOf(req)
	if err = errors.Join(err, berr, lerr); err != nil || given && older {
		fail(w, http.StatusBadRequest, "badRequest", "since or before must be an ID, and limit 1 to %d", maxChanges)
		return
	}
	answer := changeList{Changes: []changeEntry{}, Complete: true, Last: s.opts.Changes.Last()}
	var list []changes.Entry
	switch {
	case given:
		list, answer.Complete, _ = s.opts.Changes.Since(since, limit, changes.Key)
	case older:
		list = s.opts.Changes.Before(before, limit)
	default:
		list = s.opts.Changes.Latest(limit)
	}
	for _, e := range list {
		answer.Changes = append(answer.Changes, changeEntry{e.ID, e.Time, *e.Change})
	}
	if len(list) == limit && given {
		answer.Last = list[len(list)-1].ID
	}
	give(w, answer)
}

// limitOf returns how many entries are asked for.
func limitOf(req *http.Request) (int, error) {
	n, given, err := number(req.URL.Query().Get("limit"))
	switch {
	case !given:
		return defaultChanges, nil
	case err != nil:
		return 0, err
	case n < 1 || n > maxChanges:
		return 0, fmt.Errorf("limit %d: expected 1 to %d", n, maxChanges)
	}
	return int(n), nil //nolint:gosec // it is at most 1000
}

// stateList is the content of /v1/states.
type stateList struct {
	States []changes.Entry `json:"states"` // oldest first
}

// states answers which units and stores went into which state: all, or one's.
func (s *Server) states(w http.ResponseWriter, req *http.Request) {
	limit, err := limitOf(req)
	if err != nil {
		fail(w, http.StatusBadRequest, "badRequest", "%v", err)
		return
	}
	unit, store := req.URL.Query().Get("unit"), req.URL.Query().Get("store")
	list := s.opts.Changes.States(limit, func(e changes.Entry) bool {
		switch {
		case unit == "" && store == "":
			return true
		case e.Unit != nil:
			return e.Unit.ID == unit
		}
		return e.Store.ID == store
	})
	give(w, stateList{append([]changes.Entry{}, list...)})
}

// number returns a parameter that is a number, and whether it was given.
func number(text string) (n uint64, given bool, err error) {
	if text == "" {
		return 0, false, nil
	}
	if n, err = strconv.ParseUint(text, 10, 53); err != nil {
		return 0, true, fmt.Errorf("%q is no number of an entry", clip(text))
	}
	return n, true, nil
}
