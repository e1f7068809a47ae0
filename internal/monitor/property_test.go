package monitor

import (
	"errors"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/charmbracelet/x/ansi"
	"pgregory.net/rapid"

	"datakit.dev/internal/status"
	journal "datakit.dev/internal/status/changes"
)

// texts are what a hostile or a far-away agent may call things.
func texts() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.String(),
		rapid.SampledFrom([]string{
			"", "input/cpu", "采集器", "👩\u200d👩\u200d👧\u200d👦", "❤️", "é", "\x1b[2J\x1b[31mred", "a\nb\tc", "\xff\xfe", "\u202eevil", "ｆｕｌｌ",
			"\x1b]0;title\x07", "\u0085", "🇨🇳🇩🇪", "한글", "a\u2028b", strings.Repeat("长", 3000), strings.Repeat("\u0301", 50), "\u200b\u00ad",
		}),
	)
}

func times() *rapid.Generator[status.Time] {
	return rapid.Custom(func(t *rapid.T) status.Time {
		if rapid.Bool().Draw(t, "zero") {
			return status.Time{}
		}
		return status.At(time.Unix(rapid.Int64Range(-1e11, 1e11).Draw(t, "seconds"), 0))
	})
}

func listOf[T any](one func(t *rapid.T) T) *rapid.Generator[[]T] {
	return rapid.SliceOfN(rapid.Custom(one), 0, 6)
}

func statuses() *rapid.Generator[status.Status] {
	return rapid.Custom(func(t *rapid.T) status.Status {
		text := func() string { return texts().Draw(t, "text") }
		n := func() uint64 { return rapid.Uint64().Draw(t, "n") }
		return status.Status{
			Version: text(), Hostname: text(), StartedAt: times().Draw(t, "started"), Generation: n(), Converged: rapid.Bool().Draw(t, "converged"),
			Stores: listOf(func(t *rapid.T) status.Store {
				return status.Store{
					Backend: text(), Nodes: []string{text()}, State: status.StoreState(rapid.SampledFrom([]string{"watching", "stale", "held", "polling", "new"}).Draw(t, "state")),
					Revision: text(), ReadAt: times().Draw(t, "read"), Error: text(), Keys: rapid.Int().Draw(t, "keys"),
				}
			}).Draw(t, "stores"),
			Keys: listOf(func(t *rapid.T) status.Key {
				return status.Key{Store: text(), Key: text(), Revision: text(), State: status.KeyState(rapid.SampledFrom([]string{"applied", "kept", text()}).Draw(t, "state")), Error: text()}
			}).Draw(t, "keys"),
			Units: listOf(func(t *rapid.T) status.Unit {
				return status.Unit{
					ID: text(), Kind: text(), Origin: text(), State: status.UnitState(rapid.SampledFrom([]string{"running", "failed", text()}).Draw(t, "state")),
					Since: times().Draw(t, "since"), LastGather: times().Draw(t, "last"), NextGather: times().Draw(t, "next"),
					Starts: n(), Points: n(), Errors: n(), LastError: text(),
				}
			}).Draw(t, "units"),
			Scripts: listOf(func(*rapid.T) status.Script {
				return status.Script{Category: text(), Name: text(), Namespace: text(), Origin: text(), State: text(), Runs: n(), Nanoseconds: n(), Error: text()}
			}).Draw(t, "scripts"),
			Outputs: listOf(func(t *rapid.T) status.Output {
				return status.Output{Name: text(), QueuePoints: rapid.Int().Draw(t, "points"), QueueBytes: rapid.Int().Draw(t, "bytes"), Written: n(), Dropped: n(), LastError: text()}
			}).Draw(t, "outputs"),
			Errors: rapid.SliceOfN(texts(), 0, 3).Draw(t, "errors"),
		}
	})
}

func keys() *rapid.Generator[string] {
	return rapid.OneOf(rapid.SampledFrom([]string{
		"up", "down", "left", "right", "pgup", "pgdown", "home", "end", "g", "G", "j", "k", "enter", "esc", "tab", "shift+tab", "/", "f", "?", "f1", "h",
		"s", "S", "r", "space", "p", "backspace", "ctrl+u", "ctrl+w", "ctrl+l", "ctrl+z", "ctrl+c", "q", "1", "2", "3", "4", "5", "6", "7", "0", "日", "a", "",
	}), rapid.String())
}

// fits checks a screen: as high as the terminal, no line wider, nothing in it
// that steers the terminal.
func fits(t *rapid.T, m *Model) {
	t.Helper()
	text := m.Screen()
	lines := strings.Split(text, "\n")
	if m.h > 0 && len(lines) != m.h {
		t.Fatalf("%d lines on a screen of %d:\n%s", len(lines), m.h, text)
	}
	for _, l := range lines {
		if w := ansi.StringWidthWc(l); w > m.w {
			t.Fatalf("a line of %d cells on a screen of %d: %q", w, m.w, l)
		}
		if w := ansi.StringWidth(l); w > m.w {
			t.Fatalf("a line of %d cells, by graphemes, on a screen of %d: %q", w, m.w, l)
		}
	}
	if i := strings.IndexFunc(text, func(r rune) bool { return r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r)) }); i >= 0 {
		t.Fatalf("the screen holds %q", text[i:min(len(text), i+8)])
	}
	for _, color := range []bool{true, false} {
		drawn := strings.Split(ansi.Strip(m.Draw(color)), "\n")
		for i := range drawn {
			drawn[i] = strings.TrimRight(drawn[i], " ")
		}
		if strings.Join(drawn, "\n") != text {
			t.Fatalf("in colours it reads otherwise:\n%q\n%q", strings.Join(drawn, "\n"), text)
		}
	}
}

