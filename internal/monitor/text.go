package monitor

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"

	"datakit.dev/internal/diag"
)

// maxText bounds one text on its way to the screen: an error of a megabyte is
// measured at every drawing otherwise.
const maxText = 4096

// clean returns s as what a terminal only prints: one line, without escape
// sequences, without what turns the direction of writing, and without the
// joiners that make terminals disagree about how wide a text is.
func clean(s string) string {
	if len(s) <= maxText && isASCII(s) {
		return s
	}
	if len(s) > maxText {
		end := maxText
		for end > 0 && !utf8.RuneStart(s[end]) {
			end--
		}
		s = s[:end] + "…"
	}
	return apart(strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Cf, r), unicode.Is(unicode.Variation_Selector, r), unicode.Is(unicode.Co, r):
			return -1
		case r >= 0x1f3fb && r <= 0x1f3ff: // skin tones
			return -1
		case unicode.Is(unicode.Zl, r), unicode.Is(unicode.Zp, r):
			return ' '
		}
		return r
	}, diag.OneLine(s)))
}

// apart takes off the ends of s what would be drawn over the space before it, or
// takes in the one behind it: a mark without its letter, a letter that only
// begins the next one.
func apart(s string) string {
	for s != "" && width(" "+s) != 1+width(s) {
		_, n := utf8.DecodeRuneInString(s)
		s = s[n:]
	}
	for s != "" && width(s+" ") != 1+width(s) {
		_, n := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-n]
	}
	return s
}

// isASCII reports whether s is nothing but printable ASCII, as nearly all names
// are: then a byte is a cell, and a screen of ten thousand units costs little.
func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// width returns how many cells s takes. Terminals count a cluster of runes in two
// ways, and it is the larger one that must have room.
func width(s string) (cells int) {
	if isASCII(s) {
		return len(s)
	}
	for s != "" {
		n, w := cluster(s)
		s, cells = s[n:], cells+w
	}
	return cells
}

// cluster returns the length of the first character of s, with the marks that
// are drawn over it, and its cells.
func cluster(s string) (length, cells int) {
	if s[0] < utf8.RuneSelf && (len(s) == 1 || s[1] < utf8.RuneSelf) {
		return 1, 1
	}
	c, cells := ansi.FirstGraphemeCluster(s, ansi.GraphemeWidth)
	return len(c), max(cells, ansi.StringWidthWc(c))
}

// cut returns s in at most w cells; where something is missing it ends in "…".
func cut(s string, w int) string {
	if len(s) <= w && isASCII(s) {
		return s
	}
	keep, cells := 0, 0 // what fits with the ellipsis behind it
	for i := 0; i < len(s); {
		n, more := cluster(s[i:])
		if cells += more; cells > w {
			if w <= 0 {
				return ""
			}
			return s[:keep] + "…"
		}
		if i += n; cells < w {
			keep = i
		}
	}
	return s
}

// cutFront is cut, but it is the end that stays: of a key that says most.
func cutFront(s string, w int) string {
	gone := width(s) - w
	if gone <= 0 {
		return s
	}
	for gone++; s != "" && gone > 0; { // one more for the ellipsis
		n, cells := cluster(s)
		s, gone = s[n:], gone-cells
	}
	return cut("…"+s, w)
}

// fill returns s in exactly w cells.
func fill(s string, w int, right bool) string {
	s = cut(s, w)
	space := strings.Repeat(" ", max(0, w-width(s)))
	if right {
		return space + s
	}
	return s + space
}

// wrap returns s in lines of at most w cells, broken behind a space or a slash
// where there is one, else anywhere.
func wrap(s string, w int) (lines []string) {
	from, soft, cells := 0, 0, 0
	for i := 0; i < len(s); {
		n, more := cluster(s[i:])
		if cells+more > w && i > from {
			if soft <= from {
				soft = i
			}
			lines = append(lines, strings.TrimRight(s[from:soft], " "))
			from, i, cells = soft, soft, 0
			continue
		}
		i, cells = i+n, cells+more
		if c := s[i-1]; c == ' ' || c == '/' || c == ',' {
			soft = i
		}
	}
	return append(lines, s[from:])
}

// count returns n in at most five cells.
func count(n uint64) string {
	switch {
	case n < 100_000:
		return strconv.FormatUint(n, 10)
	case n < 10_000_000:
		return fmt.Sprintf("%dk", n/1000)
	case n < 10_000_000_000:
		return fmt.Sprintf("%dM", n/1_000_000)
	case n < 10_000_000_000_000:
		return fmt.Sprintf("%dG", n/1_000_000_000)
	}
	return fmt.Sprintf("%.0e", float64(n))
}

// perSecond returns a rate in at most six cells.
func perSecond(r float64) string {
	switch {
	case r < 0.005:
		return "0"
	case r < 10:
		return fmt.Sprintf("%.2f", r)
	case r < 1000:
		return fmt.Sprintf("%.1f", r)
	case r < 999_500:
		return fmt.Sprintf("%.1fk", r/1000)
	case r < 999.5e6:
		return fmt.Sprintf("%.1fM", r/1e6)
	}
	return fmt.Sprintf("%.0e", r)
}

// age returns d in at most four cells: the largest unit is enough.
func age(d time.Duration) string {
	switch {
	case d < 0:
		return "0s"
	case d < time.Minute:
		return fmt.Sprintf("%ds", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%dm", d/time.Minute)
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", d/time.Hour)
	case d < 1000*24*time.Hour:
		return fmt.Sprintf("%dd", d/(24*time.Hour))
	}
	return fmt.Sprintf("%dy", d/(365*24*time.Hour))
}

// span returns d in its two largest units.
func span(d time.Duration) string {
	switch {
	case d < time.Minute:
		return age(d)
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", d/time.Minute, d/time.Second%60)
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh%02dm", d/time.Hour, d/time.Minute%60)
	}
	return fmt.Sprintf("%dd%02dh", d/(24*time.Hour), d/time.Hour%24)
}

// size returns a number of bytes.
func size(n int) string {
	switch {
	case n < 10_000:
		return fmt.Sprintf("%d B", n)
	case n < 10_000_000:
		return fmt.Sprintf("%d kB", n/1000)
	}
	return fmt.Sprintf("%d MB", n/1_000_000)
}
