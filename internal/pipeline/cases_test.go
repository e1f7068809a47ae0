package pipeline_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"datakit.dev/internal/funcs/all"
	"datakit.dev/internal/pipeline"
	"datakit.dev/internal/pipeline/grok"
	"datakit.dev/internal/pipeline/scripttest"
	"datakit.dev/internal/point"
)

// maxShown is how many failures are printed.
const maxShown = 25

// A scriptCase is one recorded run: a point before and after a script.
type scriptCase struct {
	ID       string            `json:"id"`
	Kind     string            `json:"kind"` // "name" in files that belong to package scripts
	Category string            `json:"category"`
	Script   string            `json:"script"`
	Scripts  map[string]string `json:"scripts"`
	Main     string            `json:"main"`
	In       record            `json:"in"`
	Err      string            `json:"err"`
	Out      *record           `json:"out"`
	Flags    []string          `json:"flags"`
	Now      int64             `json:"now"`
	Alt      *struct {
		Err string  `json:"err"`
		Out *record `json:"out"`
	} `json:"alt"`
}

// A record is a point as the case files write it.
type record struct {
	Category    string                     `json:"category"`
	Measurement string                     `json:"measurement"`
	Tags        map[string]string          `json:"tags"`
	Fields      map[string]json.RawMessage `json:"fields"`
	Time        int64                      `json:"time"`
	Dropped     bool                       `json:"dropped"`
	Sub         []record                   `json:"sub"`
}

// TestCases runs the recorded cases of the files named in
// DATAKIT_PIPELINE_CASES, separated by commas, or else our own few.
func TestCases(t *testing.T) {
	env := engine(t)
	passed, failed := 0, map[string]int{}
	for _, file := range caseFiles() {
		for c := range readCases(t, file) {
			diff := env.check(c)
			if diff == "" {
				passed++
				continue
			}
			family, _, _ := strings.Cut(c.ID, "/")
			failed[family]++
			if total(failed) <= maxShown {
				t.Errorf("%s\n%s", c.ID, diff)
			}
		}
	}
	t.Logf("%d passed, %d failed", passed, total(failed))
	for _, family := range slices.Sorted(maps.Keys(failed)) {
		t.Errorf("%4d failed in %s", failed[family], family)
	}
	if passed == 0 {
		t.Error("no case ran")
	}
}

func total(counts map[string]int) int {
	n := 0
	for _, c := range counts {
		n += c
	}
	return n
}

func caseFiles() []string {
	if files := os.Getenv("DATAKIT_PIPELINE_CASES"); files != "" {
		return strings.Split(files, ",")
	}
	return []string{filepath.Join("testdata", "cases.jsonl")}
}

// readCases yields the script cases of a file, gzipped or plain.
func readCases(t testing.TB, file string) func(yield func(scriptCase) bool) {
	t.Helper()
	return func(yield func(scriptCase) bool) {
		for line := range scripttest.Records(t, file) {
			var c scriptCase
			if err := json.Unmarshal(line, &c); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			if c.Kind != "" { // how a point finds its script: package scripts
				continue
			}
			if !yield(c) {
				return
			}
		}
	}
}

type testEngine struct{ opts pipeline.Options }

func engine(t testing.TB) testEngine {
	t.Helper()
	funcs, err := all.Table()
	if err != nil {
		t.Fatal(err)
	}
	patterns, err := grok.NewSet(nil)
	if err != nil {
		t.Fatal(err)
	}
	return testEngine{pipeline.Options{Funcs: funcs, Patterns: patterns}}
}

// check runs a case and returns how it differs from what was recorded.
func (e testEngine) check(c scriptCase) string {
	wantErr, want := c.Err, c.Out
	if c.Alt != nil && slices.Contains(c.Flags, "version_dependent") {
		wantErr = c.Alt.Err
		if c.Alt.Out != nil || wantErr == "compile" {
			want = c.Alt.Out
		}
	}
	if wantErr == "panic" { // where the reference engine crashed, ours must not
		wantErr = "run"
	}
	pt := c.In.point()
	gotErr, got, detail := e.run(c, &pt)
	if gotErr != wantErr {
		return fmt.Sprintf("%s\nerror class %q, want %q: %v", c.text(), gotErr, wantErr, detail)
	}
	if gotErr == "compile" || want == nil {
		return ""
	}
	var diff strings.Builder
	c.compare(&diff, "", got, *want)
	if diff.Len() == 0 {
		return ""
	}
	return c.text() + "\n" + diff.String()
}

func (c scriptCase) text() string {
	if c.Main == "" {
		return c.Script
	}
	return fmt.Sprintf("%s of %v", c.Main, c.Scripts)
}

// run returns the class of the error, the error, and the point after the script.
func (e testEngine) run(c scriptCase, pt *point.Point) (class string, out record, detail error) {
	main, sources := c.Main, c.Scripts
	if main == "" {
		main, sources = "default.p", map[string]string{"default.p": c.Script}
	}
	programs, errs := pipeline.CompileAll(sources, e.opts, nil)
	program := programs[main]
	if program == nil {
		return "compile", out, errs[main]
	}
	env := &pipeline.Env{Category: point.Category(c.Category)}
	if c.Now != 0 {
		env.Now = func() time.Time { return time.Unix(0, c.Now).UTC() }
	}
	result, err := program.Run(pt, env)
	out = written(*pt)
	out.Dropped = result.Dropped
	for _, made := range result.Created {
		sub := written(*made.Point)
		sub.Category = string(made.Category)
		out.Sub = append(out.Sub, sub)
	}
	if err != nil {
		if errors.Is(err, pipeline.ErrPanic) {
			return "panic", out, err
		}
		return "run", out, err
	}
	return "", out, nil
}

