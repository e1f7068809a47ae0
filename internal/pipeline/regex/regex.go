// Package regex matches regular expressions of scripts within the time that a
// script has for one point. Package regexp is linear in the text, but the
// factor is the size of the expression, and each of its matches may read the
// text to its end: [a-z]{1,900}x takes half a minute for a megabyte, and so
// does replacing a*b|a.
package regex

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
	"unicode/utf8"
)

// A Clock ends what takes too long.
type Clock interface {
	// Look returns an error when the time is over.
	Look() error
	// Step charges n steps, and returns an error when there are none left.
	Step(n int) error
	// Alloc charges n bytes, and returns an error when there are none left.
	Alloc(n int) error
}

// An Expr is a regular expression. It never changes, and any number of
// goroutines may match with it at once.
type Expr struct {
	re   *regexp.Regexp
	size int // instructions of its program
}

// maxText bounds an expression; those of scripts have some hundred bytes.
const maxText = 16 << 10

// maxShown bounds how much of an expression an error repeats.
const maxShown = 80

// Compile compiles an expression of RE2's syntax.
func Compile(text string) (*Expr, error) {
	if len(text) > maxText {
		return nil, fmt.Errorf("the expression has %d bytes, at most %d", len(text), maxText)
	}
	tree, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		if bad, ok := errors.AsType[*syntax.Error](err); ok && len(bad.Expr) > maxShown {
			bad.Expr = bad.Expr[:maxShown] + "…"
		}
		return nil, err
	}
	program, err := syntax.Compile(tree.Simplify())
	if err != nil {
		return nil, err
	}
	re, err := regexp.Compile(text)
	if err != nil {
		return nil, err
	}
	return &Expr{re, len(program.Inst)}, nil
}

// Of returns an expression that is compiled already, whose program has about
// size instructions.
func Of(re *regexp.Regexp, size int) *Expr { return &Expr{re, size} }

// Literal returns the text that the expression stands for, and whether it
// stands for one alone.
func (e *Expr) Literal() (string, bool) { return e.re.LiteralPrefix() }

// shortWork is the product of instructions and bytes that is done at once: 10 ms
// at worst, and far less mostly.
const shortWork = 1 << 20

// isShort reports whether a search of n bytes need not be watched, after
// charging for it.
func (e *Expr) isShort(n int, clock Clock) (bool, error) {
	if e.size*n <= shortWork {
		return true, clock.Step(n)
	}
	if literal, whole := e.re.LiteralPrefix(); literal != "" { // which package regexp looks for first, much faster
		if !whole {
			n *= e.size
		}
		return true, clock.Step(n)
	}
	return false, clock.Step(n)
}

// Match reports whether s holds a match.
func (e *Expr) Match(s string, clock Clock) (bool, error) {
	short, err := e.isShort(len(s), clock)
	if err != nil {
		return false, err
	}
	if short {
		return e.re.MatchString(s), nil
	}
	w := &watched{text: s, clock: clock}
	found := e.re.MatchReader(w)
	return found && w.err == nil, w.err
}

// FindSubmatch returns the places of the leftmost match and its groups, as
// [regexp.Regexp.FindStringSubmatchIndex] does.
func (e *Expr) FindSubmatch(s string, clock Clock) ([]int, error) {
	short, err := e.isShort(len(s), clock)
	if err != nil {
		return nil, err
	}
	if short {
		return e.re.FindStringSubmatchIndex(s), nil
	}
	w := &watched{text: s, clock: clock}
	found := e.re.FindReaderSubmatchIndex(w)
	if w.err != nil {
		return nil, w.err
	}
	return found, nil
}

// manyBytes is from when on a text is searched under watch where it may match
// often: each match may read it to its end.
const manyBytes = 1 << 10

// matchSize is what package regexp allocates for a match when it lists all.
const matchSize = 96

// each replaces each match in s by with, as it is. The first search is watched
// throughout, the others one by one; each takes bytes of memory.
func (e *Expr) each(s, with string, bytes int, clock Clock) (text string, err error) {
	if found, err := e.Match(s, clock); err != nil || !found {
		return s, err
	}
	if err := clock.Step(e.size * len(s) / 32); err != nil {
		return s, err
	}
	err = stopped(func() {
		text = e.re.ReplaceAllStringFunc(s, func(string) string {
			err := clock.Look()
			if err == nil {
				err = clock.Alloc(bytes)
			}
			if err != nil {
				panic(stop{err})
			}
			return with
		})
	})
	return text, err
}

// isShortForAll is isShort for all matches in s.
func (e *Expr) isShortForAll(s string) bool { return len(s) < manyBytes && e.size*len(s) <= shortWork }

// A stop is how the function that package regexp calls for each match ends it.
type stop struct{ err error }

func stopped(work func()) (err error) {
	defer func() {
		if v := recover(); v != nil {
			s, ok := v.(stop)
			if !ok {
				panic(v)
			}
			err = s.err
		}
	}()
	work()
	return nil
}

// Replace replaces each match in s by a template, in which $1 is the first
// group.
func (e *Expr) Replace(s, with string, clock Clock) (string, error) {
	if e.isShortForAll(s) {
		return e.re.ReplaceAllString(s, with), clock.Step(len(s))
	}
	text, err := e.each(s, with, 0, clock)
	if err != nil || !strings.Contains(with, "$") {
		return text, err
	}
	return e.re.ReplaceAllString(s, with), nil
}

// Split returns the parts of s between the matches, at most n of them; all for
// n < 0.
func (e *Expr) Split(s string, n int, clock Clock) ([]string, error) {
	if e.isShortForAll(s) {
		return e.re.Split(s, n), clock.Step(len(s))
	}
	if _, err := e.each(s, "", matchSize, clock); err != nil {
		return nil, err
	}
	return e.re.Split(s, n), nil
}

// A watched text ends early when the time is over.
type watched struct {
	text  string
	at    int
	until int // the place of the next look at the clock
	clock Clock
	err   error
}

// lookEvery is how many bytes are read between two looks: a program of some
// thousand instructions takes a millisecond for them.
const lookEvery = 64

var errEnd = errors.New("the text has ended")

// ReadRune reads as package regexp does from a string.
func (w *watched) ReadRune() (r rune, size int, err error) {
	if w.at >= w.until {
		if w.err = w.clock.Look(); w.err != nil {
			return 0, 0, w.err
		}
		w.until = w.at + lookEvery
	}
	if w.at >= len(w.text) {
		return 0, 0, errEnd
	}
	if c := w.text[w.at]; c < utf8.RuneSelf {
		w.at++
		return rune(c), 1, nil
	}
	r, size = utf8.DecodeRuneInString(w.text[w.at:])
	w.at += size
	return r, size, nil
}
