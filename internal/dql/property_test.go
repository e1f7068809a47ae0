package dql_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"datakit.dev/internal/dql"
	"datakit.dev/internal/point"
	"datakit.dev/internal/point/block"
	"datakit.dev/internal/recent"
)

// sample is a point of the reference: plain numbers in plain lists.
type sample struct {
	host string
	time int64 // seconds
	v    float64
}

func drawSamples(t *rapid.T) []sample {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) sample {
		return sample{
			host: rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "host"),
			time: rapid.Int64Range(0, 300).Draw(t, "time"),
			v:    float64(rapid.IntRange(-50, 50).Draw(t, "v")) / 4,
		}
	}), 1, 200).Draw(t, "samples")
}

func observe(samples []sample) *recent.Store {
	s := recent.New(1<<26, epoch)
	for _, x := range samples {
		p := point.New("m", 1)
		p.SetTag("host", x.host)
		p.Add("v", point.FloatOf(x.v))
		p.Time = x.time * int64(time.Second)
		s.Observe(point.Metric, []point.Point{p})
	}
	return s
}

// reference are the aggregates, written as a textbook has them. The list is in
// the order of arrival.
func reference() map[string]func([]sample) any {
	numbers := func(list []sample) []float64 {
		var out []float64
		for _, s := range list {
			out = append(out, s.v)
		}
		slices.Sort(out)
		return out
	}
	sum := func(list []sample) (out float64) {
		for _, s := range list {
			out += s.v
		}
		return out
	}
	byTime := func(list []sample) []sample {
		list = slices.Clone(list)
		slices.SortStableFunc(list, func(a, b sample) int { return int(a.time - b.time) })
		return list
	}
	return map[string]func([]sample) any{
		"count(v)": func(l []sample) any { return float64(len(l)) },
		"sum(v)":   func(l []sample) any { return sum(l) },
		"avg(v)":   func(l []sample) any { return sum(l) / float64(len(l)) },
		"min(v)":   func(l []sample) any { return numbers(l)[0] },
		"max(v)":   func(l []sample) any { return numbers(l)[len(l)-1] },
		"spread(v)": func(l []sample) any {
			n := numbers(l)
			return n[len(n)-1] - n[0]
		},
		"median(v)": func(l []sample) any {
			n := numbers(l)
			return (n[(len(n)-1)/2] + n[len(n)/2]) / 2
		},
		"percentile(v, 90)": func(l []sample) any {
			n := numbers(l)
			return n[max(int(math.Ceil(0.9*float64(len(n)))), 1)-1]
		},
		"stddev(v)": func(l []sample) any {
			if len(l) < 2 {
				return nil
			}
			mean, squares := sum(l)/float64(len(l)), 0.0
			for _, s := range l {
				squares += (s.v - mean) * (s.v - mean)
			}
			return math.Sqrt(squares / float64(len(l)-1))
		},
		"mode(v)": func(l []sample) any {
			best, often := 0.0, 0
			for _, x := range numbers(l) {
				n := 0
				for _, s := range l {
					if s.v == x {
						n++
					}
				}
				if n > often {
					best, often = x, n
				}
			}
			return best
		},
		"count_distinct(v)": func(l []sample) any { return float64(len(slices.Compact(numbers(l)))) },
		"sum(distinct(v))": func(l []sample) (out any) {
			total := 0.0
			for _, x := range slices.Compact(numbers(l)) {
				total += x
			}
			return total
		},
		"sum(difference(v))": func(l []sample) any {
			total, some := 0.0, false
			for _, host := range []string{"a", "b", "c"} {
				of := byTime(slices.DeleteFunc(slices.Clone(l), func(s sample) bool { return s.host != host }))
				if len(of) > 1 {
					some = true
					total += of[len(of)-1].v - of[0].v
				}
			}
			if !some {
				return nil
			}
			return total
		},
	}
}

