package api

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strings"
	"time"

	"datakit.dev/internal/diag"
	"datakit.dev/internal/dql"
	"datakit.dev/internal/pipeline"
	"datakit.dev/internal/pipeline/trial"
	"datakit.dev/internal/point"
	"datakit.dev/internal/point/block"
	"datakit.dev/internal/point/lineproto"
)

// The bounds of a trial.
const (
	maxTryPoints = 100
	defaultTry   = 10
)

// A tryRequest is the body of /v1/pipeline/try: a script, and the points that it is
// to run on.
type tryRequest struct {
	Category string `json:"category"`
	Name     string `json:"name"` // of the script: "nginx.p"
	Script   string `json:"script"`
	Recent   string `json:"recent,omitempty"` // a measurement or source: its last points
	Limit    int    `json:"limit,omitempty"`  // so many; 10 by default, at most 100
	Sample   string `json:"sample,omitempty"` // instead: lines of a log, of the other categories line protocol
}

// A tryAnswer is what the script did.
type tryAnswer struct {
	Cost     string       `json:"cost"`
	Problems []tryProblem `json:"problems"` // with the script: then nothing was run
	Results  []tryResult  `json:"results"`  // the newest point first
}

type tryResult struct {
	Before  debugPoint   `json:"before"`
	After   debugPoint   `json:"after"`
	Dropped bool         `json:"dropped"`
	Created []debugPoint `json:"created"`
	Error   *tryProblem  `json:"error"` // why the run was aborted; null where it was not
}

// A tryProblem is what is wrong in one place of a script.
type tryProblem struct {
	File string `json:"file"` // the script, or one that it uses
	problem
}

func (s *Server) tryRoute() Route {
	return Route{
		Method: http.MethodPost, Path: "/v1/pipeline/try", Access: Local, handler: s.tryScript,
		Summary:   "Run a script on the last points of a measurement or source, or on a sample: each before and after. Scripts of the stores can be used by it; nothing goes anywhere.",
		SummaryZH: "用某个指标集或来源的最近数据点（或样例）试运行脚本，给出每个点处理前后的样子。可以 use 配置中心中的脚本；不产生任何实际影响。",
		Body:      Body{Of: tryRequest{}}, Answer: Body{Of: contentOf[tryAnswer]{}},
		Errors: []Error{
			unreadable(),
			{http.StatusBadRequest, "invalidCategory", "there is no such category", "没有这个类别"},
			{http.StatusBadRequest, "invalidData", "the sample cannot be read, or there is too much of it", "样例无法解析，或数量过多"},
			{http.StatusNotFound, "noPoints", "there are no recent points of that name", "没有该名称的最近数据点"},
			{http.StatusNotFound, "recentOff", "the agent keeps no points: `[recent]` is off", "Agent 不保留数据点：`[recent]` 已关闭"},
			tooLong("1 MiB"),
			debuggingBusy(),
		},
	}
}

// tryScript runs a script on points that were. What they were before the scripts that run
// now is not kept: they are as they went to the outputs.
func (s *Server) tryScript(w http.ResponseWriter, req *http.Request) {
	var r tryRequest
	if !readObject(w, req, maxDebugBody, &r, `expected {"category":"logging","name":"nginx.p","script":"…","recent":"nginx"}`) {
		return
	}
	if !s.debugging.TryLock() {
		w.Header().Set("Retry-After", "1")
		fail(w, http.StatusServiceUnavailable, "busy", "another script is being debugged: try again")
		return
	}
	defer s.debugging.Unlock()
	d, err := r.session(s.opts.Recent)
	if bad, ok := errors.AsType[refusal](err); ok {
		code := http.StatusBadRequest
		if bad.name == "noPoints" || bad.name == "recentOff" {
			code = http.StatusNotFound
		}
		fail(w, code, bad.name, "%s", bad.message)
		return
	}
	if err != nil {
		refuse(w, err)
		return
	}
	if s.opts.Running != nil {
		for name, text := range s.opts.Running(d.category) {
			if name != d.name {
				d.sources[name] = text
			}
		}
	}
	give(w, d.try(req.Context(), s.opts.Scripts, s.debugEnv(d.category)))
}