func (c scriptCase) compare(b *strings.Builder, where string, got, want record) {
	differ := func(what string, got, want any) { fmt.Fprintf(b, "  %s%s: got %v, want %v\n", where, what, got, want) }
	if got.Measurement != want.Measurement {
		differ("measurement", got.Measurement, want.Measurement)
	}
	if !maps.Equal(got.Tags, want.Tags) {
		differ("tags", got.Tags, want.Tags)
	}
	if got.Time != want.Time {
		differ("time", got.Time, want.Time)
	}
	if got.Dropped != want.Dropped {
		differ("dropped", got.Dropped, want.Dropped)
	}
	if got.Category != want.Category {
		differ("category", got.Category, want.Category)
	}
	keys := maps.Clone(want.Fields)
	if keys == nil {
		keys = map[string]json.RawMessage{}
	}
	maps.Copy(keys, got.Fields)
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		if key == "pl_msg" && slices.Contains(c.Flags, "error_text") {
			continue
		}
		if canon(got.Fields[key]) != canon(want.Fields[key]) {
			differ(key, string(got.Fields[key]), string(want.Fields[key]))
		}
	}
	if len(got.Sub) != len(want.Sub) {
		differ("created points", len(got.Sub), len(want.Sub))
		return
	}
	for i := range want.Sub {
		c.compare(b, fmt.Sprintf("%s[%d].", where, i), got.Sub[i], want.Sub[i])
	}
}

// canon makes equal values equal texts: {"f":1} and {"f":1.0}.
func canon(raw json.RawMessage) string {
	if raw == nil {
		return "absent"
	}
	return fmt.Sprintf("%#v", decode(raw).Any())
}

func (r record) point() point.Point {
	p := point.New(r.Measurement, len(r.Fields))
	for k, v := range r.Tags {
		p.SetTag(k, v)
	}
	for _, k := range slices.Sorted(maps.Keys(r.Fields)) {
		v := decode(r.Fields[k])
		if v.Kind() == point.Map { // the reference engine's points cannot hold one
			v = point.NilOf()
		}
		p.Set(k, v)
	}
	p.Time = r.Time
	return p
}

// decode reads a typed value: {"i":1}, {"f":"NaN"}, {"a":[…]}.
func decode(raw json.RawMessage) point.Value {
	var typed map[string]json.RawMessage
	if err := json.Unmarshal(raw, &typed); err != nil {
		panic(err)
	}
	for kind, content := range typed {
		return decodeAs(kind, content)
	}
	panic("empty value " + string(raw))
}

func decodeAs(kind string, raw json.RawMessage) point.Value {
	switch kind {
	case "i":
		return point.IntOf(parse[int64](raw))
	case "u":
		return point.UintOf(parse[uint64](raw))
	case "f":
		return point.FloatOf(decodeFloat(raw))
	case "s":
		return point.StringOf(parse[string](raw))
	case "b":
		return point.BoolOf(parse[bool](raw))
	case "d":
		b, err := base64.StdEncoding.DecodeString(parse[string](raw))
		if err != nil {
			panic(err)
		}
		return point.BytesOf(b)
	case "a":
		list := []point.Value{}
		for _, e := range parse[[]json.RawMessage](raw) {
			list = append(list, decode(e))
		}
		return point.ListOf(&list)
	case "m":
		m := map[string]point.Value{}
		for k, e := range parse[map[string]json.RawMessage](raw) {
			m[k] = decode(e)
		}
		return point.MapOf(m)
	}
	return point.NilOf()
}

func decodeFloat(raw json.RawMessage) float64 {
	switch string(raw) {
	case `"NaN"`:
		return math.NaN()
	case `"+Inf"`:
		return math.Inf(1)
	case `"-Inf"`:
		return math.Inf(-1)
	}
	return parse[float64](raw) + 0 // -0 is written as 0
}

func parse[T any](raw json.RawMessage) T {
	var v T
	if err := json.Unmarshal(raw, &v); err != nil {
		panic(fmt.Sprintf("%s: %v", raw, err))
	}
	return v
}

// written returns a point as the case files write it.
func written(p point.Point) record {
	r := record{Measurement: p.Name, Time: p.Time, Tags: map[string]string{}, Fields: map[string]json.RawMessage{}}
	for _, t := range p.Tags {
		r.Tags[t.Key] = t.Value
	}
	for _, f := range p.Fields {
		raw, err := json.Marshal(encode(f.Value))
		if err != nil {
			panic(err)
		}
		r.Fields[f.Key] = raw
	}
	return r
}

func encode(v point.Value) map[string]any {
	switch v.Kind() {
	case point.Int:
		return map[string]any{"i": v.Int()}
	case point.Uint:
		return map[string]any{"u": v.Uint()}
	case point.Float:
		return map[string]any{"f": encodeFloat(v.Float())}
	case point.String:
		return map[string]any{"s": v.Text()}
	case point.Bool:
		return map[string]any{"b": v.Bool()}
	case point.Bytes:
		return map[string]any{"d": v.Bytes()}
	case point.List:
		list := []any{}
		for _, e := range *v.List() {
			list = append(list, encode(e))
		}
		return map[string]any{"a": list}
	case point.Map:
		m := map[string]any{}
		for k, e := range v.Map() {
			m[k] = encode(e)
		}
		return map[string]any{"m": m}
	case point.Nil:
	}
	return map[string]any{"n": true}
}

func encodeFloat(f float64) any {
	switch {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "+Inf"
	case math.IsInf(f, -1):
		return "-Inf"
	}
	return f
}
