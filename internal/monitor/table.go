package monitor

import (
	"cmp"
	"slices"
	"strings"
)

// gap is between two columns.
const gap = 2

// column describes one column of a table.
type column struct {
	title string
	// width is in cells. A column with a most takes what it needs up to that, and
	// more where the screen has room to spare.
	width, most int
	right       bool
	rank        int // what comes first on a narrow screen; the first column is always there
}

// cell is one field of a table.
type cell struct {
	text  string
	style style
	key   float64 // what a number or a time is sorted by
	tail  bool    // where there is no room, the end stays
}

// row is one line of a table; its id stays while its cells change.
type row struct {
	id    string
	cells []cell
}

// matches reports whether every word of the filter is somewhere in the row.
func (r row) matches(words []string) bool {
	if len(words) == 0 {
		return true
	}
	var b strings.Builder
	for _, c := range r.cells {
		b.WriteString(strings.ToLower(c.text))
		b.WriteByte(' ')
	}
	text := b.String()
	return !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(text, w) })
}

// order compares two rows by a column: numbers and times by their size, the
// largest first, texts by the alphabet.
func order(a, b row, col int, c column, reverse bool) int {
	x, y := a.cells[col], b.cells[col]
	n := cmp.Compare(strings.ToLower(x.text), strings.ToLower(y.text))
	if c.right {
		n = cmp.Compare(y.key, x.key)
	}
	if reverse {
		n = -n
	}
	return n
}

// unlimited is the width of text that no screen shows.
const unlimited = 1 << 20

// layout returns how wide each column is on w cells, 0 where it is left out.
func layout(cols []column, rows []row, w int) []int {
	widths, left := make([]int, len(cols)), w
	for _, i := range byRank(cols) {
		need := cols[i].width
		if i == 0 {
			need = min(need, w)
		} else {
			need += gap
		}
		if need > left {
			break // not a lesser one instead: the columns would jump with the width
		}
		widths[i] = cols[i].width
		left -= need
	}
	widths[0] = min(cols[0].width, w)
	// What is left goes to the texts, first up to their most, then without bound.
	for _, bounded := range []bool{true, false} {
		for _, i := range byRank(cols) {
			if c := cols[i]; c.most > 0 && widths[i] > 0 && left > 0 {
				want := natural(i, rows)
				if bounded {
					want = min(want, c.most)
				}
				more := min(left, max(0, want-widths[i]))
				widths[i] += more
				left -= more
			}
		}
	}
	return widths
}

func byRank(cols []column) []int {
	out := make([]int, len(cols))
	for i := range out {
		out[i] = i
	}
	slices.SortStableFunc(out, func(a, b int) int { return cmp.Compare(cols[a].rank, cols[b].rank) })
	return out
}

// maxMeasured bounds the rows that a column is fitted to.
const maxMeasured = 1000

func natural(col int, rows []row) (w int) {
	for _, r := range rows[:min(len(rows), maxMeasured)] {
		w = max(w, width(r.cells[col].text))
	}
	return w
}

// cells returns the cells of r in columns.
func (r row) line(cols []column, widths []int) line {
	var out line
	last := lastShown(widths)
	for i, c := range r.cells {
		if widths[i] == 0 {
			continue
		}
		if len(out) > 0 {
			out = append(out, piece{strings.Repeat(" ", gap), plain})
		}
		if c.tail {
			c.text = cutFront(c.text, widths[i])
		}
		text := fill(c.text, widths[i], cols[i].right)
		if i == last {
			text = strings.TrimRight(text, " ")
		}
		out = append(out, piece{text, c.style})
	}
	return out
}

func lastShown(widths []int) int {
	for i, w := range slices.Backward(widths) {
		if w > 0 {
			return i
		}
	}
	return -1
}