// Every aggregate, over groups and buckets, is what the textbook says.
func TestAggregatesAreThoseOfTheReference(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		samples := drawSamples(t)
		s := observe(samples)
		width := rapid.Int64Range(1, 400).Draw(t, "width")
		from := rapid.Int64Range(0, 300).Draw(t, "from")
		for call, want := range reference() {
			text := fmt.Sprintf("M::m:(%s) {v > -10} [%ds::%ds] BY host", call, 600-from, width)
			if !rapid.Bool().Draw(t, "by host") {
				text = strings.TrimSuffix(text, " BY host")
			}
			groups := map[string][]sample{}
			for _, x := range samples {
				if x.v <= -10 || x.time < from {
					continue
				}
				host := ""
				if strings.HasSuffix(text, "host") {
					host = x.host
				}
				key := fmt.Sprint(host, " ", x.time/width*width*1000)
				groups[key] = append(groups[key], x)
			}
			expected := map[string]any{}
			for key, list := range groups {
				if v := want(list); v != nil {
					expected[key] = v
				}
			}
			got := map[string]any{}
			for _, series := range run(t, s, text).Series {
				for _, row := range series.Values {
					got[fmt.Sprint(series.Tags["host"], " ", row[0])] = row[1]
				}
			}
			if len(got) != len(expected) {
				t.Fatalf("%s: %d rows, want %d", text, len(got), len(expected))
			}
			for key, v := range expected {
				if !near(got[key], v) {
					t.Fatalf("%s: at %s got %v, want %v", text, key, got[key], v)
				}
			}
		}
	})
}

func near(a, b any) bool {
	x, y := toFloat(a), toFloat(b)
	return math.Abs(x-y) <= 1e-9*max(1, math.Abs(x), math.Abs(y))
}

func toFloat(v any) float64 {
	switch v := v.(type) {
	case float64:
		return v
	case int64:
		return float64(v)
	}
	return math.NaN()
}

func run(t interface{ Fatalf(string, ...any) }, s dql.Source, text string) dql.Result {
	q, bad := dql.Parse(text)
	if bad != nil {
		t.Fatalf("%s: %v", text, bad)
	}
	r, err := dql.Run(context.Background(), q, s, now, dql.Limits{})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return r
}

// A limit gives the head of what there is without one, whatever is pruned on the
// way, and whatever it is sorted by.
func TestALimitGivesTheHeadOfAll(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 6000).Draw(t, "points")
		var samples []sample
		for i := range n {
			samples = append(samples, sample{host: "a", time: int64(i*7919%n) % 500, v: float64(i * 31 % 97)})
		}
		s := observe(samples)
		order := rapid.SampledFrom([]string{"", " ORDER BY time", " ORDER BY v", " ORDER BY v DESC"}).Draw(t, "order")
		limit, offset := rapid.IntRange(0, 30).Draw(t, "limit"), rapid.IntRange(0, 30).Draw(t, "offset")
		all := run(t, s, "M::m:(v)"+order+" LIMIT 100000").Series[0].Values
		want := all[min(offset, n):min(offset+limit, n)]
		var got [][]any
		for _, series := range run(t, s, fmt.Sprintf("M::m:(v)%s LIMIT %d OFFSET %d", order, limit, offset)).Series {
			got = series.Values
		}
		if fmt.Sprint(got) != fmt.Sprint(want) && len(got)+len(want) > 0 {
			t.Fatalf("got %v, want %v", got, want)
		}
		// By themselves the newest come first, those of one time as they came.
		slices.SortStableFunc(samples, func(a, b sample) int { return cmp.Compare(b.time, a.time) })
		for i, row := range run(t, s, "M::m:(v) LIMIT 100").Series[0].Values {
			if row[1] != samples[i].v {
				t.Fatalf("row %d is %v, want %v", i, row, samples[i])
			}
		}
		top := run(t, s, "M::m:(top(v, 3))").Series[0].Values
		best := run(t, s, "M::m:(v) ORDER BY v DESC, time DESC LIMIT 3").Series[0].Values
		for i := range top {
			if top[i][1] != best[i][1] {
				t.Fatalf("top %v, sorted %v", top, best)
			}
		}
	})
}

