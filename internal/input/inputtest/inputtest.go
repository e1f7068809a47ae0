// Package inputtest is the suite that every input passes: it describes itself,
// decodes, gathers, and emits only what it documents.
package inputtest

import (
	"context"
	"log/slog"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"datakit.dev/internal/diag"
	"datakit.dev/internal/faketime"
	"datakit.dev/internal/input"
	"datakit.dev/internal/point"
	"datakit.dev/internal/spec"
)

// A Case is one input under test.
type Case struct {
	Plugin input.Plugin
	Config string // the lines of its table, TOML; "" for the defaults
	// Optional names the measurements that this machine may not have.
	Optional []string
}

// A Written is one point as the sink got it.
type Written struct {
	Category point.Category
	point.Point
}

// A Sink keeps what was written to it.
type Sink struct {
	mu  sync.Mutex
	got []Written
}

// Write keeps pts.
func (s *Sink) Write(ctx context.Context, category point.Category, pts []point.Point) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range pts {
		s.got = append(s.got, Written{category, p.Clone()})
	}
	return ctx.Err()
}

// Take returns what was written since the last Take.
func (s *Sink) Take() []Written {
	s.mu.Lock()
	defer s.mu.Unlock()
	got := s.got
	s.got = nil
	return got
}

// Run holds c against the contract of package input.
func Run(t *testing.T, c Case) {
	t.Run("describes itself", func(t *testing.T) { describes(t, c.Plugin) })
	t.Run("refuses an unknown option", func(t *testing.T) { refuses(t, c.Plugin) })
	t.Run("its sample decodes to the defaults", func(t *testing.T) { samples(t, c.Plugin) })
	t.Run("emits what it documents", func(t *testing.T) {
		// The bubble fails the test where a goroutine outlives it.
		faketime.Test(t, func(t *testing.T) { emits(t, c) })
	})
	t.Run("two instances run side by side", func(t *testing.T) { pair(t, c) })
}

// Decode returns the values of [[inputs.NAME]] with lines in its table, and
// fails the test where they are refused.
func Decode(t testing.TB, p input.Plugin, lines string) spec.Values {
	t.Helper()
	v, l := decode(p, lines)
	if len(l) > 0 {
		t.Fatalf("configuration refused: %v", l)
	}
	return v
}

// Start returns a gatherer of p with lines in its table.
func Start(t testing.TB, p input.Plugin, lines string) input.Gatherer {
	t.Helper()
	g, err := p.NewGatherer(env(t), Decode(t, p, lines))
	if err != nil {
		t.Fatalf("new: %v", err)
	}
	if c, ok := g.(input.Closer); ok {
		t.Cleanup(func() { _ = c.Close() })
	}
	return g
}

// Gather has g write once and returns what it wrote.
func Gather(t testing.TB, ctx context.Context, g input.Gatherer) []Written { //nolint:revive // t comes first in a test
	t.Helper()
	var s Sink
	if err := g.Gather(ctx, &s); err != nil {
		t.Fatalf("gather: %v", err)
	}
	return s.Take()
}

// Bench measures one Gather after the baseline was taken.
func Bench(b *testing.B, p input.Plugin, lines string) {
	g := Start(b, p, lines)
	if err := g.Gather(b.Context(), discard{}); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := g.Gather(b.Context(), discard{}); err != nil {
			b.Fatal(err)
		}
	}
}

type discard struct{}

func (discard) Write(context.Context, point.Category, []point.Point) error { return nil }

func env(t testing.TB) input.Env {
	return input.Env{Log: slog.New(slog.DiscardHandler), Dir: t.TempDir()}
}

func decode(p input.Plugin, lines string) (spec.Values, diag.List) {
	root, l := spec.Parse("[[inputs." + p.Name + "]]\n" + lines)
	if len(l) > 0 {
		return nil, l
	}
	inputs, _ := root.Get("inputs")
	kind, _ := inputs.Node.Get(p.Name)
	return p.Schema().Decode(&kind.Node.Items[0])
}

func describes(t testing.TB, p input.Plugin) {
	if err := p.Schema().Check(); err != nil {
		t.Error(err)
	}
	if p.Name == "" || p.Doc == "" || p.DocZH == "" || len(p.Measurements) == 0 {
		t.Errorf("%q: no name, text in both languages, or measurements", p.Name)
	}
	if (p.NewGatherer == nil) == (p.NewRunner == nil) {
		t.Error("it must have exactly one of NewGatherer and NewRunner")
	}
	for _, m := range p.Measurements {
		if m.Name == "" || m.Doc == "" || m.DocZH == "" || len(m.Fields) == 0 {
			t.Errorf("measurement %q: no name, text or fields", m.Name)
		}
		seen := map[string]bool{}
		check := func(name, doc, zh string) {
			if name == "" || doc == "" || zh == "" || seen[name] {
				t.Errorf("%s.%s: empty, repeated, or without text in both languages", m.Name, name)
			}
			seen[name] = true
		}
		for _, tag := range m.Tags {
			check(tag.Name, tag.Doc, tag.DocZH)
		}
		for _, f := range m.Fields {
			check("field "+f.Name, f.Doc, f.DocZH)
		}
	}
	for _, lang := range []string{"en", "zh"} {
		if page := p.Reference(lang); !strings.Contains(page, p.Name) {
			t.Errorf("reference page %s: %q", lang, page)
		}
	}
}

