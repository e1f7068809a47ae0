package storetest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"datakit.dev/internal/store"
)

var readCases = []testCase{
	{"an empty root reads as an empty snapshot", nil, func(t *testing.T, b *bench) {
		b.read(t, holds(nil))
	}},
	{"a read shows every key with its value", nil, func(t *testing.T, b *bench) {
		want := map[string]string{"confd/cpu": "[[inputs.cpu]]\n", "confd/mem": "[[inputs.mem]]\n", "pipeline/metric/cpu.p": "x = 1\n"}
		b.readBack(t, want)
	}},
	{"the revision moves with the content and only with it", nil, revisionMoves},
	{"the revision of a key moves with that key only", nil, func(t *testing.T, b *bench) {
		b.Put(t, "confd/a", "1")
		b.Put(t, "confd/b", "1")
		one := b.read(t, holds(map[string]string{"confd/a": "1", "confd/b": "1"}))
		b.Put(t, "confd/b", "2")
		two := b.read(t, is("confd/b", "2"))
		if revision(t, one, "confd/a") != revision(t, two, "confd/a") {
			t.Error("confd/a moved with confd/b")
		}
		if revision(t, one, "confd/b") == revision(t, two, "confd/b") {
			t.Error("confd/b did not move")
		}
	}},
	{"keys beside the root are not ours", with[Neighbour], beside},
	{"odd keys are read as they are", nil, func(t *testing.T, b *bench) {
		b.readBack(t, map[string]string{
			"confd/ünïcödé 名前": "1", "confd/with space": "2", "confd/100%": "3", "confd/%2e%2e": "4", "confd/a+b&c=d?e#f": "5",
			"confd/e\u0301": "é of two runes", "confd/\u00e9": "é of one", "confd/Case": "1", "confd/case": "2", "confd/cas": "3", "confd/a.b": "4", "confd/ab": "5",
			`confd/"quoted" 'name'`: "6", "confd/deep/er/still.conf": "7", "confd/[x]*?": "8", "confd/" + strings.Repeat("n", 200): "9", "confd/a:b": "10",
		})
	}},
	{"odd values are read as they are", nil, func(t *testing.T, b *bench) {
		b.readBack(t, map[string]string{
			"confd/empty": "", "confd/newline": "\n", "confd/crlf": "a\r\nb\r\n", "confd/nul": "a\x00b", "confd/no-utf8": "\xff\xfe\x00",
			"confd/percent": "%s %2F %", "confd/large": strings.Repeat("0123456789abcdef", 500<<10/16), "confd/space": " x ", "confd/unicode": "温度 🌡",
		})
	}},
	{"a value over the limit is there and marked", func(traits store.Traits, _ Server) bool {
		return traits.MaxValue == 0 || traits.MaxValue > store.MaxValue
	}, tooLarge},
	{"a value of just the limit is taken", func(traits store.Traits, _ Server) bool {
		return traits.MaxValue == 0 || traits.MaxValue >= store.MaxValue
	}, func(t *testing.T, b *bench) {
		b.readBack(t, map[string]string{"confd/full": strings.Repeat("x", store.MaxValue)})
	}},
	{"a thousand keys", nil, func(t *testing.T, b *bench) {
		want := map[string]string{}
		for i := range 1000 {
			want[fmt.Sprintf("confd/n%04d", i)] = strconv.Itoa(i)
		}
		b.readBack(t, want)
	}},
	{"no read mixes two states of the tree", func(traits store.Traits, srv Server) bool {
		return traits.OneInstant && follows(traits, srv)
	}, noMixture},
	{"no read shows a value that was never written", follows, noInvention},
	{"a cancelled read returns", nil, func(t *testing.T, b *bench) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := b.look(ctx, t); !errors.Is(err, context.Canceled) {
			t.Errorf("Read: %v", err)
		}
		b.Put(t, "confd/a", "1")
		b.read(t, is("confd/a", "1"))
	}},
	{"many readers at once see the same", nil, func(t *testing.T, b *bench) {
		b.Put(t, "confd/a", "1")
		want := b.read(t, is("confd/a", "1")).Revision
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				if snap, err := b.st.Read(t.Context()); err != nil || snap.Revision != want {
					t.Errorf("revision %q, %v; want %q", snap.Revision, err, want)
				}
			})
		}
		wg.Wait()
	}},
}

// beside writes a key whose path merely begins like the root.
func beside(t *testing.T, b *bench) {
	want := holds(map[string]string{"confd/a": "1"})
	b.Put(t, "confd/a", "1")
	before := b.read(t, want)
	done := b.background(t.Context(), before.Revision)
	b.Server.(Neighbour).PutBeside(t, "confd/b", "2")
	stays(t, "Wait", done)
	b.anew(t)
	if after := b.read(t, want); after.Revision != before.Revision {
		t.Errorf("the revision moved from %s to %s", before.Revision, after.Revision)
	}
	b.Put(t, "confd/a", "2")
	if err := receive(t, "Wait", done); err != nil && !can[Static](b.Server) {
		t.Errorf("Wait: %v", err)
	}
}

