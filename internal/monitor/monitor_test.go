package monitor

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"datakit.dev/internal/status"
	journal "datakit.dev/internal/status/changes"
)

func TestRateIsThatOfTheLastMinute(t *testing.T) {
	var h history
	s := busy()
	for i := range 200 { // twelve points every ten seconds
		s.Units[0].Points = uint64(i / 10 * 12)
		h.add(s, start().Add(time.Duration(i)*time.Second))
		r, ok := h.rate("unit/" + s.Units[0].ID)
		if i > 60 && (!ok || r < 0.9 || r > 1.5) {
			t.Fatalf("after %d s: %v %v", i, r, ok)
		}
	}
	if n := len(h.samples); n > 15 {
		t.Errorf("%d samples are kept of a minute", n)
	}
	for range 100 {
		s.Units[0].Points += 600
		h.add(s, h.samples[len(h.samples)-1].at.Add(time.Second))
	}
	if r, _ := h.rate("unit/input/cpu"); r != 600 {
		t.Errorf("the minute before still counts: %v", r)
	}
}

func TestCounterThatBeginsAnewHasARateFromThere(t *testing.T) {
	var h history
	s := busy()
	for i, points := range []uint64{1000, 1100, 4, 34} {
		s.Units[0].Points = points
		h.add(s, start().Add(time.Duration(i)*10*time.Second))
	}
	if r, ok := h.rate("unit/input/cpu"); r != 3 || !ok {
		t.Errorf("rate %v %v", r, ok)
	}
	s.StartedAt = after(time.Hour)
	h.add(s, start().Add(time.Hour))
	if _, ok := h.rate("unit/input/cpu"); ok {
		t.Error("one answer of another start has a rate")
	}
	h.add(s, start()) // the clock was set back
	if _, ok := h.rate("unit/input/cpu"); ok {
		t.Error("a rate over no time")
	}
}

// said returns changes as text.
func said(list []Change) (out []string) {
	for _, c := range list {
		mark := ""
		if c.Bad {
			mark = "!"
		}
		out = append(out, mark+c.Kind+" "+c.Subject+": "+c.Text)
	}
	return out
}

