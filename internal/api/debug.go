package api

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"

	"datakit.dev/internal/diag"
	"datakit.dev/internal/pipeline"
	"datakit.dev/internal/pipeline/compile"
	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/pipeline/trial"
	"datakit.dev/internal/point"
	"datakit.dev/internal/point/lineproto"
)

// The bounds of a debugging request. Each run has the bounds that a run in the
// agent has; these keep many of them, one after the other, from holding a core.
const (
	maxDebugBody   = 1 << 20
	maxDebugSource = 64 << 10 // of all scripts together
	maxDebugData   = 1000
	maxDebugAnswer = 4 << 20
	maxDebugErrors = 20
	debugTime      = time.Second
	debugBenchmark = 200 * time.Millisecond
)

// A debugRequest is the body of /v1/pipeline/debug, as upstream has it.
type debugRequest struct {
	Pipeline   map[string]map[string]string `json:"pipeline"` // category, name, base64 of the script
	ScriptName string                       `json:"script_name"`
	Category   string                       `json:"category"`
	Data       []string                     `json:"data"` // base64: a text for logging, else line protocol
	DataType   string                       `json:"data_type,omitempty"`
	Encode     string                       `json:"encode,omitempty"`
	Benchmark  bool                         `json:"benchmark,omitempty"`
}

// A debugAnswer is the content of the answer.
type debugAnswer struct {
	Cost      string        `json:"cost"`
	Benchmark string        `json:"benchmark"`
	Errors    []scriptError `json:"pl_errors"`
	Results   []debugResult `json:"plresults"`
}

type debugResult struct {
	Point   *debugPoint  `json:"point"`
	Dropped bool         `json:"dropped"`
	Created []debugPoint `json:"created,omitempty"`
	Error   *scriptError `json:"run_error"`
}

// A debugPoint is a point with its time in two parts.
type debugPoint struct {
	Category point.Category    `json:"category,omitempty"` // of a created one
	Name     string            `json:"name"`
	Tags     map[string]string `json:"tags"`
	Fields   map[string]any    `json:"fields"`
	Time     int64             `json:"time"`
	TimeNS   int64             `json:"time_ns"`
}

// A scriptError is what is wrong with a script, or a run of it.
type scriptError struct {
	Chain []scriptPosition `json:"pos_chain"`
	Error string           `json:"error"`
}

type scriptPosition struct {
	File   string `json:"file"`
	Line   int    `json:"ln"`
	Column int    `json:"col"`
	Offset int    `json:"pos"` // in bytes
}

// A refusal is an error of a request, with its name in the answer.
type refusal struct{ name, message string }

func (r refusal) Error() string { return r.message }

func refusef(name, format string, args ...any) error {
	return refusal{name, fmt.Sprintf(format, args...)}
}

// debug runs scripts on sample data. Nothing that it is sent, and nothing that
// the scripts make, goes anywhere but into the answer.
func (s *Server) debug(w http.ResponseWriter, req *http.Request) {
	if !s.debugging.TryLock() {
		w.Header().Set("Retry-After", "1")
		fail(w, http.StatusServiceUnavailable, "busy", "another script is being debugged: try again")
		return
	}
	defer s.debugging.Unlock()
	d, err := readDebug(http.MaxBytesReader(w, req.Body, maxDebugBody))
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		fail(w, http.StatusRequestEntityTooLarge, "bodyTooLarge", "the body has more than %d bytes", maxDebugBody)
		return
	}
	if r, ok := errors.AsType[refusal](err); ok {
		fail(w, http.StatusBadRequest, r.name, "%s", r.message)
		return
	}
	if err != nil {
		fail(w, http.StatusBadRequest, "badRequest", "%v", err)
		return
	}
	give(w, d.run(req.Context(), s.opts.Scripts, s.debugEnv(d.category)))
}

// A debugSession is a request, read.
type debugSession struct {
	category  point.Category
	name      string
	sources   map[string]string
	points    []point.Point
	benchmark bool
}

// readDebug returns what a request asks for.
func readDebug(body io.Reader) (*debugSession, error) {
	var r debugRequest
	if err := json.NewDecoder(body).Decode(&r); err != nil {
		return nil, fmt.Errorf(`expected {"pipeline":{"logging":{"a.p":"base64"}},"script_name":"a.p","category":"logging","data":["base64"]}: %w`, err)
	}
	category, ok := point.ParseCategory(r.Category)
	if !ok {
		return nil, refusef("invalidCategory", "unknown category %q; there is %s", clip(r.Category), categories())
	}
	d := &debugSession{category: category, name: r.ScriptName, sources: map[string]string{}, benchmark: r.Benchmark}
	if err := d.readSources(r.Pipeline[r.Category]); err != nil {
		return nil, err
	}
	if n := len(r.Data); n == 0 || n > maxDebugData {
		return nil, refusef("invalidData", "%d data, expected 1 to %d", n, maxDebugData)
	}
	for i, data := range r.Data {
		pts, err := d.sample(data, r.DataType, r.Encode)
		if err != nil {
			return nil, refusef("invalidData", "data %d: %s", i+1, clip(diag.OneLine(err.Error())))
		}
		d.points = append(d.points, pts...)
	}
	if n := len(d.points); n == 0 || n > maxDebugData {
		return nil, refusef("invalidData", "%d points in data, expected 1 to %d", n, maxDebugData)
	}
	return d, nil
}

func (d *debugSession) readSources(scripts map[string]string) error {
	size := 0
	for name, text := range scripts {
		src, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return refusef("invalidPipeline", "script %q: %v", clip(name), err)
		}
		if size += len(src); size > maxDebugSource {
			return refusef("invalidPipeline", "the scripts have more than %d bytes", maxDebugSource)
		}
		d.sources[name] = string(src)
	}
	if _, ok := d.sources[d.name]; !ok {
		return refusef("invalidPipeline", "there is no script %q of the category %s in pipeline", clip(d.name), d.category)
	}
	return nil
}

