package storetest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"

	"datakit.dev/internal/store"
)

var readCases = []testCase{
	{"an empty root reads as an empty snapshot", nil, func(t *testing.T, b *bench) {
		b.read(t, holds(nil))
	}},
	{"a read shows every key with its value", nil, func(t *testing.T, b *bench) {
		want := map[string]string{"confd/cpu": "[[inputs.cpu]]\n", "confd/mem": "[[inputs.mem]]\n", "pipeline/metric/cpu.p": "x = 1\n"}
		for k, v := range want {
			b.Put(t, k, v)
		}
		b.read(t, holds(want))
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
	{"keys beside the root are not ours", func(_ store.Traits, srv Server) bool {
		_, ok := srv.(Neighbour)
		return ok
	}, func(t *testing.T, b *bench) {
		b.Put(t, "confd/a", "1")
		before := b.read(t, holds(map[string]string{"confd/a": "1"}))
		done := b.background(t.Context(), before.Revision)
		b.Server.(Neighbour).PutBeside(t, "confd/b", "2")
		stays(t, "Wait", done)
		if after := b.read(t, holds(map[string]string{"confd/a": "1"})); after.Revision != before.Revision {
			t.Errorf("the revision moved from %s to %s", before.Revision, after.Revision)
		}
		b.Put(t, "confd/a", "2")
		if err := receive(t, "Wait", done); err != nil {
			t.Errorf("Wait: %v", err)
		}
	}},
	{"odd keys are read as they are", nil, func(t *testing.T, b *bench) {
		b.readBack(t, map[string]string{
			"confd/ünïcödé 名前": "1", "confd/with space": "2", "confd/100%": "3", "confd/%2e%2e": "4", "confd/a+b&c=d?e#f": "5",
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
	{"no read mixes two states of the tree", func(traits store.Traits, _ Server) bool { return traits.OneInstant }, noMixture},
	{"a cancelled read returns", nil, func(t *testing.T, b *bench) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := b.st.Read(ctx); !errors.Is(err, context.Canceled) {
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
	b.Put(t, "confd/first", "0")
	b.Put(t, "confd/second", "0")
	b.read(t, is("confd/second", "0"))
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for n := 1; ; n++ {
			select {
			case <-stop:
				return
			default:
			}
			b.Put(t, "confd/first", strconv.Itoa(n))
			b.Put(t, "confd/second", strconv.Itoa(n))
		}
	}()
	defer func() { close(stop); <-done }()
	for moved, last := 0, ""; moved < 50; {
		snap, err := b.st.Read(t.Context())
		if err != nil {
			t.Fatalf("Read: %v", err)
		}
		var first, second int
		one, _ := snap.Get("confd/first")
		two, _ := snap.Get("confd/second")
		if _, err := fmt.Sscan(one.Value+" "+two.Value, &first, &second); err != nil {
			t.Fatal(err)
		}
		if first != second && first != second+1 {
			t.Fatalf("a mixture: first is %d, second is %d", first, second)
		}
		if one.Value != last {
			moved++
		}
		last = one.Value
	}
}

func revision(t *testing.T, snap store.Snapshot, key string) store.Revision {
	t.Helper()
	e, ok := snap.Get(key)
	if !ok {
		t.Fatalf("no key %q", key)
	}
	return e.Revision
}
