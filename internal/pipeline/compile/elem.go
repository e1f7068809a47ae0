package compile

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"datakit.dev/internal/pipeline/ast"
	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/pipeline/token"
	"datakit.dev/internal/point"
)

// index compiles name[i][j]. A key that a map does not have gives nil, also
// where more indexes follow.
func (c *compiler) index(x *ast.Index) fn.Eval {
	if x.Obj == nil {
		return func(*fn.Run) (point.Value, error) { return point.NilOf(), fn.Failed(x.At, errPath) }
	}
	get, by := c.lookup(x.Obj.Name), c.evals(x.By)
	return func(r *fn.Run) (point.Value, error) {
		obj, ok := get(r)
		if !ok {
			return obj, fn.Errorf(x.At, "%s is not defined", x.Obj.Name)
		}
		if k := obj.Kind(); k != point.List && k != point.Map {
			return obj, fn.Errorf(x.At, "%s is a %s: only a list or a map has elements", x.Obj.Name, k)
		}
		return find(r, obj, x, by)
	}
}

// find goes down from obj by the indexes.
func find(r *fn.Run, obj point.Value, x *ast.Index, by []fn.Eval) (point.Value, error) {
	for i, eval := range by {
		key, err := eval(r)
		if err != nil {
			return key, err
		}
		switch obj.Kind() {
		case point.Map:
			if key.Kind() != point.String {
				return key, fn.Errorf(x.By[i].Pos(), "the key of a map must be a string, got %s", key.Kind())
			}
			elem, ok := obj.Map()[key.Text()]
			if !ok {
				return point.NilOf(), nil
			}
			obj = elem
		case point.List:
			at, err := position(*obj.List(), key, x.By[i])
			if err != nil {
				return key, err
			}
			obj = (*obj.List())[at]
		default:
			return obj, fn.Errorf(x.By[i].Pos(), "a %s has no elements", obj.Kind())
		}
	}
	return obj, nil
}

// position is the place in list that key names; a negative one counts from the
// end.
func position(list []point.Value, key point.Value, x ast.Expr) (int, error) {
	n, ok := key.AsInt()
	if !ok {
		return 0, fn.Errorf(x.Pos(), "the index of a list must be an integer, got %s", key.Kind())
	}
	size := int64(len(list))
	if n < 0 {
		n += size
	}
	if n < 0 || n >= size {
		return 0, fn.Errorf(x.Pos(), "the index is out of range: the list has %d elements", size)
	}
	return int(n), nil
}

// setElem compiles name[i][j] op= right.
func (c *compiler) setElem(x *ast.Index, s *ast.Assign, right fn.Eval) fn.Eval {
	if x.Obj == nil {
		return func(*fn.Run) (point.Value, error) { return point.NilOf(), fn.Failed(x.At, errPath) }
	}
	get, by := c.lookup(x.Obj.Name), c.evals(x.By)
	apply := arithmetic(s.Op)
	return func(r *fn.Run) (point.Value, error) {
		v, err := right(r)
		if err != nil {
			return v, err
		}
		obj, ok := get(r)
		if !ok {
			return obj, fn.Errorf(x.At, "%s is not defined", x.Obj.Name)
		}
		if s.Op != token.Assign {
			old, err := find(r, obj, x, by)
			if err != nil {
				return old, err
			}
			if v, err = apply(r, old, v); err != nil {
				return v, fn.Failed(s.At, err)
			}
		}
		return v, put(r, obj, x, by, v)
	}
}

// put stores v in obj, in the place that the indexes name.
func put(r *fn.Run, obj point.Value, x *ast.Index, by []fn.Eval, v point.Value) error {
	for i, eval := range by {
		key, err := eval(r)
		if err != nil {
			return err
		}
		last := i == len(by)-1
		switch obj.Kind() {
		case point.Map:
			if key.Kind() != point.String {
				return fn.Errorf(x.By[i].Pos(), "the key of a map must be a string, got %s", key.Kind())
			}
			if last {
				return putKey(r, obj.Map(), key.Text(), v)
			}
			elem, ok := obj.Map()[key.Text()]
			if !ok {
				return fn.Errorf(x.By[i].Pos(), "the map has no key %q", key.Text())
			}
			obj = elem
		case point.List:
			at, err := position(*obj.List(), key, x.By[i])
			if err != nil {
				return err
			}
			if last {
				(*obj.List())[at] = v
				return nil
			}
			obj = (*obj.List())[at]
		default:
			return fn.Errorf(x.By[i].Pos(), "a %s has no elements", obj.Kind())
		}
	}
	return nil
}

func putKey(r *fn.Run, m map[string]point.Value, key string, v point.Value) error {
	if _, ok := m[key]; !ok {
		if err := r.Alloc(fn.EntrySize); err != nil {
			return err
		}
	}
	m[key] = v
	return nil
}

// A body runs the block of a loop for one value.
type body func(*fn.Run, point.Value) (flow, error)

// iterate runs each for each character of a string, key of a map, in order, or
// element of a list, as they were when the loop began.
func iterate(r *fn.Run, v point.Value, each body, pos token.Pos) (flow, error) {
	switch v.Kind() {
	case point.String:
		return characters(r, v.Text(), each)
	case point.Map:
		return keys(r, v.Map(), each)
	case point.List:
		return elements(r, *v.List(), each)
	default:
		return next, fn.Errorf(pos, "cannot loop over a %s: expected a list, a map or a string", v.Kind())
	}
}

func characters(r *fn.Run, text string, each body) (flow, error) {
	for _, char := range text {
		if how, err := each(r, point.StringOf(letter(char))); err != nil || ends(how) {
			return leave(how), err
		}
	}
	return next, nil
}

