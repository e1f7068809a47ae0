package trial_test

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"

	"datakit.dev/internal/funcs/all"
	"datakit.dev/internal/pipeline"
	"datakit.dev/internal/pipeline/compile"
	"datakit.dev/internal/pipeline/grok"
	"datakit.dev/internal/pipeline/trial"
	"datakit.dev/internal/point"
)

func program(t *testing.T, src string) *pipeline.Program {
	t.Helper()
	funcs, err := all.Table()
	if err != nil {
		t.Fatal(err)
	}
	patterns, err := grok.NewSet(nil)
	if err != nil {
		t.Fatal(err)
	}
	p, errs := pipeline.Compile("a.p", src, pipeline.Options{Funcs: funcs, Patterns: patterns})
	if len(errs) > 0 {
		t.Fatal(errs.Text())
	}
	return p
}

var metric = &pipeline.Env{Category: point.Metric}

func sample() point.Point {
	p := trial.Text("src", "hello")
	p.SetTag("host", "a")
	p.Set("n", point.IntOf(1))
	p.Set("gone", point.BoolOf(true))
	return p
}

func TestRunKeepsThePointAsItWas(t *testing.T) {
	out := trial.Run(program(t, `add_key(n, 2.0); drop_key(gone); set_measurement("m"); drop(); create_point("c", {"t": "x"}, {"f": 1})`), sample(), metric)
	var b strings.Builder
	out.Diff(&b, point.Metric)
	want := `--- before: metric "src"
+++ after:  metric "m"
  tag   host     "a"
- field gone     true
  field message  "hello"
- field n        1
+ field n        2.0
dropped: the point goes no further
+++ created: metric "c"
+ tag   t  "x"
+ field f  1
`
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}

func TestRunTellsWhereItFailed(t *testing.T) {
	out := trial.Run(program(t, "add_key(x, 1)\na = 1 / (n - 1)\nadd_key(y, 1)"), sample(), metric)
	r, ok := errors.AsType[*compile.RunError](out.Err)
	if !ok || r.Pos.Line != 2 {
		t.Fatalf("error %v", out.Err)
	}
	if _, ok := out.After.Field("x"); !ok {
		t.Error("what the script did before is lost")
	}
	if _, ok := out.After.Field("y"); ok {
		t.Error("the script went on")
	}
}

func TestDiffCannotSteerATerminal(t *testing.T) {
	p := trial.Text("m\x1b[2J", "a\x1b]0;x\a\nb\u009b")
	p.SetTag("k\x1b", "v\r")
	p.Set("", point.NilOf())
	p.Set("long", point.StringOf(strings.Repeat("x", 1<<20)))
	out := trial.Outcome{Before: p, After: p}
	var b strings.Builder
	out.Diff(&b, point.Logging)
	if strings.ContainsAny(b.String(), "\x1b\a\r\u009b") || strings.Count(b.String(), "\n") != 6 {
		t.Errorf("%q", b.String())
	}
	if b.Len() > 8<<10 {
		t.Errorf("%d bytes for a long value", b.Len())
	}
}

func TestValuesAreShownByKind(t *testing.T) {
	self := &[]point.Value{}
	*self = append(*self, point.ListOf(self))
	for want, v := range map[string]point.Value{
		`"a\"b"`: point.StringOf(`a"b`), "5": point.IntOf(5), "5.0": point.FloatOf(5), "1e+21": point.FloatOf(1e21), "NaN": point.FloatOf(math.NaN()),
		"+Inf": point.FloatOf(math.Inf(1)), "7u": point.UintOf(7), "true": point.BoolOf(true), "nil": point.NilOf(),
		`bytes "b"`: point.BytesOf([]byte("b")), `[1]`: point.ListOf(&[]point.Value{point.IntOf(1)}),
		`{"a":null}`: point.MapOf(map[string]point.Value{"a": point.NilOf()}), "(the value nests too deeply, or holds itself)": point.ListOf(self),
	} {
		if got := trial.Show(v); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// Whatever a script leaves in a point, it has a JSON form, and a bounded one.
func TestRecordsAreJSONOfABoundedSize(t *testing.T) {
	self := map[string]point.Value{}
	self["me"] = point.MapOf(self)
	p := point.New("m", 0)
	p.Set("nan", point.FloatOf(math.NaN()))
	p.Set("self", point.MapOf(self))
	p.Set("list", point.ListOf(&[]point.Value{point.StringOf("x")}))
	p.Set("bytes", point.BytesOf([]byte{0xff}))
	b := trial.Budget{Left: 1 << 20}
	text, err := json.Marshal(b.Record(&p))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"name":"m","tags":{},"fields":{"bytes":"\ufffd","list":["x"],"nan":"NaN","self":"(the value nests too deeply, or holds itself)"},"time":0}`
	if string(text) != want || b.Cut {
		t.Errorf("got %s, cut %v", text, b.Cut)
	}

	long := point.StringOf(strings.Repeat("é", 50_000))
	list := point.ListOf(&[]point.Value{long, long})
	for i := range 1000 {
		p.Add("k"+string(rune('a'+i)), long)
		p.Add("l"+string(rune('a'+i)), list)
	}
	b = trial.Budget{Left: 1 << 20}
	if text, err = json.Marshal(b.Record(&p)); err != nil {
		t.Fatal(err)
	}
	if len(text) > 2<<20 || !b.Cut {
		t.Errorf("%d bytes, cut %v", len(text), b.Cut)
	}
}

func TestMeasureRunsEveryPoint(t *testing.T) {
	p := program(t, "a = 1 / n\nadd_key(x, 1)")
	bad := sample()
	bad.Set("n", point.IntOf(0))
	pts := []point.Point{sample(), bad}
	c := trial.Measure(t.Context(), p, pts, metric, 1)
	if c.Runs < 1 || c.Errors != 1 || c.Time <= 0 {
		t.Errorf("%+v", c)
	}
	if _, ok := pts[0].Field("x"); ok {
		t.Error("the sample itself was changed")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if c := trial.Measure(ctx, p, pts, metric, 1<<60); c.Runs > 1 {
		t.Errorf("it went on after its context: %+v", c)
	}
}