// A value is in a list where it equals one of its items, however many there are.
func TestInIsEqualToOne(t *testing.T) {
	value := rapid.SampledFrom([]string{"0", "1", "-1", "2.5", "'1'", "' 1 '", "'01'", "'x'", "''", "true", "'true'", "'TRUE'", "false", "'nan'", "1e3", "'1e3'", "1000"})
	rapid.Check(t, func(t *rapid.T) {
		p := point.New("m", 1)
		p.Add("v", rapid.SampledFrom([]point.Value{
			point.IntOf(1), point.FloatOf(1), point.UintOf(1000), point.FloatOf(2.5), point.FloatOf(math.Copysign(0, -1)), point.BoolOf(true), point.BoolOf(false),
			point.StringOf("1"), point.StringOf("01"), point.StringOf("true"), point.StringOf("True"), point.StringOf("x"), point.StringOf(""), point.StringOf("nan"),
		}).Draw(t, "field"))
		p.Time = now.UnixNano()
		s := recent.New(1<<20, 1<<62)
		s.Observe(point.Metric, []point.Point{p})
		items := rapid.SliceOfN(value, 1, 4).Draw(t, "items")
		var each []string
		for _, i := range items {
			each = append(each, "v = "+i)
		}
		for range rapid.SampledFrom([]int{0, 50}).Draw(t, "others") {
			items = append(items, "'another'", "12345")
		}
		in := run(t, s, "M::m:(v) { v in ["+strings.Join(items, ", ")+"] }")
		one := run(t, s, "M::m:(v) { "+strings.Join(each, " || ")+" }")
		if in.Rows() != one.Rows() {
			t.Fatalf("%v in %v: %d, %v: %d", p.Fields[0].Value, items, in.Rows(), each, one.Rows())
		}
	})
}

// What a query is printed as is the same query.
func TestThePrintedQueryIsTheSame(t *testing.T) {
	s := observe([]sample{{"a", 1, 2}, {"b", 2, 3}})
	for _, text := range queriesOfTheGoldenCases(t) {
		q, bad := dql.Parse(text)
		if bad != nil {
			continue
		}
		again, bad := dql.Parse(q.String())
		if bad != nil {
			t.Errorf("%s is printed as %s: %s", text, q, bad.Text())
			continue
		}
		if again.String() != q.String() {
			t.Errorf("%s is printed as %s, and that as %s", text, q, again)
		}
		r1, err1 := dql.Run(t.Context(), q, s, now, dql.Limits{})
		r2, err2 := dql.Run(t.Context(), again, s, now, dql.Limits{})
		if fmt.Sprint(r1, err1) != fmt.Sprint(r2, err2) {
			t.Errorf("%s answers %v, %s answers %v", text, r1, again, r2)
		}
	}
}

// endless is a source that never ends; it counts what was read of it.
type endless struct{ read *int }

func (endless) Names(point.Category) []string { return []string{"m"} }
func (endless) Oldest() int64                 { return 0 }

func (e endless) Blocks(point.Category, string, int64, int64) iter.Seq[block.Block] {
	const rows = 1000
	times, nums := make([]int64, rows), make([]uint64, rows)
	return func(yield func(block.Block) bool) {
		for {
			for i := range nums {
				*e.read++
				times[i], nums[i] = int64(*e.read)*int64(time.Second), uint64(*e.read)
			}
			b := block.Block{
				Name: "m", Rows: rows, Times: slices.Clone(times),
				Columns: []block.Column{{Key: "x", Kind: point.Int, Nums: slices.Clone(nums)}},
			}
			if !yield(b) {
				return
			}
		}
	}
}

// Each bound ends a query that would never end.
func TestEveryBoundEndsAQuery(t *testing.T) {
	for text, want := range map[string]error{
		"M::m:(median(x))":                  dql.ErrMemory,
		"M::m:(distinct(x))":                dql.ErrMemory,
		"M::m:(count_distinct(x))":          dql.ErrMemory,
		"M::m:(mode(x))":                    dql.ErrMemory,
		"M::m:(sum(rate(x)))":               dql.ErrMemory,
		"M::m:(derivative(x))":              dql.ErrMemory,
		"M::m:(x) BY x ORDER BY time":       dql.ErrGroups,
		"M::m:(count(*)) BY x":              dql.ErrGroups,
		"M::m:(top(x, 1)) BY x":             dql.ErrGroups,
		"M::m:(count(*)) [::1s]":            dql.ErrRows,
		"M::m:(max(x), min(x), avg(x))":     context.DeadlineExceeded,
		"M::m:(x)":                          context.DeadlineExceeded,
		"M::m:(x) { x < 0 }":                context.DeadlineExceeded,
		"M::m:(top(x, 5))":                  context.DeadlineExceeded,
		"M::m:(histogram(x, 0, 1, 1))":      context.DeadlineExceeded,
		"show_measurement() { x < 0 }":      context.DeadlineExceeded,
		"M::m:(x) [1970-01-01::1d] { x<0 }": nil, // does not parse
	} {
		q, bad := dql.Parse(text)
		if want == nil {
			if bad == nil {
				t.Errorf("%s parses", text)
			}
			continue
		}
		if bad != nil {
			t.Fatal(bad.Text())
		}
		memory := int64(2 << 20)
		if errors.Is(want, dql.ErrRows) || errors.Is(want, dql.ErrGroups) {
			memory = 1 << 30 // what that many take varies
		}
		ctx := context.Context(countdown{t.Context(), new(int)})
		_, err := dql.Run(ctx, q, endless{new(int)}, time.Unix(1<<33, 0), dql.Limits{Memory: memory})
		if !errors.Is(err, want) {
			t.Errorf("%s ended with %v, want %v", text, err, want)
		}
	}
	q, _ := dql.Parse("M::m:(v) BY host")
	if _, err := dql.Run(t.Context(), q, observe([]sample{{"a", 1, 1}, {"b", 1, 1}}), now, dql.Limits{Rows: 1}); !errors.Is(err, dql.ErrRows) {
		t.Errorf("two rows where one may be: %v", err)
	}
}

