package changes_test

import (
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"datakit.dev/internal/status"
	"datakit.dev/internal/status/changes"
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func key(name string) changes.Entry {
	return changes.Entry{Kind: changes.Key, Change: &changes.Change{Store: "etcdv3", Key: name, State: status.Applied}}
}

func unit(name string) changes.Entry {
	return changes.Entry{Kind: changes.Unit, Unit: &changes.UnitState{ID: name, State: status.Failed}}
}

func names(list []changes.Entry) string {
	var out []string
	for _, e := range list {
		if e.Change != nil {
			out = append(out, e.Change.Key)
		} else {
			out = append(out, e.Unit.ID)
		}
	}
	return strings.Join(out, " ")
}

func TestSinceGoesOnWhereAReaderWas(t *testing.T) {
	j := changes.New(start)
	before := j.Last()
	j.Add(start, key("a"), unit("x"), key("b"))
	list, complete, _ := j.Since(before, 10)
	if names(list) != "a x b" || !complete {
		t.Fatalf("got %q, complete %v", names(list), complete)
	}
	list, _, _ = j.Since(before, 2)
	if names(list) != "a x" {
		t.Errorf("the first two are %q", names(list))
	}
	list, complete, more := j.Since(list[1].ID, 10)
	if names(list) != "b" || !complete {
		t.Errorf("behind them is %q, complete %v", names(list), complete)
	}
	if list, _, _ = j.Since(before, 10, changes.Key); names(list) != "a b" {
		t.Errorf("the keys are %q", names(list))
	}
	select {
	case <-more:
		t.Error("told of an entry that did not come")
	default:
	}
	j.Add(start, key("c"))
	<-more
	if got := names(j.Latest(2)); got != "b c" {
		t.Errorf("the latest are %q", got)
	}
}

// IDs of the agent before a restart are not mistaken for ours.
func TestAReaderOfAnotherJournalIsTold(t *testing.T) {
	old := changes.New(start)
	old.Add(start, key("a"), key("b"))
	fresh := changes.New(start.Add(time.Second))
	fresh.Add(start, key("c"))
	if list, complete, _ := fresh.Since(old.Last(), 10); complete || names(list) != "c" {
		t.Errorf("an older ID: complete %v, %q", complete, names(list))
	}
	if list, complete, _ := old.Since(fresh.Last(), 10); complete || names(list) != "a b" {
		t.Errorf("a newer ID: complete %v, %q", complete, names(list))
	}
	if fresh.Last() > 1<<53 {
		t.Errorf("the ID %d is more than a browser counts exactly", fresh.Last())
	}
}

// A flood of one kind pushes out its own kind only, and who missed some is told.
func TestAFloodKeepsTheChanges(t *testing.T) {
	j := changes.New(start)
	first := j.Last()
	j.Add(start, key("a"))
	for range changes.MaxStates + 5 {
		j.Add(start, unit("x"))
	}
	list, complete, _ := j.Since(first, 1<<20)
	if complete || len(list) != changes.MaxStates+1 || list[0].Change == nil {
		t.Errorf("%d entries, complete %v", len(list), complete)
	}
	if _, complete, _ := j.Since(first, 10, changes.Key); !complete {
		t.Error("no change was lost, yet one is missed")
	}
	if _, complete, _ := j.Since(list[1].ID-1, 10); !complete {
		t.Error("a reader that missed nothing is told that it did")
	}
}

// Whatever is added, the journal stays within its bounds and in order.
func TestBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		j := changes.New(start)
		for range rapid.IntRange(1, 20).Draw(t, "adds") {
			e := key(strings.Repeat("k", rapid.IntRange(0, 5000).Draw(t, "key")))
			e.Change.Diff = strings.Repeat("+a line\n", rapid.IntRange(0, 4000).Draw(t, "lines"))
			e.Change.Error = strings.Repeat("é", rapid.IntRange(0, 5000).Draw(t, "error"))
			e.Change.Steps = make([]changes.Step, rapid.IntRange(0, 300).Draw(t, "steps"))
			j.Add(start, e, unit(strings.Repeat("u", rapid.IntRange(0, 5000).Draw(t, "unit"))))
		}
		list, _, _ := j.Since(0, 1<<20)
		text, err := json.Marshal(list)
		if err != nil || len(text) > 20<<20 {
			t.Fatalf("%d bytes, %v", len(text), err)
		}
		for i, e := range list {
			if i > 0 && e.ID <= list[i-1].ID {
				t.Fatalf("ID %d behind %d", e.ID, list[i-1].ID)
			}
			if c := e.Change; c != nil && (len(c.Diff) > 16<<10 || len(c.Error) > 2<<10 || c.Steps == nil || len(c.Steps) > 100 ||
				c.Diff != "" && !strings.HasSuffix(c.Diff, "+a line\n")) {
				t.Fatalf("an entry past its bounds: %d %d %d", len(c.Diff), len(c.Error), len(c.Steps))
			}
		}
	})
}

