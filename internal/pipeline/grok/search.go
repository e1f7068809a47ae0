package grok

import (
	"regexp/syntax"
	"strings"
	"sync"
	"unicode/utf8"
)

// A verdict is how a search ended.
type verdict uint8

const (
	noMatch verdict = iota
	match
	// gaveUp means that the budget ended first, and nothing is known.
	gaveUp
)

// A search finds the leftmost match in a text.
type search struct {
	root     node
	slots    int
	anchored bool                 // only the begin of the text can match
	prefix   string               // what every match begins with
	first    *[endOfText + 1]bool // the symbols that a match can begin with
	filter   prefilter
	patience int // of its machines
	machines sync.Pool
}

// newSearch returns nil for a tree that only package regexp can match.
func newSearch(tree *syntax.Regexp, slots map[int]int) *search {
	e := lower(tree, slots)
	b := newBuilder()
	root := buildRoot(b, e)
	if b.unsupported || b.nodes > maxNodes {
		return nil
	}
	s := &search{
		root:     root,
		slots:    len(slots),
		anchored: e.anchored(),
		prefix:   leading(e),
		first:    e.outlooks().before(anything())[afterAny].table(),
		filter:   newPrefilter(e),
		patience: rememberAfter,
	}
	s.machines.New = func() any {
		return &machine{spans: make([]Span, s.slots), memories: memories{slots: b.memos}}
	}
	return s
}

// leading returns the literal that an expression begins with.
func leading(e expr) string {
	switch e := e.(type) {
	case literal:
		return string(e)
	case group:
		return leading(e.body)
	case sequence:
		if len(e.parts) > 0 {
			return leading(e.parts[0])
		}
	}
	return ""
}

// find searches text and appends the spans of a match to dst.
func (s *search) find(text string, dst []Span) ([]Span, verdict) {
	if !s.filter.admits(text) {
		return dst, noMatch
	}
	m := s.machines.Get().(*machine)
	m.begin(text)
	m.patience = s.patience
	found := s.run(m)
	if found == match {
		dst = append(dst, m.spans...)
	}
	m.text = "" // A machine that waits must not keep a text alive.
	s.machines.Put(m)
	return dst, found
}

func (s *search) run(m *machine) verdict {
	for at := s.candidate(m.text, 0); at >= 0; at = s.candidate(m.text, stepOver(m.text, at)) {
		if s.root.match(m, at) {
			return match
		}
		if !m.spend(1) {
			return gaveUp
		}
	}
	return noMatch
}

// candidate returns the first position from which a match can start, or -1.
func (s *search) candidate(text string, at int) int {
	switch {
	case at > len(text) || s.anchored && at > 0:
		return -1
	case s.prefix != "":
		if i := strings.Index(text[at:], s.prefix); i >= 0 {
			return at + i
		}
		return -1
	}
	first := s.first
	for at < len(text) {
		b := text[at]
		switch {
		case first[b]:
			return at
		case b < utf8.RuneSelf:
			at++
		default:
			at = stepOver(text, at)
		}
	}
	if first[endOfText] {
		return at
	}
	return -1
}