// sample returns the points of one of the data.
func (d *debugSession) sample(data, kind, charset string) ([]point.Point, error) {
	raw, err := base64.StdEncoding.DecodeString(data)
	if err != nil {
		return nil, fmt.Errorf("expected base64: %w", err)
	}
	codec, ok := codecs()[strings.ToLower(charset)]
	if !ok {
		return nil, fmt.Errorf("unknown encode %q; there is utf-8, utf-16le, utf-16be, gbk and gb18030", clip(charset))
	}
	if codec != nil {
		if raw, err = codec.NewDecoder().Bytes(raw); err != nil {
			return nil, fmt.Errorf("it is no %s: %w", charset, err)
		}
	}
	text := strings.ToValidUTF8(string(raw), "\uFFFD")
	switch {
	case kind != "" && kind != "text/plain" && kind != lineProtocol:
		return nil, fmt.Errorf("unknown data_type %q; there is %s and text/plain", clip(kind), lineProtocol)
	case kind == "text/plain" || kind == "" && d.category == point.Logging:
		return []point.Point{trial.Text(strings.TrimSuffix(d.name, ".p"), text)}, nil
	}
	pts, bad := lineproto.Decode(text, lineproto.Options{})
	return pts, bad.Err()
}

const lineProtocol = "application/line-protocol"

// codecs returns the character encodings of log texts by name; UTF-8 is nil.
func codecs() map[string]encoding.Encoding {
	return map[string]encoding.Encoding{
		"": nil, "utf8": nil, "utf-8": nil, "gbk": simplifiedchinese.GBK, "gb18030": simplifiedchinese.GB18030,
		"utf-16le": unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM),
		"utf-16be": unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM),
	}
}

// debugEnv returns what a run in a debugging request takes from its surroundings.
func (s *Server) debugEnv(category point.Category) *pipeline.Env {
	env := &pipeline.Env{Category: category, Limits: fn.Limits{Wait: debugTime}}
	if s.opts.Services != nil {
		env.Services = s.opts.Services()
	}
	return env
}

// run runs the points through the script, for as long as a request may take.
func (d *debugSession) run(ctx context.Context, opts pipeline.Options, env *pipeline.Env) debugAnswer {
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, debugTime)
	defer cancel()
	a := debugAnswer{Errors: []scriptError{}, Results: []debugResult{}}
	opts.Stop = stopped(ctx)
	programs, errs := pipeline.CompileAll(d.sources, opts, nil)
	for i, e := range errs[d.name] {
		if i == maxDebugErrors {
			break
		}
		a.Errors = append(a.Errors, d.located(e))
	}
	program := programs[d.name]
	if program != nil {
		budget := &trial.Budget{Left: maxDebugAnswer}
		for _, pt := range d.points {
			a.Results = append(a.Results, d.result(ctx, program, pt, env, budget))
		}
		if d.benchmark && ctx.Err() == nil {
			c := trial.Measure(ctx, program, d.points, env, debugBenchmark)
			a.Benchmark = fmt.Sprintf("%d\t%d ns/op\t%.0f B/op\t%.0f allocs/op", c.Runs, c.Time.Nanoseconds(), c.Bytes, c.Allocs)
		}
	}
	a.Cost = time.Since(began).String()
	return a
}

// stopped refuses to go on compiling once ctx has ended.
func stopped(ctx context.Context) func() error {
	return func() error {
		if ctx.Err() != nil {
			return fmt.Errorf("the script takes more than %v to compile", debugTime)
		}
		return nil
	}
}

// result runs one point, unless the time of the request is used up.
func (d *debugSession) result(ctx context.Context, p *pipeline.Program, pt point.Point, env *pipeline.Env, b *trial.Budget) debugResult {
	if ctx.Err() != nil {
		return debugResult{Error: &scriptError{Chain: []scriptPosition{}, Error: fmt.Sprintf("not run: the request took more than %v", debugTime)}}
	}
	if pt.Time == 0 {
		pt.Time = time.Now().UnixNano()
	}
	out := trial.Run(p, pt, env)
	after := shown(b.Record(&out.After))
	r := debugResult{Point: &after, Dropped: out.Dropped}
	for _, c := range out.Created {
		if b.Left < 0 {
			break
		}
		made := shown(b.Record(c.Point))
		made.Category = c.Category
		r.Created = append(r.Created, made)
	}
	if e, ok := errors.AsType[*compile.RunError](out.Err); ok {
		located := d.located(e.Diagnostic)
		r.Error = &located
	} else if b.Cut {
		r.Error = &scriptError{Chain: []scriptPosition{}, Error: fmt.Sprintf("the answer goes over %d bytes: parts are left out", maxDebugAnswer)}
	}
	return r
}

func shown(r trial.Record) debugPoint {
	t := time.Unix(0, r.Time)
	return debugPoint{Name: r.Name, Tags: r.Tags, Fields: r.Fields, Time: t.Unix(), TimeNS: int64(t.Nanosecond())}
}

// located returns d in upstream's form.
func (d *debugSession) located(e diag.Diagnostic) scriptError {
	file := e.Origin
	if file == "" {
		file = d.name
	}
	at := scriptPosition{File: file, Line: e.Pos.Line, Column: e.Pos.Column, Offset: e.Pos.Offset(d.sources[file])}
	return scriptError{Chain: []scriptPosition{at}, Error: diag.OneLine(e.Message)}
}