// No status, size or order of keys makes a line that is too wide, a control
// character on the screen, or a panic; and the picked row is in sight.
func TestAnyStatusAnySizeAnyKey(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := NewModel(time.Second)
		now := start()
		for range rapid.IntRange(1, 8).Draw(t, "events") {
			switch rapid.IntRange(0, 5).Draw(t, "event") {
			case 0:
				now = now.Add(time.Duration(rapid.Int64Range(-1e10, 1e13).Draw(t, "passed")))
				a := Answer{Status: statuses().Draw(t, "status"), At: now}
				if rapid.Bool().Draw(t, "own changes") {
					a.Changes = []journal.Entry{{ID: 7, Time: status.At(now), Kind: journal.Key, Change: &journal.Change{
						Store: texts().Draw(t, "store"), Key: texts().Draw(t, "key"), Revision: texts().Draw(t, "revision"),
						State: status.KeyState(texts().Draw(t, "state")), Was: status.KeyState(texts().Draw(t, "was")), Error: texts().Draw(t, "error"),
						Diff:  texts().Draw(t, "diff") + "\n\n" + texts().Draw(t, "diff"),
						Steps: []journal.Step{{Verb: texts().Draw(t, "verb"), Unit: texts().Draw(t, "unit"), Nanoseconds: rapid.Int64().Draw(t, "ns"), Error: texts().Draw(t, "error")}},
					}}}
				} else {
					a.Untold = texts().Draw(t, "why")
				}
				m.Take(a)
			case 1:
				m.Resize(rapid.IntRange(-1, 200).Draw(t, "w"), rapid.IntRange(-1, 60).Draw(t, "h"))
			case 2:
				m.Lose(errors.New(texts().Draw(t, "why")), now)
			case 3:
				m.Paste(texts().Draw(t, "pasted"))
			default:
				for _, k := range rapid.SliceOfN(keys(), 1, 5).Draw(t, "keys") {
					m.Press(k)
				}
			}
			fits(t, m)
			inSight(t, m)
		}
		if strings.ContainsRune(m.Text(), '\x1b') {
			t.Fatal("the text holds an escape sequence")
		}
	})
}

func inSight(t *rapid.T, m *Model) {
	t.Helper()
	if m.mode != overview || m.h < 6 || m.w < 2 || len(m.current().shown) == 0 {
		return
	}
	n := 0
	for l := range strings.SplitSeq(m.Screen(), "\n") {
		if strings.HasPrefix(l, "> ") || l == ">" {
			n++
		}
	}
	if n != 1 {
		t.Fatalf("%d rows are picked:\n%s", n, m.Screen())
	}
}

// However the room is shared, no line is lost, and none is given twice.
func TestRoomIsSharedToTheLastLine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all, rows := sections(), 0
		for _, s := range all {
			s.shown = make([]row, rapid.IntRange(0, 40).Draw(t, "rows"))
			s.total = len(s.shown)
			if s.total > 0 {
				rows += s.total + 1
			}
		}
		focus := rapid.IntRange(0, len(all)-1).Draw(t, "focus")
		if all[focus].total == 0 {
			rows++ // its title is there even so
		}
		room, used := rapid.IntRange(1, 200).Draw(t, "room"), 0
		got := share(all, focus, room)
		for i, n := range got {
			used += n + 1
			if n > len(all[i].shown) {
				t.Fatalf("section %d got %d rows, has %d", i, n, len(all[i].shown))
			}
		}
		if used != min(room, rows) {
			t.Fatalf("%d of %d lines are used, %d could be: %v", used, room, rows, got)
		}
		if want := min(all[focus].total, 4, room-1); got[focus] < want {
			t.Fatalf("the focus got %d rows, at least %d were due: %v", got[focus], want, got)
		}
	})
}

// A mark without its letter would be drawn over the space before it.
func TestMarksAtTheEndsJoinNoSpace(t *testing.T) {
	for _, s := range []string{"\U0001D172", "\u0301x", "x\U000111C2", "\u0D4E", "\u0301\u0301"} {
		for _, right := range []bool{true, false} {
			if got := fill(clean(s), 4, right); width(got) != 4 {
				t.Errorf("%q has %d cells", got, width(got))
			}
		}
	}
}

func TestCutFillsExactlyAndWrapLosesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, w := clean(texts().Draw(t, "text")), rapid.IntRange(0, 60).Draw(t, "w")
		if got := fill(s, w, rapid.Bool().Draw(t, "right")); width(got) != w {
			t.Fatalf("%q has %d cells, not %d", got, width(got), w)
		}
		if w < 2 {
			return // a wide character has no room
		}
		letters := func(s string) string { return strings.Join(strings.Fields(s), "") }
		if got := strings.Join(wrap(s, w), ""); letters(got) != letters(s) {
			t.Fatalf("%q became %q", s, got)
		}
	})
}