func revisionMoves(t *testing.T, b *bench) {
	seen := map[store.Revision]string{b.read(t, holds(nil)).Revision: "empty"}
	step := func(what string, ok func(store.Snapshot) bool) {
		t.Helper()
		one, again := b.read(t, ok), b.read(t, ok)
		if one.Revision != again.Revision {
			t.Fatalf("%s: %q then %q with no write", what, one.Revision, again.Revision)
		}
		if was, ok := seen[one.Revision]; ok {
			t.Fatalf("%s: revision %q already stands for %s", what, one.Revision, was)
		}
		seen[one.Revision] = what
	}
	b.Put(t, "confd/a", "1")
	step("a new key", is("confd/a", "1"))
	b.Put(t, "confd/a", "2")
	step("a new value", is("confd/a", "2"))
	b.Put(t, "confd/b", "2")
	step("a second key", is("confd/b", "2"))
	b.Delete(t, "confd/a")
	step("a key less", lacks("confd/a"))
}

// readBack writes every pair that the server can hold and reads them all.
func (b *bench) readBack(t *testing.T, pairs map[string]string) {
	t.Helper()
	want := map[string]string{}
	for k, v := range pairs {
		if b.takes(k, v) {
			b.Put(t, k, v)
			want[k] = v
		}
	}
	b.read(t, holds(want))
}

func tooLarge(t *testing.T, b *bench) {
	b.Put(t, "confd/good", "1")
	b.Put(t, "confd/huge", strings.Repeat("x", store.MaxValue+1))
	snap := b.read(t, func(s store.Snapshot) bool { return len(s.Entries) == 2 })
	huge, _ := snap.Get("confd/huge")
	if huge.TooLarge != store.MaxValue+1 {
		t.Errorf("TooLarge is %d", huge.TooLarge)
	}
	if good, _ := snap.Get("confd/good"); good.Value != "1" {
		t.Errorf("the other key is %q", good.Value)
	}
	b.Put(t, "confd/huge", "small again")
	b.wait(t, snap.Revision)
	b.read(t, is("confd/huge", "small again"))
}

// noMixture lets a writer count up in two keys, the first one first: at no
// instant is the second ahead, or behind by more than one.
func noMixture(t *testing.T, b *bench) {
	stop := b.count(t, "confd/first", "confd/second")
	defer stop()
	for moved, last := 0, 0; moved < 50; {
		first, second, _ := b.counters(t)
		if first != second && first != second+1 {
			t.Fatalf("a mixture: first is %d, second is %d", first, second)
		}
		if first != last {
			moved++
		}
		last = first
	}
}

// noInvention holds a store that cannot promise one instant to what is left:
// each key shows a value that it had, an older one never after a newer, and in
// the end all show their last.
func noInvention(t *testing.T, b *bench) {
	stop := b.count(t, "confd/first", "confd/second")
	defer stop()
	moved, first, second := 0, 0, 0
	for end := time.Now().Add(interval); moved < 50 && time.Now().Before(end); {
		one, two, ok := b.counters(t)
		if !ok {
			continue
		}
		if one < first || two < second {
			t.Fatalf("back in time: from %d and %d to %d and %d", first, second, one, two)
		}
		if one != first {
			moved++
		}
		first, second = one, two
	}
	last := padded(stop())
	b.read(t, holds(map[string]string{"confd/first": last, "confd/second": last}))
}

// count lets a writer count up in keys, one after the other, until stop, which
// returns the last number.
func (b *bench) count(t *testing.T, keys ...string) (stop func() int) {
	t.Helper()
	for _, key := range keys {
		b.Put(t, key, padded(0))
	}
	b.read(t, is(keys[len(keys)-1], padded(0)))
	ended, last := make(chan struct{}), make(chan int, 1)
	go func() {
		for n := 1; ; n++ {
			select {
			case <-ended:
				last <- n - 1
				return
			default:
			}
			for _, key := range keys {
				b.Server.Put(t, key, padded(n))
			}
			if !b.traits.OneInstant {
				time.Sleep(quiet) // or a store that looks twice would never see the same
			}
		}
	}()
	return sync.OnceValue(func() int { close(ended); return <-last })
}

// padded returns a value that holds n in every one of its lines, so that half of
// one and half of another is seen.
func padded(n int) string { return strings.Repeat(strconv.Itoa(n)+"\n", 512) }

// counters returns what the writer of count has got to. A store that cannot show
// one instant may also say that it finds none while so much changes.
func (b *bench) counters(t *testing.T) (first, second int, ok bool) {
	t.Helper()
	snap, err := b.look(t.Context(), t)
	if !b.traits.OneInstant && isAway(err) {
		return 0, 0, false
	}
	if err != nil {
		t.Fatalf("Read: %v", err)
	}
	for key, n := range map[string]*int{"confd/first": &first, "confd/second": &second} {
		e, _ := snap.Get(key)
		line, _, _ := strings.Cut(e.Value, "\n")
		if *n, err = strconv.Atoi(line); err != nil || e.Value != padded(*n) {
			t.Fatalf("%s shows %.60q, which was never written", key, e.Value)
		}
	}
	return first, second, true
}

func revision(t *testing.T, snap store.Snapshot, key string) store.Revision {
	t.Helper()
	e, ok := snap.Get(key)
	if !ok {
		t.Fatalf("no key %q", key)
	}
	return e.Revision
}