func TestChangesTellWhatDiffers(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(s *status.Status)
		want []string
	}{
		{"nothing", func(*status.Status) {}, nil},
		{"counters", func(s *status.Status) { s.Units[0].Points++; s.Units[0].Gathers++; s.Outputs[0].Written++ }, nil},
		{"gone", func(s *status.Status) { s.Units = s.Units[1:] }, []string{"unit input/cpu: stopped"}},
		{"restart", func(s *status.Status) { s.Units[0].Starts++ }, []string{"unit input/cpu: restarted, 2 starts"}},
		{"origin", func(s *status.Status) { s.Units[0].Origin = "default" }, []string{"unit input/cpu: now from default"}},
		{"failure", func(s *status.Status) { s.Units[0].State, s.Units[0].LastError = status.Failed, "boom" }, []string{"!unit input/cpu: failed: boom"}},
		{"recovery", func(s *status.Status) { s.Units[4].State = status.Running }, []string{"unit input/redis: running, was failed"}},
		{"error", func(s *status.Status) { s.Units[0].Errors, s.Units[0].LastError = 1, "no route" }, []string{"!unit input/cpu: no route"}},
		{"same error", func(s *status.Status) { s.Units[4].Errors++ }, nil},
		{"store", func(s *status.Status) { s.Stores[0].State, s.Stores[0].Error = status.Stale, "timeout" }, []string{"!store etcdv3: stale, was watching: timeout"}},
		{"revision", func(s *status.Status) { s.Stores[0].Revision = "43" }, []string{"store etcdv3: revision 43, 6 keys"}},
		{"second store", func(s *status.Status) {
			s.Stores = append(s.Stores, status.Store{Backend: "etcdv3", State: status.Connecting})
		}, []string{"store etcdv3#2: followed, connecting"}},
		{"store gone", func(s *status.Status) { s.Stores = s.Stores[:1] }, []string{"store consul: not followed any more"}},
		{"key", func(s *status.Status) {
			s.Keys[0].Revision, s.Keys[0].State, s.Keys[0].Error = "43", status.Kept, "1:1: bad"
		}, []string{"!key etcdv3:/datakit/confd/cpu: changed, kept: 1:1: bad"}},
		{"key state", func(s *status.Status) { s.Keys[1].State, s.Keys[1].Error = status.Applied, "" }, []string{"key etcdv3:/datakit/confd/cpu-2: applied, was singleton"}},
		{"key gone", func(s *status.Status) { s.Keys = s.Keys[1:] }, []string{"key etcdv3:/datakit/confd/cpu: deleted"}},
		{"script", func(s *status.Status) { s.Scripts[1].State = "active" }, []string{"script default:metric/cpu.p: active, was shadowed"}},
		{"script gone", func(s *status.Status) { s.Scripts = s.Scripts[:1] }, []string{"script default:metric/cpu.p: gone"}},
		{"script origin", func(s *status.Status) { s.Scripts[0].Origin = "b" }, []string{"script confd:logging/应用.p: now from b"}},
		{"output", func(s *status.Status) { s.Outputs[0].LastError = "401" }, []string{"!output dataway: 401"}},
		{"drops", func(s *status.Status) { s.Outputs[0].Dropped = 3 }, []string{"!output dataway: drops points"}},
		{"converged", func(s *status.Status) { s.Converged = true }, []string{"agent web-1: converged, generation 7"}},
		{"agent error", func(s *status.Status) { s.Errors = []string{"no backup"} }, []string{"!agent web-1: no backup"}},
		{"restarted", func(s *status.Status) { s.StartedAt = after(time.Hour) }, []string{"agent web-1: started again, version 1.0.0"}},
	} {
		next := busy()
		c.do(&next)
		if got := said(changes(busy(), next, start())); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestChangesAreBoundedAndTheNewestIsOnTop(t *testing.T) {
	m := watching(t, 80, 24)
	for i := range 600 {
		s := later()
		s.Units[0].Updates += uint64(i + 1)
		m.Take(answer(s, 131*time.Second+time.Duration(i)*time.Second))
	}
	if n := len(m.chronicle.entries); n != maxChanges {
		t.Errorf("%d changes are kept", n)
	}
	press(m, "6")
	if got := m.names(); got[0] < got[1] {
		t.Errorf("not the newest first: %v", got[:3])
	}
}

// The agent's own list tells what a key did, so that the same is not told again
// from what differs; what it does not have is.
func TestOwnChangesOfTheAgentGoFirst(t *testing.T) {
	m := told(t, 120, 40)
	expect(t, m, "changed, applied: update input/cpu in 1.2ms", "put, applied: start input/net in 15ms", "deleted: stop script/metric/mem.p", "failed: dial tcp")
	lack(t, m, "changed in place", "started from etcdv3:/datakit/confd/net")

	a := answer(later(), 131*time.Second)
	a.Changes = ownList()
	a.Status.Units[3].State, a.Status.Units[3].LastError = status.Failed, "boom"
	a.Status.Units[0].Updates++
	m.Take(a)
	expect(t, m, "failed: boom")
	lack(t, m, "changed in place") // it is the same still, seen a poll later
	a.At = a.At.Add(time.Minute)
	a.Status.Units = slices.Clone(a.Status.Units)
	a.Status.Units[0].Updates++
	m.Take(a)
	expect(t, m, "changed in place") // what no key has done
}

func TestAnOpenedChangeStaysWhileOthersCome(t *testing.T) {
	m := told(t, 80, 40)
	press(m, "6 down enter")
	before := m.subject
	a := answer(later(), 131*time.Second)
	list := ownList()
	more := *list[2].Change
	a.Changes = append(list, journal.Entry{ID: 1000, Time: after(131 * time.Second), Kind: journal.Key, Change: &more})
	m.Take(a)
	if m.subject != before || m.gone {
		t.Errorf("%q is open, was %q, gone %v", m.subject, before, m.gone)
	}
	press(m, "esc up")
	if n := len(m.chronicle.told); n != 4 {
		t.Errorf("%d changes are told", n)
	}
}

func TestAUnitShowsWhatItsKeyDid(t *testing.T) {
	m := told(t, 120, 40)
	press(m, "home enter")
	expect(t, m, "unit input/cpu", "update input/cpu in 1.2ms")
	press(m, "esc end enter")
	expect(t, m, "unit input/net", "put, applied: start input/net")
}

// A list that cannot be had is no reason to show nothing; nor to say so each time.
func TestWithoutTheAgentsListWhatDiffersIsShown(t *testing.T) {
	m := NewModel(time.Second)
	m.Resize(200, 40)
	for i, s := range []status.Status{busy(), later(), later()} {
		a := answer(s, 120*time.Second+time.Duration(i)*10*time.Second)
		a.Untold = "the agent on localhost:9529: log in"
		m.Take(a)
	}
	expect(t, m, "its own list of changes is not shown, only what differs between two looks: the agent on localhost:9529: log in", "changed in place")
	if n := strings.Count(m.Text(), "its own list"); n != 1 {
		t.Errorf("told %d times", n)
	}
}

// One poll that has no list leaves the one that was there.
func TestTheAgentsListStaysWhereOnePollHasNone(t *testing.T) {
	m := told(t, 120, 40)
	m.Take(answer(later(), 131*time.Second))
	expect(t, m, "changed, applied: update input/cpu in 1.2ms")
}

func TestSortBeginsWithTheLargestAndKeepsThePick(t *testing.T) {
	m := watching(t, 80, 24)
	press(m, "down") // input/disk
	press(m, "s s s")
	if got := m.names()[0]; got != "input/logging/应用日志" {
		t.Errorf("by rate the first is %s", got)
	}
	if s := m.current(); s.shown[s.picked].id != "input/disk" {
		t.Errorf("picked %s", s.shown[s.picked].id)
	}
	press(m, "r")
	if got := m.names(); got[len(got)-1] != "input/logging/应用日志" {
		t.Errorf("reversed: %v", got)
	}
	press(m, "S S") // back to the first column
	if got := m.names(); !slices.IsSorted(got) {
		t.Errorf("by name: %v", got)
	}
	press(m, "S") // and to the agent's own order
	if got := m.names(); got[0] != "input/cpu" || got[len(got)-1] != "input/net" {
		t.Errorf("unsorted: %v", got)
	}
}

func TestFilterTakesRowsWithEveryWord(t *testing.T) {
	m := watching(t, 80, 24)
	press(m, "/ R U N space d e f a u l t")
	if got := m.names(); len(got) != 3 || got[0] != "input/disk" {
		t.Errorf("rows %v", got)
	}
	press(m, "enter")
	expect(t, m, "UNITS 3/7", "filter: RUN default")
	press(m, "/ ctrl+w 系 esc")
	expect(t, m, "filter: RUN default") // undone
	press(m, "/ ctrl+u 日 志 backspace enter")
	expect(t, m, "UNITS 1/7", "filter: 日")
	press(m, "esc")
	expect(t, m, "UNITS 7 ")
	press(m, "/ n o p e enter enter G up")
	expect(t, m, "UNITS 0/7")
}

func TestTypedFilterTakesTextAndNoKeyNames(t *testing.T) {
	m := watching(t, 80, 24)
	press(m, "/ f5 pgdown ctrl+x q s")
	m.Paste("日志\x1b[31m\n")
	if got := m.current().filter; got != "qs日志�[31m " {
		t.Errorf("filter %q", got)
	}
	m.Paste(strings.Repeat("x", 1000))
	if n := len(m.current().filter); n > maxFilter {
		t.Errorf("a filter of %d", n)
	}
	if press(m, "ctrl+c") != Quit {
		t.Error("ctrl+c does not quit while a filter is typed")
	}
}

func TestOpenedUnitFollowsItsNewsAndStaysWhenItGoes(t *testing.T) {
	m := watching(t, 80, 40)
	press(m, "end enter")
	expect(t, m, "unit input/net", "origin       etcdv3:/datakit/confd/net", "key          applied, revision 44", "started from")
	s := later()
	s.Units[6].LastError, s.Units[6].Errors, s.Units[6].Missed = "接口不存在", 1, 9
	m.Take(answer(s, 131*time.Second))
	expect(t, m, "last error   接口不存在", "missed       9 ticks")
	s.Units = s.Units[:6]
	m.Take(answer(s, 132*time.Second))
	expect(t, m, "gone", "last error   接口不存在")
	press(m, "esc")
	lack(t, m, "> input/net")
}

func TestPauseIsLeftAtOnce(t *testing.T) {
	m := watching(t, 80, 24)
	if e := press(m, "space"); e != None {
		t.Errorf("effect %v", e)
	}
	expect(t, m, "PAUSED 08:02:10")
	if e := press(m, "? space"); e != Resume {
		t.Errorf("effect %v", e)
	}
	lack(t, m, "PAUSED")
}

func TestFocusGoesRoundTheSectionsThatHaveRows(t *testing.T) {
	m := NewModel(time.Second)
	m.Resize(80, 24)
	s := later()
	s.Scripts, s.Keys = nil, nil
	m.Take(answer(s, 130*time.Second))
	var seen []string
	for range 5 {
		seen = append(seen, m.current().name)
		press(m, "tab")
	}
	if want := []string{"UNITS", "OUTPUTS", "CHANGES", "STORES", "UNITS"}; !slices.Equal(seen, want) {
		t.Errorf("focus %v", seen)
	}
	press(m, "1 shift+tab")
	if m.current().name != "CHANGES" {
		t.Errorf("backwards: %s", m.current().name)
	}
}

func TestKeysThatTheTerminalActsOn(t *testing.T) {
	for key, want := range map[string]Effect{"q": Quit, "ctrl+c": Quit, "ctrl+z": Suspend, "ctrl+l": Redraw, "x": None} {
		if got := watching(t, 80, 24).Press(key); got != want {
			t.Errorf("%s: %v", key, got)
		}
	}
	m := watching(t, 80, 24)
	if press(m, "enter q") != None || press(m, "q") != Quit {
		t.Error("q in an opened row does more than leave it, or less in the overview")
	}
}

func TestOnceTellsThatNobodyAnswers(t *testing.T) {
	err := Once(t.Context(), Options{Stdout: io.Discard, Poll: func(context.Context) (Answer, error) { return Answer{}, errAway }})
	if !errors.Is(err, errAway) {
		t.Errorf("error %v", err)
	}
}

func TestNumbersAreShort(t *testing.T) {
	for want, got := range map[string]string{
		"0": perSecond(0), "0.25": perSecond(0.25), "12.0": perSecond(12), "1.2k": perSecond(1234), "48.9k": perSecond(48_900), "3.0M": perSecond(3e6), "1e+12": perSecond(1e12),
		"99999": count(99_999), "123k": count(123_456), "12M": count(12_345_678), "2e+19": count(1<<64 - 1),
		"59s": age(59 * time.Second), "47h": age(47 * time.Hour), "3d": age(72 * time.Hour), "292y": age(1<<63 - 1),
		"1m05s": span(65 * time.Second), "2h03m": span(123 * time.Minute), "2d01h": span(49 * time.Hour), "9999 B": size(9999), "12 kB": size(12_345), "12 MB": size(12_345_678),
	} {
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestCutKeepsWholeCharacters(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{cut("采集器", 6), "采集器"},
		{cut("采集器", 5), "采集…"},
		{cut("采集器", 4), "采…"},
		{cut("采集器", 1), "…"},
		{cut("ab", 0), ""},
		{cut("采集器", -3), ""},
		{cutFront("confd/采集器", 7), "…采集器"},
		{cutFront("/datakit/confd/cpu", 10), "…confd/cpu"},
		{cutFront("cpu", 3), "cpu"},
		{clean("a\x1b[31mb\nc\u202ed👍🏽"), "a�[31mb cd👍"},
		{fill("器", 4, true), "  器"},
		{strings.Join(wrap("etcdv3:/datakit/confd/cpu is bad", 16), "|"), "etcdv3:/datakit/|confd/cpu is bad"},
		{strings.Join(wrap("采集器采集器", 5), "|"), "采集|器采|集器"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}
