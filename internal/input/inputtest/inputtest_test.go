package inputtest

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"

	"datakit.dev/internal/input"
	"datakit.dev/internal/point"
	"datakit.dev/internal/spec"
)

// A recorder is a test that keeps its failures to itself.
type recorder struct {
	testing.TB
	failures []string
}

func (r *recorder) Helper() {}

func (r *recorder) Error(args ...any) { r.failures = append(r.failures, fmt.Sprint(args...)) }

func (r *recorder) Errorf(format string, args ...any) {
	r.failures = append(r.failures, fmt.Sprintf(format, args...))
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	panic(r)
}

// failures returns what f complains about.
func failures(f func(testing.TB)) string {
	r := &recorder{}
	func() {
		defer func() {
			if p := recover(); p != nil && p != any(r) {
				panic(p)
			}
		}()
		f(r)
	}()
	return strings.Join(r.failures, "\n")
}

func good() input.Plugin {
	return input.Plugin{
		Name: "good", Doc: "x", DocZH: "x",
		Measurements: []input.Measurement{{
			Name: "m", Doc: "x", DocZH: "x", Tags: []input.Tag{input.Label("a", "x", "x"), input.Label("b", "x", "x")},
			Fields: []input.Field{input.Int("n", "", "x", "x"), input.Float("f", "", "x", "x")},
		}},
		NewRunner: func(input.Env, spec.Values) (input.Runner, error) { return runner{}, nil },
	}
}

type runner struct{}

func (runner) Run(ctx context.Context, sink input.Sink) error {
	p := point.New("m", 1)
	p.Add("n", point.IntOf(1))
	if err := sink.Write(ctx, point.Metric, []point.Point{p}); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

func TestRunnersPassToo(t *testing.T) { Run(t, Case{Plugin: good()}) }

func TestSuiteFindsWhatIsNotDocumented(t *testing.T) {
	for want, change := range map[string]func(*point.Point){
		"":                    func(*point.Point) {},
		"without fields":      func(p *point.Point) { p.Fields = nil },
		"tag c":               func(p *point.Point) { p.SetTag("c", "1") },
		"field x of kind int": func(p *point.Point) { p.Add("x", point.IntOf(1)) },
		"field n of kind str": func(p *point.Point) { p.Set("n", point.StringOf("1")) },
		"field f is NaN":      func(p *point.Point) { p.Add("f", point.FloatOf(math.NaN())) },
		"field f is +Inf":     func(p *point.Point) { p.Add("f", point.FloatOf(math.Inf(1))) },
		"field n twice":       func(p *point.Point) { p.Add("n", point.IntOf(1)) },
		"tags out of order":   func(p *point.Point) { p.Tags = []point.Tag{{Key: "b"}, {Key: "a"}} },
	} {
		p := point.New("m", 1)
		p.SetTag("a", "1")
		p.Add("n", point.IntOf(1))
		change(&p)
		got := failures(func(t testing.TB) { Documented(t, good().Measurements[0], p) })
		if (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("%q: %q", want, got)
		}
	}
}

func TestSuiteFindsMissingAndStrangeMeasurements(t *testing.T) {
	p := point.New("other", 1)
	p.Add("n", point.IntOf(1))
	if got := failures(func(t testing.TB) { check(t, Case{Plugin: good()}, []Written{{point.Metric, p}}) }); !strings.Contains(got, "other of metric is not documented") {
		t.Errorf("%q", got)
	}
	if got := failures(func(t testing.TB) { check(t, Case{Plugin: good()}, nil) }); !strings.Contains(got, "m never came") {
		t.Errorf("%q", got)
	}
	if got := failures(func(t testing.TB) { check(t, Case{Plugin: good(), Optional: []string{"m"}}, nil) }); got != "" {
		t.Errorf("%q", got)
	}
}

func TestSuiteFindsAPoorDescription(t *testing.T) {
	for want, change := range map[string]func(*input.Plugin){
		"":                       func(*input.Plugin) {},
		"exactly one of":         func(p *input.Plugin) { p.NewRunner = nil },
		"text in both languages": func(p *input.Plugin) { p.DocZH = "" },
		"empty or repeated name": func(p *input.Plugin) {
			p.Options = []spec.Field{{Name: "tags", Type: spec.Int, Doc: "x", DocZH: "x"}}
		},
		"field n: empty, repeated": func(p *input.Plugin) {
			m := &p.Measurements[0]
			m.Fields = append(m.Fields, m.Fields[0])
		},
		"no name, text or fields": func(p *input.Plugin) { p.Measurements[0].Fields = nil },
	} {
		p := good()
		change(&p)
		got := failures(func(t testing.TB) { describes(t, p) })
		if (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("%q: %q", want, got)
		}
	}
}