// A row that is matched with patterns may take long: the context is looked at
// before each, also where all of them are fewer than are looked at in one go else.
func TestAPatternLetsAQueryEnd(t *testing.T) {
	var few []sample
	for i := range 100 {
		few = append(few, sample{"a", int64(i), 1})
	}
	for text, want := range map[string]error{
		"M::m:(v) { host = 'a' }":                          nil,
		"M::m:(v) { host = re('a') }":                      context.DeadlineExceeded,
		"M::m:(max(v)) { v > 0 || host != wildcard('*') }": context.DeadlineExceeded,
		"M::m:(v) { v > 5, (host = match('a')) }":          context.DeadlineExceeded,
		"show_tag_key() { host = re`a` }":                  context.DeadlineExceeded,
	} {
		q, bad := dql.Parse(text)
		if bad != nil {
			t.Fatal(bad.Text())
		}
		if _, err := dql.Run(countdown{t.Context(), new(int)}, q, observe(few), now, dql.Limits{}); !errors.Is(err, want) {
			t.Errorf("%s ended with %v, want %v", text, err, want)
		}
	}
}

// However patterns are nested and repeated, few states come of them, or an error.
func TestPatternsAreBounded(t *testing.T) {
	for _, text := range []string{
		"M::m { a = re('" + strings.Repeat("(", 4) + "x" + strings.Repeat("){9}", 4) + "') }",
		"M::m { a = re('" + strings.Repeat("x{1000}", 10) + "') }",
		"M::m { a = re('(" + strings.Repeat("[ab]x[cd]y[ef]", 140) + "){9}') }",
		"M::m { a = re('(x{50}){20,}((y{10}z){10}){10}u{999}v{999}w{999}') }",
		"M::m { a = re('" + strings.Repeat(`\pL`, 1000) + "') }",
		"M::m { a = re('" + strings.Repeat(`x`, 5000) + "') }",
		"M::m { a != re('" + strings.Repeat("x", 2600) + "'), a = re('" + strings.Repeat("y", 2600) + "') }",
		"M::m { " + strings.Repeat("a = wildcard('"+strings.Repeat("*?", 400)+"') || ", 10) + "a = 1 }",
		"M::re('x{999}y{999}z{999}a{999}b{999}c{999}'):(a)",
		"show_measurement(from=[re('" + strings.Repeat("x{900}", 9) + "')])",
	} {
		if _, bad := dql.Parse(text); bad == nil || len(bad.Text()) > 12_000 ||
			!strings.Contains(bad.Error(), "make them shorter") && !strings.Contains(bad.Error(), "at most 4096 bytes") && !strings.Contains(bad.Error(), "invalid repeat") {
			t.Errorf("%.60s…: %.200s", text, bad)
		}
	}
	for _, text := range []string{
		`M::m { a = re('(?i)\b(GET|POST|PUT|DELETE) /[^ ]{1,200} HTTP/1\.[01]\b') }`,
		"M::m { a = re('" + strings.Repeat("some-host-name|", 200) + "x') }",
		"M::m { a = re('" + strings.Repeat(`\pL\w`, 50) + "') }",
	} {
		if _, bad := dql.Parse(text); bad != nil {
			t.Errorf("%.60s…: %s", text, bad)
		}
	}
}

