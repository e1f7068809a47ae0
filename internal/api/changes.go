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
	limit, limited, lerr := number(req.URL.Query().Get("limit"))
	if !limited {
		limit = defaultChanges
	}
	if err = errors.Join(err, lerr); err != nil || limit < 1 || limit > maxChanges {
		fail(w, http.StatusBadRequest, "badRequest", "since must be an ID, and limit 1 to %d", maxChanges)
		return
	}
	answer := changeList{Changes: []changeEntry{}, Complete: true, Last: s.opts.Changes.Last()}
	list := s.opts.Changes.Latest(int(limit)) //nolint:gosec // it is at most 1000
	if given {
		list, answer.Complete, _ = s.opts.Changes.Since(since, int(limit), changes.Key) //nolint:gosec // as above
	}
	for _, e := range list {
		answer.Changes = append(answer.Changes, changeEntry{e.ID, e.Time, *e.Change})
	}
	if len(list) == int(limit) && given { //nolint:gosec // as above
		answer.Last = list[len(list)-1].ID
	}
	give(w, answer)
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