func keys(r *fn.Run, m map[string]point.Value, each body) (flow, error) {
	if err := r.Alloc(len(m) * fn.ValueSize); err != nil {
		return next, err
	}
	for _, key := range slices.Sorted(maps.Keys(m)) {
		if _, ok := m[key]; !ok {
			continue // deleted since
		}
		if how, err := each(r, point.StringOf(key)); err != nil || ends(how) {
			return leave(how), err
		}
	}
	return next, nil
}

func elements(r *fn.Run, list []point.Value, each body) (flow, error) {
	for i := range list {
		if how, err := each(r, list[i]); err != nil || ends(how) {
			return leave(how), err
		}
	}
	return next, nil
}

func ends(how flow) bool { return how == breaks || how == terminates }

// leave is how the statement that holds the loop goes on.
func leave(how flow) flow {
	if how == breaks {
		return next
	}
	return how
}

const ascii = "\x00\x01\x02\x03\x04\x05\x06\x07\x08\t\n\x0b\x0c\r\x0e\x0f" +
	"\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f" +
	" !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~\x7f"

// letter is r as a string, without an allocation where it is ASCII.
func letter(r rune) string {
	if int(r) < len(ascii) {
		return ascii[r : r+1]
	}
	return string(r)
}

// slice compiles x[low:high:step]. A bound that is nil counts as left out.
func (c *compiler) slice(x *ast.Slice) fn.Eval {
	obj := c.expr(x.X).eval
	low, high, step := c.bound(x.Low, "start"), c.bound(x.High, "end"), c.bound(x.Step, "step")
	return func(r *fn.Run) (point.Value, error) {
		v, err := obj(r)
		if err != nil {
			return v, err
		}
		var b bounds
		if b.low, b.hasLow, err = low(r); err != nil {
			return v, err
		}
		if b.high, b.hasHigh, err = high(r); err != nil {
			return v, err
		}
		by, has, err := step(r)
		if err != nil {
			return v, err
		}
		if b.step = by; !has {
			b.step = 1
		}
		if b.step == 0 {
			return v, fn.Errorf(x.Step.Pos(), "the step of a slice cannot be 0")
		}
		if v, err = cut(r, v, b); err != nil {
			return v, fn.Failed(x.At, err)
		}
		return v, nil
	}
}

type boundEval func(*fn.Run) (n int64, given bool, err error)

func (c *compiler) bound(x ast.Expr, what string) boundEval {
	if x == nil {
		return func(*fn.Run) (int64, bool, error) { return 0, false, nil }
	}
	eval := c.expr(x).eval
	return func(r *fn.Run) (int64, bool, error) {
		v, err := eval(r)
		if err != nil || v.Kind() == point.Nil {
			return 0, false, err
		}
		n, ok := v.AsInt()
		if !ok {
			return 0, false, fn.Errorf(x.Pos(), "the %s of a slice must be an integer, got %s", what, v.Kind())
		}
		return n, true, nil
	}
}

// bounds are those of a slice as the script gives them.
type bounds struct {
	low, high, step int64
	hasLow, hasHigh bool
}

// far is beyond the size of any list or string; bounds are held within it, so
// that no sum of them overflows.
const far = 1 << 40

// resolve returns where to begin, where to stop and by what to go on, for
// something of size elements. Negative bounds count from the end.
func (b bounds) resolve(size int64) (from, to, by int64) {
	by = clamp(b.step)
	from, to = 0, size
	if by < 0 {
		from, to = size-1, -1
	}
	if b.hasLow {
		if from = clamp(b.low); from < 0 {
			from += size
		}
	}
	if b.hasHigh {
		if to = clamp(b.high); to < 0 {
			to += size
		}
	}
	if by > 0 {
		return max(from, 0), min(to, size), by
	}
	return min(from, size-1), max(to, -1), by
}

func clamp(n int64) int64 { return max(-far, min(n, far)) }

// cut returns the part of v within b. A string is cut by bytes, each of which
// becomes a character.
func cut(r *fn.Run, v point.Value, b bounds) (point.Value, error) {
	switch v.Kind() { //nolint:exhaustive // what has parts
	case point.String:
		return cutText(r, v.Text(), b)
	case point.List:
		return cutList(r, *v.List(), b)
	}
	return v, fmt.Errorf("cannot slice a %s: expected a string or a list", v.Kind())
}

func cutText(r *fn.Run, s string, b bounds) (point.Value, error) {
	from, to, by := b.resolve(int64(len(s)))
	var text strings.Builder
	if n := (to - from) / by; n > 0 {
		if err := r.Alloc(2 * int(n)); err != nil {
			return point.NilOf(), err
		}
		if err := r.Step(int(n)); err != nil {
			return point.NilOf(), err
		}
		text.Grow(int(n) + 1)
	}
	for i := from; i >= 0 && i < int64(len(s)) && (by > 0 && i < to || by < 0 && i > to); i += by {
		text.WriteRune(rune(s[i]))
	}
	return point.StringOf(text.String()), nil
}

// cutList refuses bounds that lie the wrong way round, as users of the language
// know it: only an empty part right at a place is taken.
func cutList(r *fn.Run, list []point.Value, b bounds) (point.Value, error) {
	from, to, by := b.resolve(int64(len(list)))
	n := (to - from + by - 1) / by
	if by < 0 {
		n = (from - to - by - 1) / -by
	}
	if n < 0 {
		return point.NilOf(), fmt.Errorf("the slice ends at %d, before it begins at %d", to, from)
	}
	if err := r.Alloc(int(n+1) * fn.ValueSize); err != nil {
		return point.NilOf(), err
	}
	out := make([]point.Value, 0, n)
	for i := from; by > 0 && i < to || by < 0 && i > to; i += by {
		out = append(out, list[i])
	}
	return point.ListOf(&out), nil
}
