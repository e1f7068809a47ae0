package monitor

import (
	"fmt"
	"strings"
	"time"

	"datakit.dev/internal/status"
)

// sections returns the tables of the screen, in order.
func sections() []*section {
	return []*section{storeSection(), keySection(), unitSection(), scriptSection(), outputSection(), changeSection()}
}

// unitsAt is the section that has the focus at the start.
const unitsAt = 2

func text(s string, st style) cell { return cell{text: clean(s), style: st} }

// path is text of which the end says most.
func path(s string) cell { return cell{text: clean(s), tail: true} }

func number(n uint64) cell { return cell{text: count(n), key: float64(n)} }

// number in the style of what should be zero.
func trouble(n uint64) cell {
	c := number(n)
	if n > 0 {
		c.style = bad
	}
	return c
}

// ago is how long before now t was; sorted by, the latest is the first.
func (m *Model) ago(t status.Time) cell {
	if t.IsZero() {
		return cell{text: "-", style: faint}
	}
	return cell{text: age(m.now.Sub(t.Time)), key: float64(t.UnixNano())}
}

// until is how long after now t is; sorted by, the next is the first.
func (m *Model) until(t status.Time) cell {
	switch d := t.Sub(m.now); {
	case t.IsZero():
		return cell{text: "-", style: faint}
	case d <= 0:
		return cell{text: "now", key: -float64(t.UnixNano())}
	default:
		return cell{text: age(d + time.Second - 1), key: -float64(t.UnixNano())}
	}
}

func (m *Model) rate(counter string) cell {
	r, ok := m.history.rate(counter)
	if !ok {
		return cell{text: "-", style: faint, key: -1}
	}
	return cell{text: perSecond(r), key: r}
}

// lag is how far behind its store the agent may be.
func (m *Model) lag(s status.Store) cell {
	switch c := m.ago(s.ReadAt); s.State {
	case status.Watching:
		if m.lost == "" {
			return cell{text: "live", style: good}
		}
		return c
	case status.Polling:
		return c
	case status.Connecting, status.Disabled:
		return cell{text: "-", style: faint}
	default:
		c.style = storeStyle(s.State)
		return c
	}
}

func storeSection() *section {
	return &section{
		name: "STORES", least: 3, sorted: unsorted, open: storeFacts,
		columns: []column{
			{width: 12, most: 18},
			{title: "STATE", width: 10, rank: 1},
			{title: "KEYS", width: 6, right: true, rank: 3},
			{title: "LAG", width: 5, right: true, rank: 2},
			{title: "READ", width: 5, right: true, rank: 5},
			{title: "REVISION", width: 8, most: 16, rank: 6},
			{title: "NODES OR ERROR", width: 14, most: 60, rank: 4},
		},
		rows: func(m *Model) []row {
			var out []row
			for _, s := range stores(m.answer.Status) {
				last := text(strings.Join(s.Nodes, ","), plain)
				if s.Error != "" {
					last = text(s.Error, storeStyle(s.State))
				}
				out = append(out, row{s.id, []cell{
					text(s.id, plain), text(string(s.State), storeStyle(s.State)), number(uint64(max(0, s.Keys))),
					m.lag(s.Store), m.ago(s.ReadAt), text(s.Revision, plain), last,
				}})
			}
			return out
		},
	}
}

// keySection has the keys that are not simply applied: the others are the origin
// of a unit or a script.
func keySection() *section {
	return &section{
		name: "KEYS NOT APPLIED", least: 3, sorted: unsorted, open: keyFacts,
		columns: []column{
			{width: 22, most: 44},
			{title: "STATE", width: 10, rank: 1},
			{title: "REASON", width: 14, most: 80, rank: 2},
		},
		rows: func(m *Model) []row {
			var out []row
			for _, k := range m.answer.Status.Keys {
				if k.State != status.Applied || k.Error != "" {
					out = append(out, row{keyID(k), []cell{path(keyID(k)), text(string(k.State), keyStyle(k.State)), text(k.Error, plain)}})
				}
			}
			return out
		},
	}
}

func unitSection() *section {
	return &section{
		name: "UNITS", least: 8, sorted: unsorted, open: unitFacts,
		columns: []column{
			{width: 16, most: 32},
			{title: "STATE", width: 8, rank: 1},
			{title: "PTS/S", width: 7, right: true, rank: 2},
			{title: "ERRORS", width: 7, right: true, rank: 3},
			{title: "LAST", width: 5, right: true, rank: 4},
			{title: "NEXT", width: 5, right: true, rank: 5},
			{title: "POINTS", width: 7, right: true, rank: 8},
			{title: "SINCE", width: 6, right: true, rank: 9},
			{title: "ORIGIN", width: 10, most: 40, rank: 6},
			{title: "LAST ERROR", width: 16, most: 60, rank: 7},
		},
		rows: func(m *Model) []row {
			units := m.answer.Status.Units
			out := make([]row, len(units))
			for i, u := range units {
				out[i] = row{u.ID, []cell{
					text(u.ID, plain), text(string(u.State), unitStyle(u.State)), m.rate("unit/" + u.ID), trouble(u.Errors),
					m.ago(u.LastGather), m.until(u.NextGather), number(u.Points), m.ago(u.Since), path(u.Origin), text(u.LastError, bad),
				}}
			}
			return out
		},
	}
}

