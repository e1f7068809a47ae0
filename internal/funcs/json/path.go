package json

import (
	"datakit.dev/internal/pipeline/ast"
	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/pipeline/token"
	"datakit.dev/internal/point"
)

// A step goes from a value to one of its parts: by key, or by index.
type step struct {
	key   string
	index int
	list  bool
}

// pathOf returns the steps that a path in a script spells; false for one that
// leads nowhere, because an index is no number.
func pathOf(x ast.Expr) ([]step, bool) {
	switch x := x.(type) {
	case *ast.Ident:
		return []step{{key: x.Name}}, true
	case *ast.Attr:
		head, ok := pathOf(x.X)
		tail, ok2 := pathOf(x.Sel)
		return append(head, tail...), ok && ok2
	case *ast.Index:
		var steps []step
		if x.Obj != nil {
			steps = append(steps, step{key: x.Obj.Name})
		}
		for _, by := range x.By {
			n, ok := indexOf(by)
			if !ok {
				return nil, false
			}
			steps = append(steps, step{index: n, list: true})
		}
		return steps, true
	}
	return nil, false
}

func indexOf(x ast.Expr) (int, bool) {
	switch x := x.(type) {
	case *ast.IntLit:
		return int(x.Value), true
	case *ast.FloatLit:
		return int(x.Value), true
	case *ast.Unary:
		n, ok := indexOf(x.X)
		if x.Op == token.Sub {
			n = -n
		}
		return n, ok && x.Op != token.Not
	}
	return 0, false
}

// endsInList reports whether the last step of a path is an index.
func endsInList(x ast.Expr) bool {
	if attr, ok := x.(*ast.Attr); ok {
		return endsInList(attr.Sel)
	}
	_, ok := x.(*ast.Index)
	return ok
}

// find goes through a valid text along the path, and leaves the scanner at the
// value that it leads to.
func (sc *scanner) find(path []step) bool {
	for _, st := range path {
		sc.space()
		c := sc.s[sc.i]
		if st.list && c != '[' || !st.list && c != '{' {
			return false
		}
		sc.i++
		if st.list {
			if !sc.findIndex(st.index) {
				return false
			}
		} else if !sc.findKey(st.key) {
			return false
		}
	}
	sc.space()
	return true
}

// findKey goes to the value of a key, the last one where there are several.
func (sc *scanner) findKey(key string) bool {
	found := -1
	for sc.space(); !sc.take('}'); sc.space() {
		sc.take(',')
		sc.space()
		same := sc.isKey(key)
		sc.space()
		sc.take(':')
		if same {
			found = sc.i
		}
		sc.skip()
	}
	if found >= 0 {
		sc.i = found
	}
	return found >= 0
}

// isKey passes over a string and reports whether it says key.
func (sc *scanner) isKey(key string) bool {
	from := sc.i + 1
	sc.skipString()
	raw := sc.s[from : sc.i-1]
	if raw == key {
		return true
	}
	for i := range len(raw) {
		if raw[i] == '\\' {
			return unescape(raw) == key
		}
	}
	return false
}

// findIndex goes to the element n, counted from the end where it is negative.
func (sc *scanner) findIndex(n int) bool {
	if n < 0 {
		here := sc.i
		n += sc.count()
		sc.i = here
	}
	if n < 0 {
		return false
	}
	for sc.space(); !sc.take(']'); sc.space() {
		sc.take(',')
		if n == 0 {
			return true
		}
		n--
		sc.skip()
	}
	return false
}

// count returns how many elements the list has whose bracket was just passed.
func (sc *scanner) count() int {
	n := 0
	for sc.space(); !sc.take(']'); sc.space() {
		sc.take(',')
		sc.skip()
		n++
	}
	return n
}

// skip passes over a value of a valid text.
func (sc *scanner) skip() {
	sc.space()
	depth := 0
	for {
		switch sc.s[sc.i] {
		case '"':
			sc.skipString()
		case '{', '[':
			depth++
			sc.i++
		case '}', ']':
			depth--
			sc.i++
		case ',', ':', ' ', '\t', '\n', '\r':
			sc.i++
			continue
		default:
			for sc.i < len(sc.s) && isScalar(sc.s[sc.i]) {
				sc.i++
			}
		}
		if depth == 0 {
			return
		}
	}
}

// isScalar reports whether c may be part of a number, true, false or null.
func isScalar(c byte) bool {
	return c != ',' && c != '}' && c != ']' && c > ' '
}

// remove deletes what the path leads to from a value that was parsed.
func remove(v point.Value, path []step) {
	for _, st := range path[:len(path)-1] {
		switch {
		case st.list && v.Kind() == point.List:
			list, n := *v.List(), st.index
			if n < 0 {
				n += len(list)
			}
			if n < 0 || n >= len(list) {
				return
			}
			v = list[n]
		case !st.list && v.Kind() == point.Map:
			v = v.Map()[st.key]
		default:
			return
		}
	}
	if last := path[len(path)-1]; !last.list && v.Kind() == point.Map {
		delete(v.Map(), last.key)
	}
}

// check reports whether text is JSON. The last text that was is remembered:
// scripts take one part after the other out of the same message.
func check(r *fn.Run, text string) (bool, error) {
	if r.KnownJSON == text && text != "" {
		return true, r.Step(len(text) / 64)
	}
	if err := r.Step(len(text) / 8); err != nil {
		return false, err
	}
	if !valid(text) {
		return false, nil
	}
	r.KnownJSON = text
	return true, nil
}
