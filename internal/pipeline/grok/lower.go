package grok

import (
	"encoding/binary"
	"regexp/syntax"
	"unicode"
	"unicode/utf8"
)

// A lowering makes an expr of a syntax tree.
type lowering struct {
	slots map[int]int         // from a group to where its span goes; others vanish
	sets  map[string]*charset // by their ranges: an IPv6 address has hundreds of equal ones
}

func lower(tree *syntax.Regexp, slots map[int]int) expr {
	l := lowering{slots, map[string]*charset{}}
	return l.lower(tree)
}

func (l lowering) lower(tree *syntax.Regexp) expr {
	switch tree.Op {
	case syntax.OpEmptyMatch:
		return newSequence(nil)
	case syntax.OpLiteral:
		return l.lowerLiteral(tree.Rune, tree.Flags&syntax.FoldCase != 0)
	case syntax.OpCharClass:
		return l.one(tree.Rune...)
	case syntax.OpAnyCharNotNL:
		return l.one(0, '\n'-1, '\n'+1, utf8.MaxRune)
	case syntax.OpAnyChar:
		return l.one(0, utf8.MaxRune)
	case syntax.OpBeginLine, syntax.OpEndLine, syntax.OpBeginText, syntax.OpEndText,
		syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		return newAssertion(tree.Op)
	case syntax.OpCapture:
		return l.lowerCapture(tree)
	case syntax.OpStar, syntax.OpPlus, syntax.OpQuest, syntax.OpRepeat:
		least, most := bounds(tree)
		return newRepetition(l.lowerBody(tree.Sub[0]), least, most, tree.Flags&syntax.NonGreedy != 0)
	case syntax.OpConcat:
		return newSequence(l.lowerAll(tree.Sub))
	case syntax.OpAlternate:
		return newAlternation(l.lowerAll(tree.Sub))
	default: // syntax.OpNoMatch
		return never{}
	}
}

func (l lowering) lowerAll(trees []*syntax.Regexp) []expr {
	exprs := make([]expr, len(trees))
	for i, tree := range trees {
		exprs[i] = l.lower(tree)
	}
	return exprs
}

func (l lowering) lowerCapture(tree *syntax.Regexp) expr {
	body := l.lower(tree.Sub[0])
	if slot, ok := l.slots[tree.Cap]; ok {
		return group{slot, body}
	}
	return body
}

// lowerBody prepares what is repeated: a literal of one character as a set of
// one, so that its repetition is a run.
func (l lowering) lowerBody(tree *syntax.Regexp) expr {
	body := l.lower(tree)
	if text, ok := body.(literal); ok {
		if r, width := utf8.DecodeRuneInString(string(text)); width == len(text) {
			return l.one(r, r)
		}
	}
	return body
}

func bounds(tree *syntax.Regexp) (least, most int) {
	switch tree.Op {
	case syntax.OpStar:
		return 0, unbounded
	case syntax.OpPlus:
		return 1, unbounded
	case syntax.OpQuest:
		return 0, 1
	default: // syntax.OpRepeat
		return tree.Min, tree.Max
	}
}

// lowerLiteral splits a literal where it is no plain run of bytes: at letters
// whose case does not matter, and at U+FFFD, which an invalid byte matches too.
func (l lowering) lowerLiteral(runes []rune, fold bool) expr {
	parts := make([]expr, 0, len(runes))
	for _, r := range runes {
		switch {
		case fold && unicode.SimpleFold(r) != r:
			parts = append(parts, l.one(foldRanges(r)...))
		case r == utf8.RuneError || !utf8.ValidRune(r):
			parts = append(parts, l.one(r, r))
		default:
			parts = append(parts, literal(string(r)))
		}
	}
	return newSequence(parts)
}

// foldRanges returns a letter in all its cases, in ascending order as the
// orbit begins with the smallest: k gives K, k and the Kelvin sign.
func foldRanges(r rune) []rune {
	least := r
	for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
		least = min(least, f)
	}
	ranges := []rune{least, least}
	for f := unicode.SimpleFold(least); f != least; f = unicode.SimpleFold(f) {
		ranges = append(ranges, f, f)
	}
	return ranges
}

// one is a single character of the given ranges, the shortest run.
func (l lowering) one(ranges ...rune) run {
	key := make([]byte, 0, 4*len(ranges))
	for _, r := range ranges {
		key = binary.LittleEndian.AppendUint32(key, uint32(r))
	}
	set, ok := l.sets[string(key)]
	if !ok {
		set = newCharset(ranges)
		l.sets[string(key)] = set
	}
	return run{set: set, min: 1, max: 1}
}
