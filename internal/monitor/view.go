package monitor

import (
	"fmt"
	"strings"
	"time"

	"datakit.dev/internal/status"
)

// Screen returns what is to be seen: at most as many lines as the screen has,
// none wider than it.
func (m *Model) Screen() string { return m.screen().String() }

// Draw returns the screen with the attributes of a terminal.
func (m *Model) Draw(color bool) string { return m.screen().draw(color) }

func (m *Model) screen() screen {
	out := m.head()
	foot := m.foot()
	room := max(0, m.h-len(out)-len(foot))
	switch m.mode {
	case opened, help:
		lines := m.pageLines()
		from := max(0, min(m.scroll, len(lines)-room))
		out = append(out, lines[from:min(len(lines), from+room)]...)
	case overview, typing:
		for i, s := range m.sections {
			if s.height >= 0 {
				out = append(out, s.draw(m.w, i == m.focus)...)
			}
		}
	}
	for len(out) < m.h-len(foot) {
		out = append(out, nil)
	}
	return append(out[:max(0, m.h-len(foot))], foot...).fit(m.w, m.h)
}

// head is the lines on top: who this is, how much it does, and what is wrong.
func (m *Model) head() screen {
	if !m.answered {
		return screen{line{{"datakit monitor", strong}}, line{{"no answer yet" + because(m.lost), bad}}}
	}
	s := m.answer.Status
	verdict := piece{"converged", good}
	switch {
	case m.lost != "":
		verdict = piece{"NO ANSWER", bad}
	case !s.Converged:
		verdict = piece{"NOT CONVERGED", bad}
	}
	who := fmt.Sprintf("  %s  up %s  generation %d", clean(s.Hostname), span(m.now.Sub(s.StartedAt.Time)), s.Generation)
	out := screen{
		between(line{{"datakit " + clean(s.Version), strong}, {who, plain}}, line{verdict}, m.w),
		between(m.totals(), line{m.pulse()}, m.w),
	}
	if wrong := m.wrong(); len(wrong) > 0 && m.h >= 8 {
		text := "! " + wrong[0]
		if n := len(wrong) - 1; n > 0 {
			more := fmt.Sprintf("  +%d more", n)
			text = cut(text, m.w-width(more)) + more
		}
		out = append(out, line{{text, bad}})
	}
	return out
}

// totals is the line about everything together.
func (m *Model) totals() line {
	var queued int
	var errors, dropped uint64
	for _, u := range m.answer.Status.Units {
		errors += u.Errors
	}
	for _, o := range m.answer.Status.Outputs {
		queued += max(0, o.QueuePoints)
		dropped += o.Dropped
	}
	l := line{
		{m.rate("").text + " points/s  ", strong},
		{fmt.Sprintf("%d units  %s errors  %s queued", len(m.answer.Status.Units), count(errors), count(uint64(queued))), plain},
	}
	if dropped > 0 {
		l = append(l, piece{fmt.Sprintf("  %s dropped", count(dropped)), bad})
	}
	return l
}

// pulse says how fresh the screen is.
func (m *Model) pulse() piece {
	switch {
	case m.paused:
		return piece{"PAUSED " + m.answer.At.UTC().Format(time.TimeOnly), warn}
	case m.lost != "":
		return piece{"last answer " + age(m.now.Sub(m.answer.At)) + " ago", warn}
	}
	return piece{m.answer.At.UTC().Format(time.TimeOnly) + " every " + m.every.String(), faint}
}

// wrong is what is wrong, the worst first.
func (m *Model) wrong() []string {
	var out []string
	if m.lost != "" {
		out = append(out, m.lost)
	}
	s := m.answer.Status
	for _, e := range s.Errors {
		out = append(out, clean(e))
	}
	for _, st := range stores(s) {
		if isBadStore(st.State) || st.State == status.Held {
			out = append(out, clean(fmt.Sprintf("%s %s%s", st.id, st.State, because(st.Error))))
		}
	}
	for _, u := range s.Units {
		if u.State == status.Failed {
			out = append(out, clean(fmt.Sprintf("%s failed%s", u.ID, because(u.LastError))))
		}
	}
	for _, k := range s.Keys {
		if isBadKey(k.State) {
			out = append(out, clean(fmt.Sprintf("%s %s%s", k.Key, k.State, because(k.Error))))
		}
	}
	return out
}

