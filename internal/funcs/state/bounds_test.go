package state

import (
	"container/list"
	"fmt"
	"strings"
	"testing"
	"time"
	"unsafe"

	"pgregory.net/rapid"

	"datakit.dev/internal/point"
)

var start = time.Unix(1_700_000_000, 0)

// TestCacheIsWhatAMapWithTimesWouldBe holds the cache to the simplest thing that
// does the same.
func TestCacheIsWhatAMapWithTimesWouldBe(t *testing.T) {
	type value struct {
		n     int64
		until time.Time
	}
	rapid.Check(t, func(t *rapid.T) {
		c := &cache{entries: map[string]*entry{}}
		model, now := map[string]value{}, start
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			key := rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(t, "key")
			now = now.Add(time.Duration(rapid.IntRange(0, 3).Draw(t, "wait")) * time.Second)
			if rapid.Bool().Draw(t, "set") {
				n := rapid.Int64().Draw(t, "value")
				expiry := time.Duration(rapid.IntRange(1, 6).Draw(t, "expiry")) * time.Second
				c.set(key, point.IntOf(n), now, expiry)
				model[key] = value{n, now.Add(expiry)}
			}
			want := point.NilOf()
			if v, ok := model[key]; ok && now.Before(v.until) {
				want = point.IntOf(v.n)
			}
			if got := c.get(key, now); !got.Equal(want) {
				t.Fatalf("%s at %v: %v, want %v", key, now, got, want)
			}
			if len(c.entries) != len(c.queue) || len(c.entries) > len(model) {
				t.Fatalf("%d entries, %d in the queue", len(c.entries), len(c.queue))
			}
		}
	})
}

func TestCacheIsBounded(t *testing.T) {
	c := &cache{entries: map[string]*entry{}}
	for i := range maxEntries + 500 {
		c.set(fmt.Sprint(i), point.IntOf(1), start, time.Duration(i+1)*time.Second)
	}
	if len(c.entries) != maxEntries {
		t.Errorf("%d entries", len(c.entries))
	}
	if c.get("0", start).Kind() != point.Nil || c.get(fmt.Sprint(maxEntries+499), start).Kind() != point.Int {
		t.Error("the next to expire must go first")
	}
	big := point.StringOf(strings.Repeat("x", maxBytes/4))
	for i := range 20 {
		c.set(fmt.Sprint("big", i), big, start, time.Hour)
	}
	if c.bytes > maxBytes {
		t.Errorf("%d bytes", c.bytes)
	}
	c.set("huge", point.StringOf(strings.Repeat("x", maxBytes)), start, time.Hour)
	if c.get("huge", start).Kind() != point.Nil || c.bytes > maxBytes {
		t.Error("a value that is larger than the cache is kept")
	}
	later := start.Add(1e6 * time.Second)
	c.set("last", point.IntOf(1), later, time.Second)
	if len(c.entries) != 1 {
		t.Errorf("%d entries are left after all have expired", len(c.entries)-1)
	}
	for _, e := range c.entries {
		c.remove(e)
	}
	if c.bytes != 0 {
		t.Errorf("%d bytes of nothing", c.bytes)
	}
}

func newStreams() *streams { return &streams{byID: map[string]*list.Element{}} }

func TestWindowsAreBounded(t *testing.T) {
	all := newStreams()
	p := point.New("m", 1)
	p.Set("message", point.StringOf(strings.Repeat("x", 1000)))
	for i := range maxStreams + 100 {
		s := all.open(fmt.Sprint(i), 50, 1)
		for range 60 {
			all.move(s, &p, true)
		}
		if all.bytes > maxBytes || all.order.Len() > maxStreams || len(all.byID) != all.order.Len() {
			t.Fatalf("%d bytes in %d streams", all.bytes, all.order.Len())
		}
	}
	if all.byID[fmt.Sprint(maxStreams+99)] == nil || all.byID["0"] != nil {
		t.Error("the stream that rested longest must go first")
	}
	huge := point.New("m", 1)
	huge.Set("message", point.StringOf(strings.Repeat("x", maxBytes+1)))
	s := all.open("last", 2, 1)
	all.move(s, &huge, true)
	all.hit(s)
	if got := all.move(s, &p, false); len(got) != 0 || all.bytes > maxBytes {
		t.Errorf("a point that is larger than all windows together is kept: %d", len(got))
	}
}

