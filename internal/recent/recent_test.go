package recent

import (
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"datakit.dev/internal/point"
	"datakit.dev/internal/point/block"
)

// at is when the tests with a clock of their own begin.
var at = time.Unix(1_700_000_000, 0)

// fixed returns a store whose clock stands at *now.
func fixed(maxBytes int64, age time.Duration, now *time.Time) *Store {
	s := New(maxBytes, age)
	s.now = func() time.Time { return *now }
	return s
}

func pt(name string, when time.Time, tags map[string]string, fields ...any) point.Point {
	p := point.New(name, len(fields)/2)
	for k, v := range tags {
		p.SetTag(k, v)
	}
	for i := 0; i+1 < len(fields); i += 2 {
		switch v := fields[i+1].(type) {
		case int:
			p.Add(fields[i].(string), point.IntOf(int64(v)))
		case float64:
			p.Add(fields[i].(string), point.FloatOf(v))
		case string:
			p.Add(fields[i].(string), point.StringOf(v))
		case bool:
			p.Add(fields[i].(string), point.BoolOf(v))
		case point.Value:
			p.Add(fields[i].(string), v)
		}
	}
	p.Time = when.UnixNano()
	return p
}

// dump returns the points that a store holds of one name, as text, sorted.
func dump(s *Store, c point.Category, name string) []string {
	var out []string
	for b := range s.Blocks(c, name, math.MinInt64, math.MaxInt64) {
		for i := range b.Rows {
			var fields []string
			for k := range b.Columns {
				fields = append(fields, fmt.Sprintf("%s=%v(%v)", b.Columns[k].Key, b.Columns[k].Value(i), b.Columns[k].Kind))
			}
			slices.Sort(fields)
			out = append(out, fmt.Sprintf("%s%v %s @%d", b.Name, b.Tags, strings.Join(fields, " "), b.Times[i]))
		}
	}
	slices.Sort(out)
	return out
}

func TestWhatIsObservedCanBeRead(t *testing.T) {
	now := at
	s := fixed(1<<20, time.Hour, &now)
	s.Observe(point.Metric, []point.Point{
		pt("cpu", at, map[string]string{"cpu": "0"}, "usage", 1.5, "n", 1),
		pt("cpu", at, map[string]string{"cpu": "1"}, "n", 2, "usage", 2.5), // the fields in another order
		pt("cpu", at.Add(1), map[string]string{"cpu": "0"}, "n", 3, "usage", 3.5),
		pt("mem", at, nil, "used", point.UintOf(math.MaxUint64), "ok", true),
	})
	s.Observe(point.Logging, []point.Point{pt("nginx", at, nil, "message", "GET /", "list", point.ListOf(&[]point.Value{}))})
	want := []string{
		"cpu[{cpu 0}] n=1(int) usage=1.5(float) @1700000000000000000",
		"cpu[{cpu 0}] n=3(int) usage=3.5(float) @1700000000000000001",
		"cpu[{cpu 1}] n=2(int) usage=2.5(float) @1700000000000000000",
	}
	if got := dump(s, point.Metric, "cpu"); !slices.Equal(got, want) {
		t.Errorf("cpu:\n%s", strings.Join(got, "\n"))
	}
	if got := dump(s, point.Logging, "nginx"); len(got) != 1 || !strings.Contains(got[0], "message=GET /(str)") || strings.Contains(got[0], "list") {
		t.Errorf("nginx: %v", got)
	}
	if got := s.Names(point.Metric); !slices.Equal(got, []string{"cpu", "mem"}) {
		t.Errorf("names %v", got)
	}
	if st := s.Stats(); st.Points != 5 || st.Series != 4 || st.Measurements != 3 || st.Bytes <= 0 {
		t.Errorf("stats %+v", st)
	}
	for b := range s.Blocks(point.Metric, "cpu", at.Add(2).UnixNano(), math.MaxInt64) {
		t.Errorf("%v is not of that time", b)
	}
}