// session returns the script and the points that r names.
func (r tryRequest) session(src dql.Source) (*debugSession, error) {
	category, ok := point.ParseCategory(r.Category)
	if !ok {
		return nil, refusef("invalidCategory", "unknown category %q; there is %s", clip(r.Category), categories())
	}
	if r.Name == "" || strings.ContainsAny(r.Name, "/\\\x00") || len(r.Name) > 256 {
		return nil, errors.New("the script needs a name such as nginx.p")
	}
	if (r.Recent == "") == (r.Sample == "") {
		return nil, errors.New("name either recent points or a sample")
	}
	d := &debugSession{category: category, name: r.Name, sources: map[string]string{r.Name: r.Script}}
	var err error
	if r.Sample != "" {
		d.points, err = d.lines(r.Sample)
	} else {
		d.points, err = r.recent(src, category)
	}
	return d, err
}

// recent returns the last points of the name that r asks for.
func (r tryRequest) recent(src dql.Source, category point.Category) ([]point.Point, error) {
	if src == nil {
		return nil, refusef("recentOff", "this agent keeps no points: set [recent] max_bytes in datakit.conf")
	}
	n := r.Limit
	if n == 0 {
		n = defaultTry
	}
	if n < 1 || n > maxTryPoints {
		return nil, fmt.Errorf("limit %d, expected 1 to %d", n, maxTryPoints)
	}
	oldest := src.Oldest()
	pts := block.Last(src.Blocks(category, r.Recent, oldest, math.MaxInt64), oldest, n)
	if len(pts) == 0 {
		return nil, refusef("noPoints", "there are no recent points %q of the category %s", clip(r.Recent), category)
	}
	return pts, nil
}

// lines returns the points of a sample, one a line.
func (d *debugSession) lines(sample string) ([]point.Point, error) {
	sample = strings.ToValidUTF8(sample, "\uFFFD")
	var pts []point.Point
	if d.category == point.Logging {
		for line := range strings.Lines(sample) {
			if line = strings.TrimRight(line, "\r\n"); line != "" {
				pts = append(pts, trial.Text(strings.TrimSuffix(d.name, ".p"), line))
			}
		}
	} else {
		var bad diag.List
		if pts, bad = lineproto.Decode(sample, lineproto.Options{}); bad.Err() != nil {
			return nil, refusef("invalidData", "the sample is no line protocol: %s", clip(diag.OneLine(bad.Error())))
		}
	}
	if n := len(pts); n == 0 || n > maxTryPoints {
		return nil, refusef("invalidData", "%d points in the sample, expected 1 to %d", n, maxTryPoints)
	}
	return pts, nil
}

// try runs the points through the script, for as long as a request may take.
func (d *debugSession) try(ctx context.Context, opts pipeline.Options, env *pipeline.Env) tryAnswer {
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, debugTime)
	defer cancel()
	opts.Stop = stopped(ctx)
	a := tryAnswer{Problems: []tryProblem{}, Results: []tryResult{}}
	program, bad := pipeline.CompileOne(d.name, d.sources, opts)
	for _, e := range bad[:min(len(bad), maxDebugErrors)] {
		a.Problems = append(a.Problems, d.problemOf(d.located(e)))
	}
	budget := &trial.Budget{Left: maxDebugAnswer}
	for _, pt := range d.points {
		if program == nil || budget.Left < 0 {
			break
		}
		r := tryResult{Before: shown(budget.Record(&pt)), Created: []debugPoint{}}
		got := d.result(ctx, program, pt, env, budget)
		if got.Point != nil {
			r.After = *got.Point
		}
		r.Dropped, r.Created = got.Dropped, append(r.Created, got.Created...)
		if got.Error != nil {
			p := d.problemOf(*got.Error)
			r.Error = &p
		}
		a.Results = append(a.Results, r)
	}
	a.Cost = time.Since(began).String()
	return a
}

func (d *debugSession) problemOf(e scriptError) tryProblem {
	p := tryProblem{File: d.name, problem: problem{Message: e.Error}}
	if len(e.Chain) > 0 {
		at := e.Chain[0]
		p.File, p.Line, p.Column = at.File, at.Line, at.Column
	}
	return p
}