func scriptSection() *section {
	return &section{
		name: "SCRIPTS", least: 3, sorted: unsorted, open: scriptFacts,
		columns: []column{
			{width: 20, most: 36},
			{title: "STATE", width: 8, rank: 1},
			{title: "RUNS/S", width: 7, right: true, rank: 2},
			{title: "ERRORS", width: 7, right: true, rank: 3},
			{title: "DROPS", width: 7, right: true, rank: 6},
			{title: "US/RUN", width: 7, right: true, rank: 5},
			{title: "ORIGIN OR ERROR", width: 12, most: 60, rank: 4},
		},
		rows: func(m *Model) []row {
			var out []row
			for _, s := range m.answer.Status.Scripts {
				last := path(s.Origin)
				if s.Error != "" {
					last = text(s.Error, bad)
				}
				out = append(out, row{scriptID(s), []cell{
					text(scriptID(s), plain), text(s.State, scriptStyle(s.State)), m.rate("script/" + scriptID(s)), trouble(s.Errors), number(s.Drops),
					perRun(s), last,
				}})
			}
			return out
		},
	}
}

// perRun is the time that one run of a script takes, in microseconds.
func perRun(s status.Script) cell {
	if s.Runs == 0 {
		return cell{text: "-", style: faint}
	}
	us := float64(s.Nanoseconds) / float64(s.Runs) / 1000
	return cell{text: perSecond(us), key: us}
}

func outputSection() *section {
	return &section{
		name: "OUTPUTS", least: 2, sorted: unsorted, open: outputFacts,
		columns: []column{
			{width: 12, most: 24},
			{title: "PTS/S", width: 7, right: true, rank: 1},
			{title: "QUEUE", width: 7, right: true, rank: 2},
			{title: "BYTES", width: 8, right: true, rank: 4},
			{title: "WRITTEN", width: 7, right: true, rank: 5},
			{title: "DROPPED", width: 7, right: true, rank: 3},
			{title: "RETRIES", width: 7, right: true, rank: 6},
			{title: "LAST ERROR", width: 10, most: 60, rank: 7},
		},
		rows: func(m *Model) []row {
			var out []row
			for _, o := range m.answer.Status.Outputs {
				queued := max(0, o.QueuePoints)
				out = append(out, row{o.Name, []cell{
					text(o.Name, plain), m.rate("output/" + o.Name), number(uint64(queued)),
					{text: size(max(0, o.QueueBytes)), key: float64(o.QueueBytes)},
					number(o.Written), trouble(o.Dropped), number(o.Retries), text(o.LastError, bad),
				}})
			}
			return out
		},
	}
}

func changeSection() *section {
	return &section{
		name: "CHANGES", least: 4, sorted: unsorted, open: changeFacts,
		columns: []column{
			{width: 10, most: 12},
			{title: "KIND", width: 6, rank: 3},
			{title: "NAME", width: 12, most: 36, rank: 2},
			{title: "WHAT", width: 14, most: 80, rank: 1},
		},
		rows: func(m *Model) []row {
			var out []row
			for _, c := range m.chronicle.entries {
				look := plain
				if c.Bad {
					look = bad
				}
				out = append(out, row{c.id, []cell{
					{text: m.clock(c.At)}, text(c.Kind, plain), path(c.Subject), text(c.Text, look),
				}})
			}
			return out
		},
	}
}

// clock returns the time of t, with its day where that is not today.
func (m *Model) clock(t time.Time) string {
	t = t.UTC()
	if y, d := t.Year(), t.YearDay(); y == m.now.UTC().Year() && d == m.now.UTC().YearDay() {
		return t.Format(time.TimeOnly)
	}
	return t.Format("Jan 02 15:04")
}

// stamp returns t in full, and how long ago it was.
func (m *Model) stamp(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	d := m.now.Sub(t)
	if d < 0 {
		return fmt.Sprintf("%s, in %s", t.UTC().Format(time.RFC3339), span(-d+time.Second-1))
	}
	return fmt.Sprintf("%s, %s ago", t.UTC().Format(time.RFC3339), span(d))
}