// A field that changes its kind, or comes and goes, costs no value.
func TestEverySetOfFieldsIsKept(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := at
		s := fixed(16<<20, time.Hour, &now)
		var want []string
		kept := 0
		for i := range rapid.IntRange(1, 300).Draw(t, "points") {
			p := point.New("m", 3)
			p.Time = at.Add(time.Duration(i)).UnixNano()
			if host := rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "host"); host != "" {
				p.SetTag("host", host)
			}
			for _, key := range rapid.Permutation([]string{"x", "y", "z"}).Draw(t, "keys")[:rapid.IntRange(0, 3).Draw(t, "fields")] {
				p.Add(key, rapid.SampledFrom([]point.Value{
					point.IntOf(int64(i)), point.FloatOf(float64(i)), point.StringOf(fmt.Sprint(i % 3)), point.BoolOf(i%2 == 0), point.NilOf(),
				}).Draw(t, "value"))
			}
			var fields []string
			for _, f := range p.Fields {
				if block.Holds(f.Value.Kind()) {
					fields = append(fields, fmt.Sprintf("%s=%v(%v)", f.Key, f.Value, f.Value.Kind()))
				}
			}
			if len(fields) > 0 {
				slices.Sort(fields)
				want = append(want, fmt.Sprintf("m%v %s @%d", p.Tags, strings.Join(fields, " "), p.Time))
				kept++
			}
			s.Observe(point.Metric, []point.Point{p})
		}
		slices.Sort(want)
		if got := dump(s, point.Metric, "m"); !slices.Equal(got, want) {
			t.Fatalf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		if st := s.Stats(); st.Points != int64(kept) {
			t.Fatalf("%d points are counted, %d are kept", st.Points, kept)
		}
	})
}

// parts returns the bytes of everything that a store holds.
func parts(s *Store) (bytes int64) {
	for _, g := range *s.list.Load() {
		bytes += groupBytes + int64(len(g.key.name))
		for _, l := range g.shared {
			bytes += l.bytes
		}
		for _, sr := range *g.list.Load() {
			bytes += sr.bytes
			for _, c := range *sr.chunks.Load() {
				bytes += c.bytes
			}
		}
	}
	return bytes
}

// Whatever comes in whatever batches, and whatever has to make room for it, what
// is held is what was put in, and what goes frees all that it took.
func TestBatchesThatPushOthersOut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := at
		s := fixed(rapid.Int64Range(2<<10, 64<<10).Draw(t, "bytes"), time.Hour, &now)
		put := map[string]bool{}
		for b := range rapid.IntRange(1, 30).Draw(t, "batches") {
			batch := make([]point.Point, rapid.IntRange(1, 60).Draw(t, "points"))
			hosts := rapid.IntRange(1, 40).Draw(t, "hosts")
			for i := range batch {
				text := fmt.Sprint(strings.Repeat("é", i%30), b, i/3)
				p := pt("m", at, map[string]string{"host": fmt.Sprint(i % hosts)}, "text", text, "n", i)
				switch rapid.IntRange(0, 3).Draw(t, "fields") {
				case 0: // fails at the last field, behind a text
					p.Fields[1].Value = point.FloatOf(float64(i))
				case 1:
					slices.Reverse(p.Fields)
				}
				p.Time += int64(b)
				batch[i] = p
				one := fixed(1<<20, time.Hour, &now)
				one.Observe(point.Metric, batch[i:i+1])
				put[dump(one, point.Metric, "m")[0]] = true
			}
			s.Observe(point.Metric, batch)
			held := dump(s, point.Metric, "m")
			for _, line := range held {
				if !put[line] {
					t.Fatalf("%s was never put in", line)
				}
			}
			if st := s.Stats(); st.Points != int64(len(held)) || st.Bytes > st.MaxBytes || st.Bytes != parts(s) {
				t.Fatalf("%+v, but there are %d points, and the parts are %d bytes", st, len(held), parts(s))
			}
		}
		s.SetBounds(0, 0)
		if st := s.Stats(); st.Bytes != 0 || st.Points != 0 || st.Series != 0 {
			t.Fatalf("what is gone still counts: %+v", st)
		}
	})
}

func TestNothingIsKeptWhereItIsOff(t *testing.T) {
	for _, s := range []*Store{New(0, time.Hour), New(1<<20, 0), New(-1, time.Hour)} {
		s.Observe(point.Metric, []point.Point{pt("m", time.Now(), nil, "x", 1)})
		if st := s.Stats(); s.Enabled() || st.Points != 0 || st.Bytes != 0 || len(s.Names(point.Metric)) != 0 {
			t.Errorf("%+v", st)
		}
	}
	s := New(1<<20, time.Hour)
	s.Observe(point.Metric, []point.Point{pt("m", time.Now(), nil, "x", 1), pt("future", time.Now().Add(900*time.Hour), nil, "x", 1)})
	s.SetBounds(0, 0)
	if st := s.Stats(); st.Bytes != 0 || st.Points != 0 || st.Measurements != 0 || st.Series != 0 {
		t.Errorf("switched off it still holds %+v", st)
	}
}