// countdown is a context that ends after so many looks at it: no test waits.
type countdown struct {
	context.Context
	looks *int
}

func (c countdown) Err() error {
	if *c.looks++; *c.looks > 60 {
		return context.DeadlineExceeded
	}
	return nil
}

func TestAnAdjustmentGoesOverTheQuery(t *testing.T) {
	s := observe([]sample{{"a", 1, 1}, {"b", 2, 2}, {"a", 300, 3}, {"b", 599, 4}})
	five, zero := 5, 0
	for name, c := range map[string]struct {
		query string
		a     dql.Adjustment
		want  string
	}{
		"nothing":    {"M::m:(v) LIMIT 1", dql.Adjustment{}, "M::m:(v) LIMIT 1"},
		"conditions": {"M::m:(v) {v > 1}", dql.Adjustment{Conditions: `host = "b" OR v = 3`}, `M::m:(v) {(v > 1) AND ((host = "b") OR (v = 3))}`},
		"time":       {"M::m:(v) [5m]", dql.Adjustment{From: time.Unix(2, 0), To: time.Unix(300, 0)}, "M::m:(v) [1970-01-01 00:00:02:1970-01-01 00:05:00]"},
		"limits":     {"M::m:(v) LIMIT 1", dql.Adjustment{Limit: &five, SLimit: &zero, Offset: &five, SOffset: &five}, "M::m:(v) LIMIT 5 OFFSET 5 SLIMIT 0 SOFFSET 5"},
		"order":      {"M::m:(v) ORDER BY v", dql.Adjustment{OrderBy: []dql.Order{{"time", true}}}, "M::m:(v) ORDER BY time DESC"},
		"duration":   {"M::m:(v)", dql.Adjustment{MaxDuration: time.Minute}, "M::m:(v) [1m]"},
		"longer":     {"M::m:(v) [5m]", dql.Adjustment{MaxDuration: time.Hour}, "M::m:(v) [5m]"},
	} {
		q, bad := dql.Parse(c.query)
		if bad != nil {
			t.Fatal(bad)
		}
		got, bad := q.Adjust(c.a)
		if bad != nil || got.String() != c.want {
			t.Errorf("%s: %s (%v), want %s", name, got, bad, c.want)
		}
	}
	q, _ := dql.Parse("M::m:(max(v)) [10m::1s]")
	wide, _ := q.Adjust(dql.Adjustment{MaxPoints: 2})
	r, err := dql.Run(t.Context(), wide, s, now, dql.Limits{})
	if err != nil || r.Rows() != 2 {
		t.Errorf("at most two buckets: %v, %v", r, err)
	}
	for _, wrong := range []string{"host =", "host = 'a' }", "a", strings.Repeat("x", 1<<17)} {
		if _, bad := q.Adjust(dql.Adjustment{Conditions: wrong}); bad == nil {
			t.Errorf("%.20q is taken for a condition", wrong)
		}
	}
}

func TestAnAnswerIsJSONWhateverThePointsHold(t *testing.T) {
	s := recent.New(1<<20, epoch)
	p := point.New("m", 3)
	p.Add("nan", point.FloatOf(math.NaN()))
	p.Add("inf", point.FloatOf(math.Inf(1)))
	p.Add("big", point.UintOf(math.MaxUint64))
	p.Time = math.MaxInt64
	s.Observe(point.Metric, []point.Point{p})
	for _, text := range []string{
		"M::m", "M::m:(nan+1, big*2, -nan)", "M::m:(sum(inf), avg(nan), max(nan), min(inf), stddev(inf), median(inf), percentile(nan, 5), mode(nan))",
		"M::m:(fill(max(big), 0)) [::1ns]", "M::m:(last(big)) [::1d] tz(14)", "M::m:(top(nan, 1))", "M::m:(histogram(inf, 0, 1, 1))", "M::m:(distinct(nan))",
	} {
		q, bad := dql.Parse(text)
		if bad != nil {
			t.Fatal(bad.Text())
		}
		r, err := dql.Run(t.Context(), q, s, now, dql.Limits{})
		if err != nil && !errors.Is(err, dql.ErrRows) {
			t.Errorf("%s: %v", text, err)
		}
		if _, err := json.Marshal(r); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}
