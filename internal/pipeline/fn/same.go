package fn

import "datakit.dev/internal/point"

// Same reports whether x and y are of one kind and hold the same, lists and maps
// deeply. NaN is not the same as NaN. Values that nest deeper than [MaxDepth]
// are not looked at to their ends, and are not the same.
func Same(x, y point.Value) bool { return same(x, y, 0) }

func same(x, y point.Value, depth int) bool {
	k := x.Kind()
	if k != y.Kind() || depth > MaxDepth {
		return false
	}
	switch k { //nolint:exhaustive // the others hold no values
	case point.List:
		return sameList(x.List(), y.List(), depth)
	case point.Map:
		return sameMap(x.Map(), y.Map(), depth)
	case point.Float:
		return x.Float() == y.Float()
	}
	return x.Equal(y)
}

func sameList(x, y *[]point.Value, depth int) bool {
	if x == y {
		return true
	}
	if len(*x) != len(*y) {
		return false
	}
	for i := range *x {
		if !same((*x)[i], (*y)[i], depth+1) {
			return false
		}
	}
	return true
}

func sameMap(x, y map[string]point.Value, depth int) bool {
	if len(x) != len(y) {
		return false
	}
	for k, v := range x {
		w, ok := y[k]
		if !ok || !same(v, w, depth+1) {
			return false
		}
	}
	return true
}