func TestBytesAreBounded(t *testing.T) {
	j := changes.New(start)
	for range changes.MaxChanges {
		e := key("k")
		e.Change.Diff = strings.Repeat("+a line\n", 2048)
		j.Add(start, e)
	}
	list := j.Latest(changes.MaxChanges)
	if n := len(list); n == changes.MaxChanges || n < 200 {
		t.Errorf("%d entries of 16 KiB are kept", n)
	}
}

// What the caller holds is not changed, and a change of it changes nothing here.
func TestEntriesAreCopies(t *testing.T) {
	j := changes.New(start)
	e := key("k")
	e.Change.Steps = []changes.Step{{Verb: "start", Unit: "input/cpu"}}
	j.Add(start, e)
	e.Change.Key, e.Change.Steps[0].Unit = "other", "other"
	if got := j.Latest(1)[0].Change; got.Key != "k" || got.Steps[0].Unit != "input/cpu" {
		t.Errorf("got %+v", got)
	}
}

func TestReadersAndWritersTogether(t *testing.T) {
	j := changes.New(start)
	at := j.Last()
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 100 {
				j.Add(start, key("k"))
			}
		})
	}
	seen := 0
	for seen < 400 {
		list, complete, more := j.Since(at, 7)
		if !complete {
			t.Fatal("an entry is missing")
		}
		if len(list) == 0 {
			<-more
			continue
		}
		seen, at = seen+len(list), list[len(list)-1].ID
	}
	all.Wait()
}

// Whatever is in the journal, its pages from the newest back make up all of it.
func TestPagesOfOlderChangesMakeUpAll(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		j := changes.New(start)
		want := ""
		for i := range rapid.IntRange(0, 40).Draw(t, "entries") {
			if rapid.Bool().Draw(t, "unit") {
				j.Add(start, unit("x"))
				continue
			}
			name := strings.Repeat("k", i+1)
			j.Add(start, key(name))
			want = strings.TrimSpace(want + " " + name)
		}
		limit := rapid.IntRange(1, 10).Draw(t, "limit")
		got := ""
		for list := j.Latest(limit); len(list) > 0; list = j.Before(list[0].ID, limit) {
			if len(list) > limit {
				t.Fatalf("%d entries, asked for %d", len(list), limit)
			}
			got = strings.TrimSpace(names(list) + " " + got)
		}
		if got != want {
			t.Fatalf("got %q, want %q", got, want)
		}
	})
}

func TestStatesAreTheLastThatAreWanted(t *testing.T) {
	j := changes.New(start)
	j.Add(start, unit("a"), key("k"), unit("b"), unit("a"), changes.Entry{Kind: changes.Generation, Generation: 1}, unit("a"))
	all := func(changes.Entry) bool { return true }
	if got := names(j.States(3, all)); got != "b a a" {
		t.Errorf("the last three are %q", got)
	}
	isA := func(e changes.Entry) bool { return e.Unit.ID == "a" }
	if list := j.States(2, isA); names(list) != "a a" || list[0].ID >= list[1].ID {
		t.Errorf("those of a are %q", names(list))
	}
	if list := j.States(10, func(changes.Entry) bool { return false }); len(list) != 0 {
		t.Errorf("none is wanted, %d come", len(list))
	}
}
