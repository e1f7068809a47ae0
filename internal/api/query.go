package api

import (
	"cmp"
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
	Type  string          `json:"qtype,omitempty"`
	Query json.RawMessage `json:"query"` // a text, or a queryText
	queryOptions
}

// A queryText is a query with its options. It is a body of its own, too.
type queryText struct {
	Q     string `json:"q,omitempty"`
	Query string `json:"query,omitempty"`
	queryOptions
}

type queryOptions struct {
	Conditions  string              `json:"conditions,omitempty"`
	MaxDuration string              `json:"max_duration,omitempty"`
	MaxPoint    int                 `json:"max_point,omitempty"`
	TimeRange   []int64             `json:"time_range,omitempty"` // milliseconds
	OrderBy     []map[string]string `json:"orderby,omitempty"`
	Limit       *int                `json:"limit,omitempty"`
	Offset      *int                `json:"offset,omitempty"`
	SLimit      *int                `json:"slimit,omitempty"`
	SOffset     *int                `json:"soffset,omitempty"`
}

// A queryRequest is the body: several queries, or one.
type queryRequest struct {
	Queries []queryItem `json:"queries,omitempty"`
	queryText
}

func (s *Server) queryRoute() Route {
	return Route{
		Method: http.MethodPost, Path: "/v1/query/raw", Access: Local, handler: s.query,
		Summary: "Answer DQL from the recent points.", SummaryZH: "用最近的数据点应答 DQL 查询。",
		Body: Body{Of: queryRequest{}}, Answer: Body{Of: dql.Answer{}},
		Errors: []Error{
			unreadable(),
			{http.StatusBadRequest, "dql", "the query cannot be read, or asks for what there is not; `errors` names the places", "查询无法解析，或所查内容不存在；`errors` 列出位置"},
			{http.StatusNotFound, "recentOff", "the agent keeps no points: `[recent]` is off", "Agent 不保留数据点：`[recent]` 已关闭"},
			tooLong("1 MiB"),
			{http.StatusUnprocessableEntity, "query", "the query needs more than it may: fewer rows, groups or time would do", "查询超出上限：请减少行数、分组或时间范围"},
			{http.StatusServiceUnavailable, "query", "the query took too long", "查询耗时过长"},
			{http.StatusServiceUnavailable, "busy", "other queries are being answered: try again after `Retry-After`", "正在应答其他查询：请在 `Retry-After` 之后重试"},
		},
	}
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
	var r queryRequest
	if err := json.Unmarshal(text, &r); err != nil {
		return nil, fmt.Errorf("%s: %w", forms, err)
	}
	if n := len(r.Queries); n > maxQueries {
		return nil, fmt.Errorf("%d queries, expected at most %d", n, maxQueries)
	}
	if len(r.Queries) == 0 {
		if r.Q = cmp.Or(r.Q, r.Query); r.Q == "" {
			return nil, errors.New(forms)
		}
		return []queryText{r.queryText}, nil
	}
	out := make([]queryText, len(r.Queries))
	for i, item := range r.Queries {
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
