package state_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"datakit.dev/internal/funcs/conv"
	"datakit.dev/internal/funcs/json"
	ptfuncs "datakit.dev/internal/funcs/point"
	"datakit.dev/internal/funcs/state"
	"datakit.dev/internal/pipeline"
	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/point"
)

// A script is a compiled one with a clock that a test turns.
type script struct {
	t       *testing.T
	program *pipeline.Program
	now     time.Time
}

func compile(t *testing.T, src string) *script {
	t.Helper()
	funcs, err := fn.NewTable(state.Functions(), ptfuncs.Functions(), conv.Functions(), json.Functions())
	if err != nil {
		t.Fatal(err)
	}
	program, errs := pipeline.Compile("test.p", src, pipeline.Options{Funcs: funcs})
	if errs != nil {
		t.Fatal(errs)
	}
	return &script{t: t, program: program, now: time.Unix(1_700_000_000, 0)}
}

// run runs the script on a point with the fields k1, v1, k2, v2 and so on.
func (s *script) run(fields ...any) (point.Point, pipeline.Result) {
	s.t.Helper()
	p, result, err := s.try(fields...)
	if err != nil {
		s.t.Fatal(err)
	}
	return p, result
}

func (s *script) try(fields ...any) (point.Point, pipeline.Result, error) {
	p := point.New("m", 4)
	for i := 0; i < len(fields); i += 2 {
		key, _ := fields[i].(string)
		switch v := fields[i+1].(type) {
		case string:
			p.Set(key, point.StringOf(v))
		case int:
			p.Set(key, point.IntOf(int64(v)))
		}
	}
	now := s.now
	result, err := s.program.Run(&p, &pipeline.Env{Category: point.Logging, Now: func() time.Time { return now }})
	return p, result, err
}

func field(p point.Point, key string) any {
	v, _ := p.Field(key)
	return v.Any()
}

func TestCacheKeepsValuesFromPointToPointUntilTheyExpire(t *testing.T) {
	s := compile(t, "if set { cache_set(k, v, 10) }\nadd_key(got, cache_get(k))")
	s.run("set", 1, "k", "a", "v", "first")
	s.now = s.now.Add(9 * time.Second)
	if p, _ := s.run("k", "a"); field(p, "got") != "first" {
		t.Errorf("after 9 s: %v", p.Fields)
	}
	s.run("set", 1, "k", "a", "v", "second")
	s.now = s.now.Add(9 * time.Second)
	if p, _ := s.run("k", "a"); field(p, "got") != "second" {
		t.Errorf("9 s after it was set again: %v", p.Fields)
	}
	s.now = s.now.Add(time.Second)
	if p, _ := s.run("k", "a"); field(p, "got") != nil {
		t.Errorf("after 10 s: %v", p.Fields)
	}
	if p, _ := s.run("k", "b"); field(p, "got") != nil {
		t.Errorf("a key that was never set: %v", p.Fields)
	}
}

func TestCacheHoldsCopies(t *testing.T) {
	s := compile(t, `l = [1, {"a": [2]}]
if set { cache_set("l", l) }
l[0] = 9
got = cache_get("l")
m = got[1]
m["a"] = "changed"
again = cache_get("l")
add_key(again)`)
	for range 2 {
		if p, _ := s.run("set", 1); field(p, "again") != `[1,{"a":[2]}]` {
			t.Errorf("a change reached the cache: %v", p.Fields)
		}
	}
}

func TestCacheSetRefusesWhatItCannotKeep(t *testing.T) {
	for _, src := range []string{`cache_set(1, 2)`, `cache_set("k", 2, "x")`, `cache_get(5)`, `cache_set(nil, 1)`, `cache_set("k", 1, 1.5)`} {
		if _, _, err := compile(t, src).try(); err == nil || errors.Is(err, pipeline.ErrPanic) {
			t.Errorf("%s: error %v", src, err)
		}
	}
	for _, src := range []string{
		`cache_set("k", 1, 0)`, `cache_set("k", 1, -5)`, "l = [1]\nl[0] = l\ncache_set(\"k\", l)",
	} {
		if p, _ := compile(t, src+"\nadd_key(got, value_type(cache_get(\"k\")))").run(); field(p, "got") != "" && field(p, "got") != "list" {
			t.Errorf("%s: %v", src, p.Fields)
		}
	}
	p, _ := compile(t, "cache_set(\"k\", 1, 9223372036854775807)\nadd_key(got, cache_get(\"k\"))").run()
	if field(p, "got") != int64(1) {
		t.Errorf("kept for ever: %v", p.Fields)
	}
	_, _, err := compile(t, "l = [1]\nfor i = 0; i < 60; i += 1 { l = [l, l] }\ncache_set(\"k\", l)").try()
	if !fn.IsLimit(err) {
		t.Errorf("2^60 lists in one: error %v", err)
	}
}

