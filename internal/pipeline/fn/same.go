package fn

import "datakit.dev/internal/point"

// Same reports whether x and y are of one kind and hold the same, lists and maps
// deeply. NaN is not the same as NaN. Values that nest deeper than [MaxDepth], or
// hold more than can be looked at in a moment, are not the same.
func Same(x, y point.Value) bool {
	c := comparer{left: maxPlain}
	return c.same(x, y, 0)
}

type comparer struct{ left int }

func (c *comparer) same(x, y point.Value, depth int) bool {
	k := x.Kind()
	if c.left--; k != y.Kind() || depth > MaxDepth || c.left < 0 {
		return false
	}
	switch k { //nolint:exhaustive // the others hold no values
	case point.List:
		return c.list(x.List(), y.List(), depth)
	case point.Map:
		return c.maps(x.Map(), y.Map(), depth)
	case point.Float:
		return x.Float() == y.Float()
	}
	return x.Equal(y)
}

func (c *comparer) list(x, y *[]point.Value, depth int) bool {
	if x == y {
		return true
	}
	if len(*x) != len(*y) {
		return false
	}
	for i := range *x {
		if !c.same((*x)[i], (*y)[i], depth+1) {
			return false
		}
	}
	return true
}

func (c *comparer) maps(x, y map[string]point.Value, depth int) bool {
	if len(x) != len(y) {
		return false
	}
	for k, v := range x {
		w, ok := y[k]
		if !ok || !c.same(v, w, depth+1) {
			return false
		}
	}
	return true
}
