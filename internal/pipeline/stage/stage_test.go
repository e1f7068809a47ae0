package stage_test

import (
	"fmt"
	"sync"
	"testing"

	"datakit.dev/internal/funcs/all"
	"datakit.dev/internal/pipeline"
	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/pipeline/scripts"
	"datakit.dev/internal/pipeline/stage"
	"datakit.dev/internal/point"
)

func set(t testing.TB, category point.Category, texts map[string]string) *scripts.Set {
	t.Helper()
	funcs, err := all.Table()
	if err != nil {
		t.Fatal(err)
	}
	s := scripts.NewSet(pipeline.Options{Funcs: funcs})
	replace(t, s, category, texts)
	return s
}

func replace(t testing.TB, s *scripts.Set, category point.Category, texts map[string]string) {
	t.Helper()
	named := map[string]scripts.Source{}
	for name, text := range texts {
		named[name] = scripts.Source{Text: text}
	}
	if refused := s.Replace(scripts.Confd, scripts.Sources{category: named}); len(refused) > 0 {
		t.Fatal(refused[0].Errs)
	}
}

func points(names ...string) []point.Point {
	var out []point.Point
	for _, n := range names {
		p := point.New(n, 1)
		p.Add("v", point.IntOf(1))
		out = append(out, p)
	}
	return out
}

func TestPointsTakeTheirScripts(t *testing.T) {
	s := stage.New(set(t, point.Metric, map[string]string{
		"cpu.p":  "add_key(seen, 1)",
		"net.p":  "drop()",
		"mem.p":  "add_key(before, 1)\nx = 1 / get_key(zero)\nadd_key(after, 1)",
		"disk.p": `create_point("alarm", nil, {"v": 1}, category="L")`,
	}), fn.Services{})
	kept, made := s.Process(point.Metric, map[string]string{"swap": "cpu.p", "system": "-"}, points("cpu", "net", "mem", "disk", "swap", "system"))
	var got []string
	for _, p := range kept {
		_, seen := p.Field("seen")
		_, before := p.Field("before")
		_, after := p.Field("after")
		got = append(got, fmt.Sprintln(p.Name, seen, before, after))
	}
	want := []string{"cpu true false false\n", "mem false true false\n", "disk false false false\n", "swap true false false\n", "system false false false\n"}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if len(made) != 1 || made[0].Category != point.Logging || made[0].Points[0].Name != "alarm" {
		t.Errorf("made %+v", made)
	}
}

// Points flow on while the set changes: none waits, none is lost, and each sees
// either the old version whole or the new one.
func TestSwapUnderLoadLosesNothing(t *testing.T) {
	version := func(n int) map[string]string {
		return map[string]string{"cpu.p": fmt.Sprintf("add_key(a, %d)\nadd_key(b, %d)", n, n)}
	}
	scripts := set(t, point.Metric, version(0))
	s := stage.New(scripts, fn.Services{})
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				kept, _ := s.Process(point.Metric, nil, points("cpu", "cpu"))
				if len(kept) != 2 {
					t.Errorf("%d points of 2", len(kept))
					return
				}
				for _, p := range kept {
					a, _ := p.Field("a")
					b, ok := p.Field("b")
					if !ok || !a.Equal(b) {
						t.Errorf("half of a script: %v %v", a, b)
						return
					}
				}
			}
		})
	}
	for n := range 1000 {
		replace(t, scripts, point.Metric, version(n))
	}
	close(stop)
	wg.Wait()
}

func BenchmarkNoScript(b *testing.B) {
	s := stage.New(set(b, point.Metric, map[string]string{"cpu.p": "add_key(seen, 1)"}), fn.Services{})
	pts := points("mem")
	b.ReportAllocs()
	for b.Loop() {
		s.Process(point.Metric, nil, pts)
	}
}
