package monitor

import "strings"

// style is how a piece of text looks.
type style uint8

const (
	plain style = iota
	strong
	faint
	good
	warn
	bad
	title  // of a table
	picked // the row that enter opens
)

// sgr returns the attributes that a terminal draws the style with. Without
// colours what is bad is bold: it must stand out on any terminal.
func (s style) sgr(color bool) string {
	switch s {
	case strong:
		return "1"
	case faint:
		return "2"
	case title:
		return "1;4"
	case picked:
		return "7"
	case good:
		if color {
			return "32"
		}
	case warn:
		if color {
			return "33"
		}
	case bad:
		if color {
			return "1;31"
		}
		return "1"
	case plain:
	}
	return ""
}

// piece is text of one style.
type piece struct {
	text  string
	style style
}

// line is one line of the screen.
type line []piece

// screen is what is to be seen, from the top.
type screen []line

// fit cuts l to w cells.
func (l line) fit(w int) line {
	var out line
	for _, p := range l {
		p.text = cut(p.text, w)
		if p.text == "" {
			continue
		}
		out = append(out, p)
		if w -= width(p.text); w <= 0 {
			break
		}
	}
	return out
}

// cells returns how wide l is.
func (l line) cells() (w int) {
	for _, p := range l {
		w += width(p.text)
	}
	return w
}

// between returns l and right at the two ends of w cells; where both have no
// room right goes first, as it says what is wrong.
func between(l, right line, w int) line {
	room := w - right.cells() - 1
	if room < 0 {
		return right.fit(w)
	}
	l = l.fit(room)
	return append(append(l, piece{strings.Repeat(" ", room-l.cells()+1), plain}), right...)
}

// fit cuts s to w by h cells.
func (s screen) fit(w, h int) screen {
	s = s[:min(len(s), max(h, 0))]
	out := make(screen, len(s))
	for i, l := range s {
		out[i] = l.fit(w)
	}
	return out
}

// String returns s as plain text.
func (s screen) String() string {
	var b strings.Builder
	for i, l := range s {
		if i > 0 {
			b.WriteByte('\n')
		}
		var text strings.Builder
		for _, p := range l {
			text.WriteString(p.text)
		}
		b.WriteString(strings.TrimRight(text.String(), " "))
	}
	return b.String()
}

// draw returns s with the attributes of its styles.
func (s screen) draw(color bool) string {
	var b strings.Builder
	for i, l := range s {
		if i > 0 {
			b.WriteByte('\n')
		}
		for _, p := range l {
			if a := p.style.sgr(color); a != "" {
				b.WriteString("\x1b[" + a + "m" + p.text + "\x1b[m")
				continue
			}
			b.WriteString(p.text)
		}
	}
	return b.String()
}
