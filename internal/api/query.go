package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"datakit.dev/internal/diag"
	"datakit.dev/internal/dql"
)

// The bounds of a query request. What one query may read and hold package dql
// bounds.
const (
	maxQueryBody = 1 << 20
	maxQueries   = 32
	maxQuerying  = 2 // at once: the others wait
	queryTime    = 10 * time.Second
)

// A queryItem is one query, in either of upstream's forms: the text under "query"
// with its options beside it, or an object under "query" with all of them.
type queryItem struct {
	Type  string          `json:"qtype"`
	Query json.RawMessage `json:"query"`
	queryOptions
}

// A queryText is a query with its options. It is a body of its own, too.
type queryText struct {
	Q     string `json:"q"`
	Query string `json:"query"`
	queryOptions
}

type queryOptions struct {
	Conditions  string              `json:"conditions"`
	MaxDuration string              `json:"max_duration"`
	MaxPoint    int                 `json:"max_point"`
	TimeRange   []int64             `json:"time_range"` // milliseconds
	OrderBy     []map[string]string `json:"orderby"`
	Limit       *int                `json:"limit"`
	Offset      *int                `json:"offset"`
	SLimit      *int                `json:"slimit"`
	SOffset     *int                `json:"soffset"`
}

// query answers DQL from the recent points.
func (s *Server) query(w http.ResponseWriter, req *http.Request) {
	if s.opts.Recent == nil {
		fail(w, http.StatusNotFound, "recentOff", "this agent keeps no points: set [recent] max_bytes in datakit.conf")
		return
	}
	texts, err := readQueries(http.MaxBytesReader(w, req.Body, maxQueryBody))
	if err != nil {
		refuse(w, err)
		return
	}
	ctx, cancel := context.WithTimeoutCause(req.Context(), queryTime, fmt.Errorf("over %v", queryTime))
	defer cancel()
	select {
	case s.querying <- struct{}{}:
		defer func() { <-s.querying }()
	case <-ctx.Done():
		w.Header().Set("Retry-After", "1")
		fail(w, http.StatusServiceUnavailable, "busy", "other queries are being answered: try again")
		return
	}
	answer := dql.Answer{Content: make([]dql.Result, 0, len(texts))}
	for i, t := range texts {
		r, err := t.run(ctx, s.opts.Recent)
		if err != nil {
			failQuery(w, i, len(texts), err)
			return
		}
		answer.Content = append(answer.Content, r)
	}
	reply(w, http.StatusOK, answer)
}

// failQuery answers for a query that was refused or stopped.
func failQuery(w http.ResponseWriter, i, of int, err error) {
	which := ""
	if of > 1 {
		which = fmt.Sprintf("query %d: ", i+1)
	}
	bad, ok := errors.AsType[diag.List](err)
	if !ok {
		code := http.StatusUnprocessableEntity
		if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
			code = http.StatusServiceUnavailable
		}
		fail(w, code, "query", "%s%v", which, err)
		return
	}
	f := failure{Code: "datakit.dql", Message: diag.OneLine(which + bad.Error())}
	for _, d := range bad {
		f.Errors = append(f.Errors, problem{d.Pos.Line, d.Pos.Column, diag.OneLine(d.Message)})
	}
	reply(w, http.StatusBadRequest, f)
}

func (t queryText) run(ctx context.Context, src dql.Source) (dql.Result, error) {
	begin := time.Now()
	q, bad := dql.Parse(t.Q)
	if bad != nil {
		return dql.Result{}, bad
	}
	a, err := t.adjustment()
	if err != nil {
		return dql.Result{}, err
	}
	if q, bad = q.Adjust(a); bad != nil {
		return dql.Result{}, bad.In("conditions", t.Conditions)
	}
	r, err := dql.Run(ctx, q, src, begin, dql.Limits{})
	r.Cost = time.Since(begin).String()
	return r, err //nolint:wrapcheck // failQuery says it to the client as it is
}

// readQueries returns the queries of a request, at least one.
func readQueries(body io.Reader) ([]queryText, error) {
	const forms = `expected {"q":"M::cpu LIMIT 5"} or {"queries":[{"qtype":"dql","query":{"q":"M::cpu LIMIT 5"}}]}`
	text, err := io.ReadAll(body)
	if err != nil {
		return nil, bodyError("read the query", err)
	}
	var many struct {
		Queries []queryItem `json:"queries"`
	}
	if err := json.Unmarshal(text, &many); err != nil {
		return nil, fmt.Errorf("%s: %w", forms, err)
	}
	if n := len(many.Queries); n > maxQueries {
		return nil, fmt.Errorf("%d queries, expected at most %d", n, maxQueries)
	}
	if len(many.Queries) == 0 {
		var one queryText
		if err := json.Unmarshal(text, &one); err != nil {
			return nil, fmt.Errorf("%s: %w", forms, err)
		}
		if one.Q == "" {
			one.Q = one.Query
		}
		if one.Q == "" {
			return nil, errors.New(forms)
		}
		return []queryText{one}, nil
	}
	out := make([]queryText, len(many.Queries))
	for i, item := range many.Queries {
		if out[i], err = item.text(); err != nil {
			return nil, fmt.Errorf("query %d: %w", i+1, err)
		}
	}
	return out, nil
}

// text returns the query whichever form it has.
func (i queryItem) text() (queryText, error) {
	if i.Type != "" && !strings.EqualFold(i.Type, "dql") {
		return queryText{}, fmt.Errorf("unknown qtype %q; there is dql", clip(i.Type))
	}
	t := queryText{queryOptions: i.queryOptions}
	if json.Unmarshal(i.Query, &t.Q) == nil && t.Q != "" {
		return t, nil
	}
	err := json.Unmarshal(i.Query, &t)
	if t.Q == "" {
		t.Q = t.Query
	}
	if err != nil || t.Q == "" {
		return queryText{}, errors.New(`expected "query" to be a text, or an object with the text under "q"`)
	}
	return t, nil
}

// adjustment returns the options as package dql has them.
func (t queryText) adjustment() (dql.Adjustment, error) {
	a := dql.Adjustment{
		Conditions: t.Conditions, MaxPoints: t.MaxPoint,
		Limit: t.Limit, Offset: t.Offset, SLimit: t.SLimit, SOffset: t.SOffset,
	}
	if t.MaxDuration != "" {
		d, err := dql.ParseDuration(t.MaxDuration)
		if err != nil {
			return a, fmt.Errorf("max_duration: %w", err)
		}
		a.MaxDuration = d
	}
	if len(t.TimeRange) > 2 {
		return a, errors.New("time_range: expected [from, to] in milliseconds")
	}
	for i, to := range []*time.Time{&a.From, &a.To} {
		if i < len(t.TimeRange) {
			*to = time.UnixMilli(min(max(t.TimeRange[i], 0), dql.LatestMilli))
		}
	}
	for _, o := range t.OrderBy {
		for column, dir := range o {
			if !strings.EqualFold(dir, "asc") && !strings.EqualFold(dir, "desc") {
				return a, fmt.Errorf("orderby: expected asc or desc, got %q", clip(dir))
			}
			a.OrderBy = append(a.OrderBy, dql.Order{Column: column, Desc: strings.EqualFold(dir, "desc")})
		}
	}
	return a, nil
}