// foot is the line at the bottom: the filter while it is typed, or the keys.
func (m *Model) foot() screen {
	if m.h < 3 {
		return nil
	}
	switch s := m.current(); m.mode {
	case typing:
		const rest = "_  enter: keep  esc: undo"
		shown := s.filter
		for width(shown) > max(0, m.w-len(rest)-1) && shown != "" {
			shown = shown[len(string([]rune(shown)[0])):] // the end is what is typed at
		}
		return screen{line{{"/" + shown, strong}, {rest, faint}}}
	case opened, help:
		return screen{line{{"esc back  up/down scroll  space pause  ctrl+c quit", faint}}}
	case overview:
		keys := "q quit  ? help  tab section  enter open  s sort  / filter  space pause"
		if s.filter != "" {
			keys = "filter: " + s.filter + "  (esc clears)  " + keys
		}
		return screen{line{{keys, faint}}}
	}
	return nil
}

// pageLines is all of the page that fills the screen.
func (m *Model) pageLines() screen {
	if m.mode == help {
		return m.helpLines()
	}
	name := strings.ToLower(m.current().name)
	first := line{{strings.TrimSuffix(strings.TrimSuffix(name, " not applied"), "s") + " ", faint}, {clean(m.subject), strong}}
	if m.gone {
		first = append(first, piece{"  (gone: this is the last that was seen)", warn})
	}
	return append(screen{first}, factLines(m.facts, m.w)...)
}

// factLines returns facts in two columns, the second one wrapped.
func factLines(facts []fact, w int) screen {
	lead := 0
	for _, f := range facts {
		lead = max(lead, width(f.name))
	}
	lead = min(lead, 16, max(0, w/2))
	var out screen
	for _, f := range facts {
		if f.name == "" {
			out = append(out, nil, line{{f.value, title}})
			continue
		}
		value := clean(f.value)
		if value == "" {
			value = "-"
		}
		name := fill(f.name, lead, false)
		for _, part := range wrap(value, max(1, w-lead-3)) {
			out = append(out, line{{" " + name + "  ", faint}, {part, f.style}})
			name = strings.Repeat(" ", lead)
		}
	}
	return out
}

func (m *Model) helpLines() screen {
	return append(screen{line{{"help", strong}}}, factLines([]fact{
		{"tab, 1-6", "the next section, or the one with that number: stores, keys not applied, units, scripts, outputs, changes", plain},
		{"up, down", "pick a row; also k j, page up and down, home g, end G", plain},
		{"enter", "open the picked row: origin, times, counters, the last error in full", plain},
		{"/", "filter the section: every word has to be somewhere in the row; esc clears it", plain},
		{"s, S", "sort by the next column, or the one before; numbers begin with the largest", plain},
		{"r", "reverse the order", plain},
		{"space", "pause, and go on; the screen stands still meanwhile", plain},
		{"ctrl+l", "draw the screen anew", plain},
		{"q, ctrl+c", "quit", plain},
		{value: "columns"},
		{"PTS/S", "points a second, over the last minute or since the monitor began", plain},
		{"LAST, NEXT", "how long ago the unit gathered, and in how long it does again; - where it paces itself", plain},
		{"LAG", "live: the store tells of changes; else the age of the last complete read", plain},
		{"READ", "the age of the last complete read, also of a store that tells of changes", plain},
		{"QUEUE", "points that wait for the output", plain},
		{"US/RUN", "microseconds that one run of the script takes", plain},
	}, m.w)...)
}

// Text returns everything as plain text, as wide and as long as it is.
func (m *Model) Text() string {
	m.Resize(unlimited, unlimited)
	out := screen{
		line{{fmt.Sprintf("datakit %s on %s, generation %d, up %s", clean(m.answer.Status.Version), clean(m.answer.Status.Hostname), m.answer.Status.Generation, span(m.now.Sub(m.answer.Status.StartedAt.Time))), plain}},
		m.totals(),
	}
	if m.answer.Status.Converged {
		out = append(out, line{{"converged: what runs is what is asked for", plain}})
	} else {
		out = append(out, line{{"NOT converged: what runs is not all that is asked for", plain}})
	}
	for _, w := range m.wrong() {
		out = append(out, line{{"! " + w, plain}})
	}
	for _, s := range m.sections {
		if s.total == 0 {
			continue
		}
		out = append(out, nil)
		for _, l := range s.draw(unlimited, false) {
			out = append(out, l[1:]) // without the mark
		}
	}
	return out.String() + "\n"
}