func TestOneStreamCannotGrowPastTheBound(t *testing.T) {
	all := newStreams()
	p := point.New("m", 1)
	p.Set("message", point.StringOf(strings.Repeat("x", 1<<20)))
	s := all.open("only", maxWindow, 1)
	for range 100 {
		all.move(s, &p, true)
		if all.bytes > maxBytes || all.bytes != s.bytes {
			t.Fatalf("%d bytes", all.bytes)
		}
	}
	all.hit(s)
	if n := len(all.move(s, &p, false)); n == 0 || n > 16 || all.bytes != 0 {
		t.Errorf("%d points of 1 MiB came back, %d bytes are left", n, all.bytes)
	}
}

func TestAWindowDoesNotHoldTheMessagesThatItsPointsCameFrom(t *testing.T) {
	message := strings.Repeat("x", 100)
	p := point.New(message[:1], 2)
	p.SetTag("host", message[1:2])
	p.Set("part", point.StringOf(message[2:3]))
	p.Set("raw", point.BytesOf([]byte(message)[:1]))
	c := copyOf(&p)
	for of, pair := range map[string][2]string{
		"the name": {p.Name, c.Name}, "a tag": {p.Tags[0].Value, c.Tags[0].Value}, "a field": {p.Fields[0].Value.Text(), c.Fields[0].Value.Text()},
	} {
		if pair[0] != pair[1] || unsafe.StringData(pair[0]) == unsafe.StringData(pair[1]) {
			t.Errorf("%s: %q and %q are one string", of, pair[0], pair[1])
		}
	}
	if &p.Fields[1].Value.Bytes()[0] == &c.Fields[1].Value.Bytes()[0] {
		t.Error("bytes are shared")
	}
}

func TestAStreamThatIsForgottenWhileItsPointRunsKeepsNothing(t *testing.T) {
	all := newStreams()
	p := point.New("m", 1)
	p.Set("message", point.StringOf("x"))
	s := all.open("first", 5, 1)
	for i := range maxStreams {
		all.open(fmt.Sprint(i), 5, 1)
	}
	all.move(s, &p, true)
	if all.bytes != 0 {
		t.Errorf("%d bytes of a stream that is gone", all.bytes)
	}
}

func TestBucketsAreBounded(t *testing.T) {
	all := &buckets{byID: map[bucketID]*bucket{}}
	id := bucketID{point.Metric, "b"}
	all.create(bucket{category: point.Metric, name: "b", interval: time.Minute}, start)
	series := func(host string) sample {
		return sample{tags: []point.Tag{{Key: "host", Value: host}}, field: "n", action: "sum", value: 1}
	}
	for i := range maxSeries + 100 {
		all.add(id, series(fmt.Sprint(i)), start)
	}
	if all.series != maxSeries {
		t.Errorf("%d series", all.series)
	}
	due := all.add(id, series("next"), start.Add(time.Minute))
	if len(due) != maxSeries || all.series != 1 {
		t.Errorf("%d points were sent, %d series are left", len(due), all.series)
	}
	for i := range 40 {
		all.add(id, series(fmt.Sprint(i)+strings.Repeat("x", maxBytes/16)), start)
	}
	if all.bytes > maxBytes {
		t.Errorf("%d bytes", all.bytes)
	}
	all.create(bucket{name: "c", tags: []point.Tag{{Key: "k", Value: strings.Repeat("x", maxBytes)}}}, start)
	if len(all.byID) != 1 {
		t.Error("a bucket of tags that are too large is made")
	}
	all.sweep(start.Add(time.Hour))
	if all.series != 0 || all.bytes != (&bucket{}).size() {
		t.Errorf("%d series, %d bytes after all were sent", all.series, all.bytes)
	}
}

func TestSeriesAreToldApart(t *testing.T) {
	values := rapid.StringOfN(rapid.RuneFrom([]rune("a\\\n\"")), 0, 4, -1)
	rapid.Check(t, func(t *rapid.T) {
		a := []point.Tag{{Key: "x", Value: values.Draw(t, "a")}, {Key: "y", Value: values.Draw(t, "b")}}
		b := []point.Tag{{Key: "x", Value: values.Draw(t, "c")}, {Key: "y", Value: values.Draw(t, "d")}}
		if (seriesID(a) == seriesID(b)) != (a[0] == b[0] && a[1] == b[1]) {
			t.Fatalf("%q and %q: %q, %q", a, b, seriesID(a), seriesID(b))
		}
	})
}