func TestWhatIsTooOldGoes(t *testing.T) {
	now := at
	s := fixed(1<<20, time.Minute, &now)
	s.Observe(point.Metric, []point.Point{
		pt("old", at.Add(-61*time.Second), nil, "x", 1),
		pt("m", at, nil, "x", 1),
		pt("future", at.Add(24*time.Hour), nil, "x", 1),
	})
	if st := s.Stats(); st.Points != 2 || st.Refused != 1 {
		t.Fatalf("%+v", st)
	}
	now = at.Add(2 * time.Minute)
	s.Observe(point.Metric, []point.Point{pt("now", now, nil, "x", 1)})
	if got := s.Names(point.Metric); !slices.Equal(got, []string{"now"}) {
		t.Errorf("after two minutes there is still %v", got)
	}
	if want := now.Add(-time.Minute).UnixNano(); s.Oldest() != want {
		t.Errorf("oldest %d, want %d", s.Oldest(), want)
	}
	// What the others held is free again.
	one := fixed(1<<20, time.Minute, &now)
	one.Observe(point.Metric, []point.Point{pt("now", now, nil, "x", 1)})
	if got, want := s.Stats().Bytes, one.Stats().Bytes; got != want {
		t.Errorf("%d bytes are held, %d by a store that held nothing else", got, want)
	}
}

// shapes are points of the sorts that an agent sees.
func shapes() map[string]func(i int) point.Point {
	now := time.Now()
	return map[string]func(i int) point.Point{
		"few series, many fields": func(i int) point.Point {
			p := point.New("cpu", 20)
			p.SetTag("cpu", fmt.Sprint("cpu", i%8))
			for k := range 20 {
				p.Add(fmt.Sprint("field", k), point.FloatOf(float64(i*k)))
			}
			p.Time = now.Add(time.Duration(i)).UnixNano()
			return p
		},
		"a series a point": func(i int) point.Point {
			return pt("m", now, map[string]string{"id": fmt.Sprint("some-longer-id-", i), "host": "h"}, "x", i)
		},
		"logs": func(i int) point.Point {
			return pt("nginx", now, map[string]string{"host": "h"}, "message", fmt.Sprint(strings.Repeat("GET /some/path ", 8), i), "status", []string{"info", "error"}[i%2], "n", i)
		},
		"fields come and go": func(i int) point.Point {
			return pt("m", now, map[string]string{"host": "h"}, fmt.Sprint("field", i%200), i, "x", 1.5)
		},
		"a name a point": func(i int) point.Point { return pt(fmt.Sprint("name", i), now, nil, "x", i) },
	}
}

// What is counted is what the heap holds: a bound of 32 MB that takes 60 is none.
func TestTheBytesThatAreCountedAreThoseThatAreHeld(t *testing.T) {
	for name, shape := range shapes() {
		t.Run(name, func(t *testing.T) {
			// What others leave behind goes while this is measured, at times; a
			// wrong count is wrong each time.
			var ratio float64
			for range 4 {
				s := New(1<<30, time.Hour)
				before := heap()
				for i := range 20_000 {
					s.Observe(point.Metric, []point.Point{shape(i)})
				}
				ratio = float64(s.Stats().Bytes) / float64(heap()-before)
				runtime.KeepAlive(s)
				if ratio > 0.9 && ratio < 1.6 {
					return
				}
			}
			t.Errorf("the bytes that are counted are %.2f of those by which the heap grew", ratio)
		})
	}
}

// heap returns what is held once all garbage is gone: texts that were interned go
// some collections after those who had them.
func heap() int64 {
	var m runtime.MemStats
	for last, same := uint64(0), 0; same < 3; last = m.HeapAlloc {
		runtime.GC()
		runtime.Gosched()
		runtime.ReadMemStats(&m)
		if same++; max(m.HeapAlloc, last)-min(m.HeapAlloc, last) > 16<<10 {
			same = 0
		}
	}
	return int64(m.HeapAlloc)
}

