package json

import (
	"datakit.dev/internal/pipeline/ast"
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
