package monitor

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"datakit.dev/internal/status"
	journal "datakit.dev/internal/status/changes"
)

// chronicle is the last changes, newest first: those of the agent's own list, and
// what else differs between two looks. Each has an id that stays with it, for the
// row that is picked.
type chronicle struct {
	made    uint64
	seen    []numbered // what differs, newest first
	told    []numbered // by the agent, newest first
	entries []numbered // both
}

type numbered struct {
	id string
	Change
}

// add takes what differs, in the order in which it happened. What the agent tells
// itself, and better, is left out.
func (c *chronicle) add(list []Change) {
	for _, e := range list[max(0, len(list)-maxChanges):] {
		if !c.isTold(e) {
			c.made++
			c.seen = slices.Insert(c.seen, 0, numbered{strconv.FormatUint(c.made, 10), e})
		}
	}
	c.seen = c.seen[:min(len(c.seen), maxChanges)]
	c.merge()
}

// tell takes the agent's own list, oldest first.
func (c *chronicle) tell(list []journal.Entry) {
	c.told = c.told[:0]
	for _, e := range slices.Backward(list[max(0, len(list)-maxChanges):]) {
		if e.Change != nil {
			c.told = append(c.told, numbered{"#" + strconv.FormatUint(e.ID, 10), toldChange(e)})
		}
	}
	c.merge()
}

func (c *chronicle) merge() {
	c.entries = slices.Concat(c.seen, c.told)
	slices.SortStableFunc(c.entries, func(a, b numbered) int { return b.At.Compare(a.At) })
	c.entries = c.entries[:min(len(c.entries), maxChanges)]
}

// toldWithin is how far the time at which the agent did something may be from the
// look that shows it: a poll or two, and the difference of two clocks.
const toldWithin = 15 * time.Second

// isTold reports whether the agent's own list has the change: of the key, or of
// what a key did to the unit or the script. What goes wrong later it has not.
func (c *chronicle) isTold(e Change) bool {
	if e.Bad && e.Kind != kindKey {
		return false
	}
	for _, t := range c.told {
		far := e.At.Sub(t.At)
		if far > toldWithin {
			return false // so are all behind it
		}
		if far >= -toldWithin && t.about(e.Kind, e.Subject) {
			return true
		}
	}
	return false
}

// The kinds of what the agent's own list tells of.
const (
	kindKey    = "key"
	kindUnit   = "unit"
	kindScript = "script"
)

// about reports whether the change, of the agent's own list, tells of a subject.
func (c Change) about(kind, subject string) bool {
	switch {
	case c.own == nil || kind == kindKey:
		return kind == c.Kind && subject == c.Subject
	case kind == kindScript:
		_, name, _ := strings.Cut(subject, ":") // the namespace stands before it
		subject = "script/" + name
	case kind != kindUnit:
		return false
	}
	return slices.ContainsFunc(c.own.Change.Steps, func(s journal.Step) bool { return s.Unit == subject })
}

// toldChange returns an entry of the agent's list as a line.
func toldChange(e journal.Entry) Change {
	c := e.Change
	steps := make([]string, len(c.Steps))
	for i, s := range c.Steps {
		steps[i] = stepText(s)
	}
	return Change{
		At: e.Time.Time, Kind: kindKey, Subject: c.Store + ":" + c.Key, own: &e,
		Text: verdict(c) + because(strings.Join(steps, "; ")) + because(c.Error),
		Bad:  isBadKey(c.State) || slices.ContainsFunc(c.Steps, func(s journal.Step) bool { return s.Error != "" }),
	}
}

// verdict says what became of a key.
func verdict(c *journal.Change) string {
	switch {
	case c.State == journal.Removed:
		return "deleted"
	case c.Was == "":
		return fmt.Sprintf("put, %s", c.State)
	case c.Was != c.State && c.Diff == "":
		return fmt.Sprintf("%s, was %s", c.State, c.Was)
	case c.Diff == "":
		return string(c.State)
	}
	return fmt.Sprintf("changed, %s", c.State)
}

// stepText says what a change did to a unit, and how long that took.
func stepText(s journal.Step) string {
	text := s.Verb + " " + s.Unit
	if s.Nanoseconds > 0 {
		text += " in " + brief(time.Duration(s.Nanoseconds))
	}
	return text + because(s.Error)
}

// brief returns a duration with two digits or three.
func brief(d time.Duration) string {
	for _, unit := range []time.Duration{time.Second, time.Millisecond} {
		if d >= unit {
			return d.Round(unit / 10).String()
		}
	}
	return d.Round(time.Microsecond).String()
}

// toldFacts returns everything of a change of the agent's own list.
func (m *Model) toldFacts(e journal.Entry) []fact {
	c := e.Change
	out := []fact{
		{"when", m.stamp(e.Time.Time), plain},
		{"store", c.Store, plain},
		{"key", c.Key, plain},
		{"what", verdict(c), plain},
		{"state", string(c.State), keyStyle(c.State)},
		{"revision", c.Revision, plain},
		{"generation", exact(c.Generation), plain},
	}
	if c.Error != "" {
		out = append(out, fact{"reason", c.Error, bad})
	}
	if len(c.Steps) > 0 {
		out = append(out, fact{value: "what it did"})
	}
	for _, s := range c.Steps {
		look := plain
		if s.Error != "" {
			look = bad
		}
		out = append(out, fact{s.Verb, strings.TrimPrefix(stepText(s), s.Verb+" "), look})
	}
	if c.Diff != "" {
		out = append(out, fact{value: "difference"})
	}
	for line := range strings.Lines(c.Diff) {
		out = append(out, diffFact(line))
	}
	if c.Cut {
		out = append(out, fact{"…", "there is more than the agent keeps", faint})
	}
	return out
}

// diffFact returns one line of a difference.
func diffFact(line string) fact {
	f := fact{name: " ", value: " " + strings.TrimRight(line, "\n"), style: plain}
	switch line[0] {
	case '+':
		f.style = good
	case '-':
		f.style = bad
	case '@':
		f.style = faint
	}
	return f
}

// untold notes why the agent's own list cannot be shown.
func untold(s status.Status, at time.Time, why string) Change {
	return Change{At: at, Kind: "agent", Subject: s.Hostname, Text: "its own list of changes is not shown, only what differs between two looks: " + why}
}