func TestOneStateManyGoroutines(t *testing.T) {
	s := compile(t, `cache_set(host, [n, n], 5)
l = cache_get(host)
add_key(same, l[0] == l[1])
l[0] = "mine"
point_window(5, 5)
agg_create("b", on_count=10)
agg_metric("b", "n", "sum", ["host"], "n")
if n == 50 { window_hit() }
drop()`)
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for n := range 100 {
				p, _, err := s.try("host", fmt.Sprint(g%2), "filepath", "f", "n", n)
				if err != nil || field(p, "same") != true {
					t.Errorf("%v, %v", p.Fields, err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// sent returns the value of field n of the points that a run made.
func sent(result pipeline.Result) string {
	var all []string
	for _, made := range result.Created {
		v, _ := made.Point.Field("n")
		all = append(all, fmt.Sprint(v.Any()))
	}
	return strings.Join(all, " ")
}

func TestWindowBringsBackThePointsAroundAHit(t *testing.T) {
	s := compile(t, `point_window(2, 3)
if n == 5 || n == 20 { window_hit() }
if n != 6 { drop() }`)
	want := map[int]string{5: "3 4 5", 7: "7", 20: "18 19 20", 21: "21", 22: "22"}
	for n := range 25 {
		_, result := s.run("n", n, "filepath", "f", "host", "h")
		if got := sent(result); got != want[n] {
			t.Errorf("point %d: sent %q, want %q", n, got, want[n])
		}
		for _, made := range result.Created {
			if made.Category != point.Logging {
				t.Errorf("category %s", made.Category)
			}
		}
	}
}

func TestWindowsOfStreamsAreApart(t *testing.T) {
	s := compile(t, `point_window(3, 1, ["host"])
if hit { window_hit() }
drop()`)
	s.run("host", "a", "n", 1)
	s.run("host", "b", "n", 2)
	s.run("host", "a", "n", 3)
	s.run("n", 4)            // no host: no stream
	s.run("host", 5, "n", 5) // no string
	if _, result := s.run("host", "a", "n", 6, "hit", 1); sent(result) != "1 3 6" {
		t.Errorf("sent %q", sent(result))
	}
	if _, result := s.run("host", "b", "n", 7, "hit", 1); sent(result) != "2 7" {
		t.Errorf("sent %q", sent(result))
	}
	if _, result := s.run("host", "b", "n", 8); sent(result) != "" {
		t.Errorf("sent %q", sent(result))
	}
}

func TestPointsThatWereNotDroppedTakePlaceInTheWindow(t *testing.T) {
	s := compile(t, "point_window(2, 1)\nif hit { window_hit() }\nif !keep { drop() }")
	s.run("filepath", "f", "host", "h", "n", 1)
	s.run("filepath", "f", "host", "h", "n", 2, "keep", 1)
	s.run("filepath", "f", "host", "h", "n", 3)
	if _, result := s.run("filepath", "f", "host", "h", "n", 4, "hit", 1); sent(result) != "3 4" {
		t.Errorf("sent %q", sent(result))
	}
}

func TestWindowRemembersThePointAsItWasAtItsEnd(t *testing.T) {
	s := compile(t, "point_window(1, 1)\nif hit { window_hit() }\nadd_key(n, \"late\")\ndrop()")
	p, _ := s.run("filepath", "f", "host", "h", "n", 1)
	p.Set("n", point.StringOf("changed by its next owner"))
	if _, result := s.run("filepath", "f", "host", "h", "hit", 1); sent(result) != "late late" {
		t.Errorf("sent %q", sent(result))
	}
}

func TestWindowArguments(t *testing.T) {
	for _, src := range []string{`point_window("a", 1)`, `point_window(1, 1.5)`, `point_window(1, nil)`, `point_window(1, 1, "host")`} {
		if _, _, err := compile(t, src).try(); err == nil || errors.Is(err, pipeline.ErrPanic) {
			t.Errorf("%s: error %v", src, err)
		}
	}
	for _, src := range []string{
		`window_hit()`, `window_hit(1, 2)`, `point_window(-1, -9223372036854775807)`, `point_window(0, 0)`, `point_window(1, 2, [5])`,
		`point_window(9223372036854775807, 9223372036854775807)`,
	} {
		if _, result := compile(t, src+"\nwindow_hit()\ndrop()").run("filepath", "f", "host", "h"); len(result.Created) > 1 {
			t.Errorf("%s: sent %v", src, result.Created)
		}
	}
}

func TestBucketsSumUpPoints(t *testing.T) {
	s := compile(t, `agg_create("b", on_interval="10s", const_tags={"zone": "cn", "bad": 1})
agg_metric("b", "avg", "avg", ["host", "svc"], "n")
agg_metric("b", "sum", "sum", ["host", "svc"], "n")
agg_metric("b", "min", "min", ["host", "svc"], "n")
agg_metric("b", "max", "max", ["host", "svc"], "n")
agg_metric("b", "set", "set", ["host", "svc"], "n")
agg_metric("b", "odd", "median", ["host", "svc"], "n")
agg_metric("other", "sum", "sum", ["host", "svc"], "n")`)
	for _, n := range []int{-4, -2, -9} {
		if _, result := s.run("host", "a", "svc", "x", "n", n); len(result.Created) > 0 {
			t.Fatal("sent before the interval was over")
		}
	}
	s.run("host", "a", "svc", "y", "n", 1)
	s.run("host", "a", "n", 1)           // no svc
	s.run("host", "a", "svc", 5, "n", 1) // no string
	s.run("host", "a", "svc", "x")       // no n
	s.now = s.now.Add(10 * time.Second)
	_, result := s.run("host", "a", "svc", "x", "n", 7)
	if len(result.Created) != 2 {
		t.Fatalf("%d points", len(result.Created))
	}
	p := *result.Created[0].Point
	if p.Name != "b" || result.Created[0].Category != point.Metric || p.Time != s.now.UnixNano() {
		t.Errorf("%+v in %s", p, result.Created[0].Category)
	}
	for key, want := range map[string]float64{"avg": -5, "sum": -15, "min": -9, "max": -2, "set": -9} {
		if field(p, key) != want {
			t.Errorf("%s: %v, want %v", key, field(p, key), want)
		}
	}
	if got := fmt.Sprint(p.Tags); got != "[{host a} {svc x} {zone cn}]" || len(p.Fields) != 5 {
		t.Errorf("tags %s, fields %v", got, p.Fields)
	}
	s.now = s.now.Add(10 * time.Second)
	_, result = s.run("host", "q", "svc", "x", "n", 7)
	if len(result.Created) != 1 || field(*result.Created[0].Point, "sum") != 7.0 {
		t.Errorf("the second interval sent %v", result.Created)
	}
}

func TestBucketsAreSentByCount(t *testing.T) {
	for keep, want := range map[string]string{"false": " 1  5  9  ", "true": " 1  6  15  "} {
		s := compile(t, `agg_create("b", "0s", 2, keep_value=`+keep+`, category="logging")
agg_metric("b", "n", "sum", ["host"], "n", category="L")
agg_metric("b", "n", "sum", ["host"], "n", category="nowhere")`)
		got := ""
		for n := range 7 {
			_, result := s.run("host", "a", "n", n)
			got += sent(result) + " "
			for _, made := range result.Created {
				if made.Category != point.Logging {
					t.Errorf("category %s", made.Category)
				}
			}
			s.now = s.now.Add(time.Hour) // no interval: the time does not matter
		}
		if got != want {
			t.Errorf("keep %s: sent %q, want %q", keep, got, want)
		}
	}
}

func TestCallsThatCannotBeRightAreRefused(t *testing.T) {
	funcs, err := fn.NewTable(state.Functions())
	if err != nil {
		t.Fatal(err)
	}
	for _, src := range []string{
		`cache_get()`, `cache_get(a, b)`, `cache_set(a)`, `cache_set(a, b, c, d)`, `point_window(1)`, `point_window(1, 2, [], 4)`,
		`agg_create(b)`, `agg_create("b", 5)`, `agg_create("b", "often")`, `agg_create("b", "0s")`, `agg_create("b", on_count=2.5)`,
		`agg_create("b", keep_value="yes")`, `agg_metric("b", "f", "sum", ["h"])`, `agg_metric("b", "f", "sum", [], "n")`,
		`agg_metric("b", "f", "sum", [h], "n")`, `agg_metric("b", "f", "sum", "h", "n")`, `agg_metric(b, "f", "sum", ["h"], "n")`,
		`agg_metric("b", "f", "sum", ["h"], n)`,
	} {
		if _, errs := pipeline.Compile("test.p", src, pipeline.Options{Funcs: funcs}); errs == nil {
			t.Errorf("%s is taken", src)
		}
	}
	if _, _, err := compile(t, `agg_create("b", category=5)`).try(); err == nil {
		t.Error("a category that is a number is taken")
	}
}