func TestTheBoundIsKept(t *testing.T) {
	const limit = 512 << 10
	for name, shape := range shapes() {
		t.Run(name, func(t *testing.T) {
			s := New(limit, time.Hour)
			var batch []point.Point
			for i := range 12_000 {
				if batch = append(batch, shape(i)); len(batch) == 1000 {
					s.Observe(point.Metric, batch)
					batch = batch[:0]
					// No more than one writer adds before it looks.
					if st := s.Stats(); st.Bytes > limit+flushAfter+chunkBytes {
						t.Fatalf("%d bytes are held", st.Bytes)
					}
				}
			}
			st := s.Stats()
			if st.Points == 0 || st.Bytes < limit/3 {
				t.Errorf("a full store holds %+v", st)
			}
			s.SetBounds(limit/4, time.Hour)
			if st := s.Stats(); st.Bytes > limit/4 || st.Points == 0 {
				t.Errorf("after the bound was lowered: %+v", st)
			}
		})
	}
}

func TestAPointLargerThanTheBoundHarmsNobody(t *testing.T) {
	s := New(4096, time.Hour)
	big := pt("big", time.Now(), nil, "message", strings.Repeat("x", 1<<20))
	for range 10 {
		s.Observe(point.Logging, []point.Point{big, pt("small", time.Now(), nil, "x", 1)})
	}
	if st := s.Stats(); st.Bytes > 4096 {
		t.Errorf("%+v", st)
	}
}

func TestALongTextIsCut(t *testing.T) {
	s := New(1<<20, time.Hour)
	s.Observe(point.Logging, []point.Point{pt("l", time.Now(), nil, "message", strings.Repeat("é", maxText))})
	for b := range s.Blocks(point.Logging, "l", math.MinInt64, math.MaxInt64) {
		if got := b.Columns[0].Texts[0]; len(got) > maxText+len("…") || !strings.HasSuffix(got, "é…") {
			t.Errorf("%d bytes, which end in %q", len(got), got[len(got)-8:])
		}
	}
}

// A flood of one measurement takes nothing from the last points of the others.
func TestTheLargestGivesFirst(t *testing.T) {
	s := New(256<<10, time.Hour)
	s.Observe(point.Metric, []point.Point{pt("quiet", time.Now(), nil, "x", 42)})
	for i := range 50_000 {
		s.Observe(point.Logging, []point.Point{pt("flood", time.Now(), nil, "message", fmt.Sprint("line ", i))})
	}
	if got := dump(s, point.Metric, "quiet"); len(got) != 1 {
		t.Errorf("quiet holds %v", got)
	}
	got := dump(s, point.Logging, "flood")
	if !slices.ContainsFunc(got, func(l string) bool { return strings.Contains(l, "line 49999(") }) {
		t.Errorf("the last line is not among the %d that are held", len(got))
	}
	if slices.ContainsFunc(got, func(l string) bool { return strings.Contains(l, "line 1(") }) {
		t.Error("the first line is still there")
	}
}

// Points that a reader has begun to see stay as they are, whatever the writers do
// meanwhile; with the race detector this shows that nobody needs a lock.
func TestReadersAndWritersDoNotMeet(t *testing.T) {
	s := New(128<<10, time.Hour)
	var writers, readers sync.WaitGroup
	stop := make(chan struct{})
	for w := range 3 {
		writers.Go(func() {
			for i := range 1000 {
				s.Observe(point.Metric, []point.Point{
					pt("m", time.Now(), map[string]string{"w": fmt.Sprint(w)}, "a", i, "b", i, "text", fmt.Sprint(i)),
					pt(fmt.Sprint("n", i%50), time.Now(), nil, "x", i),
				})
			}
		})
	}
	for range 2 {
		readers.Go(func() {
			for {
				for b := range s.Blocks(point.Metric, "m", 0, math.MaxInt64) {
					a, bb, text := b.Column("a"), b.Column("b"), b.Column("text")
					for i := range b.Rows {
						if n := a.Value(i).Int(); n != bb.Value(i).Int() || text.Value(i).Text() != fmt.Sprint(n) {
							t.Error("a point is torn")
						}
					}
				}
				_, _ = s.Names(point.Metric), s.Stats()
				select {
				case <-stop:
					return
				default:
				}
			}
		})
	}
	writers.Wait()
	close(stop)
	readers.Wait()
}

func BenchmarkObserve(b *testing.B) {
	for name, shape := range shapes() {
		b.Run(name, func(b *testing.B) {
			pts := make([]point.Point, 1000)
			for i := range pts {
				pts[i] = shape(i)
			}
			s := New(DefaultBytes, time.Hour)
			s.Observe(point.Metric, pts)
			b.ReportAllocs()
			b.ResetTimer()
			for b.Loop() {
				s.Observe(point.Metric, pts)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(pts)), "ns/point")
		})
	}
}