func refuses(t testing.TB, p input.Plugin) {
	_, l := decode(p, "tags = {a = \"b\"}\n  no_such_option = 1\n")
	want := diag.Position{Line: 3, Column: 3}
	if len(l) != 1 || l[0].Pos != want || !strings.Contains(l[0].Message, "no_such_option") {
		t.Errorf("got %v, want one error at %v that names the option", l, want)
	}
}

func samples(t *testing.T, p input.Plugin) {
	s := p.Schema()
	root, l := spec.Parse(spec.Uncomment(s.Sample()))
	if len(l) > 0 {
		t.Fatalf("the sample is no TOML: %v\n%s", l, s.Sample())
	}
	inputs, _ := root.Get("inputs")
	kind, _ := inputs.Node.Get(p.Name)
	v, l := s.Decode(&kind.Node.Items[0])
	if len(l) > 0 || v.Hash() != spec.Defaults(s.Fields).Hash() {
		t.Errorf("the sample decodes to %v, errors %v\n%s", v, l, s.Sample())
	}
}

func emits(t *testing.T, c Case) {
	if c.Plugin.NewRunner != nil {
		check(t, c, runs(t, c))
		return
	}
	g := Start(t, c.Plugin, c.Config)
	first := Gather(t, t.Context(), g)
	if c.Plugin.Baseline && len(first) > 0 {
		t.Errorf("a baseline wrote %d points", len(first))
	}
	check(t, c, append(first, settled(t, g)...))
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	var s Sink
	_ = g.Gather(ended, &s) // it must return
}

// settled gathers until the machine's counters have moved: the clock of the
// bubble jumps, the one of the machine does not.
func settled(t *testing.T, g input.Gatherer) []Written {
	for range 20_000 {
		time.Sleep(10 * time.Second)
		if got := Gather(t, t.Context(), g); len(got) > 0 {
			return got
		}
	}
	t.Fatal("it writes nothing")
	return nil
}

func runs(t *testing.T, c Case) []Written {
	r, err := c.Plugin.NewRunner(env(t), Decode(t, c.Plugin, c.Config))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var s Sink
	if err := r.Run(ctx, &s); err != nil {
		t.Errorf("run ended with %v, want nil once its context ends", err)
	}
	return s.Take()
}

func check(t testing.TB, c Case, got []Written) {
	t.Helper()
	seen := map[string]bool{}
	for _, w := range got {
		m, ok := measurement(c.Plugin, w)
		if !ok {
			t.Fatalf("measurement %s of %s is not documented", w.Name, w.Category)
		}
		seen[w.Name] = true
		Documented(t, m, w.Point)
	}
	for _, m := range c.Plugin.Measurements {
		if !seen[m.Name] && !slices.Contains(c.Optional, m.Name) {
			t.Errorf("measurement %s never came", m.Name)
		}
	}
}

func measurement(p input.Plugin, w Written) (input.Measurement, bool) {
	i := slices.IndexFunc(p.Measurements, func(m input.Measurement) bool {
		category := m.Category
		if category == "" {
			category = point.Metric
		}
		return m.Name == w.Name && category == w.Category
	})
	if i < 0 {
		return input.Measurement{}, false
	}
	return p.Measurements[i], true
}

// Documented fails the test where p holds a tag or a field that m does not
// document, or of another kind, or a number that is none.
func Documented(t testing.TB, m input.Measurement, p point.Point) {
	t.Helper()
	if len(p.Fields) == 0 {
		t.Errorf("%s: a point without fields", p.Name)
	}
	if !slices.IsSortedFunc(p.Tags, func(a, b point.Tag) int { return strings.Compare(a.Key, b.Key) }) {
		t.Errorf("%s: tags out of order: %v", p.Name, p.Tags)
	}
	for _, tag := range p.Tags {
		if !slices.ContainsFunc(m.Tags, func(d input.Tag) bool { return d.Name == tag.Key }) {
			t.Errorf("%s: tag %s is not documented", p.Name, tag.Key)
		}
	}
	seen := map[string]bool{}
	for _, f := range p.Fields {
		i := slices.IndexFunc(m.Fields, func(d input.Field) bool { return d.Name == f.Key })
		switch {
		case i < 0 || m.Fields[i].Kind != f.Value.Kind():
			t.Errorf("%s: field %s of kind %v is not documented", p.Name, f.Key, f.Value.Kind())
		case math.IsNaN(f.Value.Float()) || math.IsInf(f.Value.Float(), 0):
			t.Errorf("%s: field %s is %v", p.Name, f.Key, f.Value)
		case seen[f.Key]:
			t.Errorf("%s: field %s twice", p.Name, f.Key)
		}
		seen[f.Key] = true
	}
}

// pair has two instances work at once: a new one starts beside the old one.
func pair(t *testing.T, c Case) {
	if c.Plugin.NewGatherer == nil {
		return
	}
	var wg sync.WaitGroup
	for range 2 {
		g := Start(t, c.Plugin, c.Config)
		wg.Go(func() {
			var s Sink
			for range 3 {
				if err := g.Gather(t.Context(), &s); err != nil {
					t.Errorf("gather: %v", err)
				}
			}
		})
	}
	wg.Wait()
}
