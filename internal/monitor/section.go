package monitor

import (
	"fmt"
	"slices"
	"strings"
)

// section is one table of the screen with what the user made of it.
type section struct {
	name    string
	columns []column
	least   int // rows while another section has the focus
	rows    func(m *Model) []row
	open    func(m *Model, id string) []fact

	filter  string
	sorted  int // a column, or unsorted
	reverse bool

	shown  []row // filtered and sorted
	total  int
	picked int    // of shown
	id     string // of the picked row, which it is found by after a change
	offset int    // the first row on the screen
	height int    // rows on the screen
}

// unsorted is the agent's own order.
const unsorted = -1

// refresh takes the rows of the model's status.
func (s *section) refresh(m *Model) {
	all := s.rows(m)
	s.total = len(all)
	words := strings.Fields(strings.ToLower(s.filter))
	s.shown = slices.DeleteFunc(all, func(r row) bool { return !r.matches(words) })
	if s.sorted != unsorted {
		slices.SortStableFunc(s.shown, func(a, b row) int { return order(a, b, s.sorted, s.columns[s.sorted], s.reverse) })
	} else if s.reverse {
		slices.Reverse(s.shown)
	}
	if i := slices.IndexFunc(s.shown, func(r row) bool { return r.id == s.id }); i >= 0 && s.id != "" {
		s.picked = i
	}
	s.pick(s.picked)
}

// pick moves to row i, or the nearest one that is there.
func (s *section) pick(i int) {
	s.picked = max(0, min(i, len(s.shown)-1))
	s.id = ""
	// The first row is a place, not a choice: what comes in before it is seen.
	if s.picked > 0 && s.picked < len(s.shown) {
		s.id = s.shown[s.picked].id
	}
}

// resort sorts by the column that is by steps away.
func (s *section) resort(by int) {
	n := len(s.columns) + 1 // unsorted is one of them
	s.sorted = (s.sorted+1+by+n)%n - 1
	s.reverse = false
}

// place gives the section height rows, and scrolls to the picked one.
func (s *section) place(height int) {
	s.height = height
	if height <= 0 {
		return
	}
	if s.picked < s.offset {
		s.offset = s.picked
	}
	if s.picked >= s.offset+height {
		s.offset = s.picked - height + 1
	}
	s.offset = max(0, min(s.offset, len(s.shown)-height))
}

// heading returns the title of a column: its own, the section's name in the
// first.
func (s *section) heading(i int) cell {
	text := s.columns[i].title
	if i == 0 {
		text = fmt.Sprintf("%s %d", s.name, s.total)
		if s.filter != "" {
			text = fmt.Sprintf("%s %d/%d", s.name, len(s.shown), s.total)
		}
	}
	if s.sorted == i {
		if s.columns[i].right != s.reverse { // the largest first
			text += "v"
		} else {
			text += "^"
		}
	}
	return cell{text: text, style: title}
}

// draw returns the section on w cells: its title, and rows from offset on. The
// picked row is marked where the section has the focus.
func (s *section) draw(w int, focus bool) screen {
	const mark = 2
	widths := layout(s.columns, s.shown, w-mark)
	head := row{cells: make([]cell, len(s.columns))}
	for i := range s.columns {
		head.cells[i] = s.heading(i)
	}
	lead := "  "
	if focus {
		lead = "* "
	}
	out := screen{append(line{{lead, strong}}, head.line(s.columns, widths)...)}
	for i := s.offset; i < min(s.offset+s.height, len(s.shown)); i++ {
		l := append(line{{"  ", plain}}, s.shown[i].line(s.columns, widths)...)
		if focus && i == s.picked {
			l = pick(l, w)
		}
		out = append(out, l)
	}
	return out
}

// pick marks a row over the whole width.
func pick(l line, w int) line {
	l[0].text = "> "
	l = append(l, piece{strings.Repeat(" ", max(0, w-l.cells())), plain})
	for i := range l {
		l[i].style = picked
	}
	return l
}

// share gives each section its rows of the screen's: first a few to the one
// with the focus, then in turn to the others up to their least, then what is
// left to the one with the focus, and at last to the others. A section whose
// title has no room is left out, which is -1.
func share(all []*section, focus, room int) []int {
	out := make([]int, len(all))
	for i := range out {
		out[i] = -1
	}
	grow := func(i, to int) {
		for room > 0 && out[i] < to {
			out[i]++
			room--
		}
	}
	grow(focus, min(len(all[focus].shown), 4))
	for i, s := range all {
		if s.total > 0 || s.filter != "" {
			grow(i, max(out[i], 0))
		}
	}
	grow(focus, min(len(all[focus].shown), room/2))
	inTurn := func(most func(s *section) int) {
		for more := true; more; {
			more = false
			for i, s := range all {
				if out[i] >= 0 && out[i] < min(most(s), len(s.shown)) && room > 0 {
					grow(i, out[i]+1)
					more = true
				}
			}
		}
	}
	inTurn(func(s *section) int { return s.least })
	grow(focus, len(all[focus].shown))
	inTurn(func(s *section) int { return len(s.shown) })
	return out
}
