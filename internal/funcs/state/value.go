package state

import (
	"strings"

	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/point"
)

// duplicate returns a copy of v that shares nothing with it. Lists and maps are
// references: without a copy one point would change what another, on another
// goroutine, is reading. A string is copied too, as it may be a small part of a
// large message. What nests too deeply is nil.
func duplicate(r *fn.Run, v point.Value) (point.Value, error) { return duplicateAt(r, v, 0) }

func duplicateAt(r *fn.Run, v point.Value, depth int) (point.Value, error) {
	if depth > fn.MaxDepth {
		return point.NilOf(), nil
	}
	switch v.Kind() { //nolint:exhaustive // the others share nothing
	case point.String:
		if err := r.Alloc(len(v.Text())); err != nil {
			return v, err
		}
		return point.StringOf(strings.Clone(v.Text())), nil
	case point.List:
		return duplicateList(r, *v.List(), depth)
	case point.Map:
		return duplicateMap(r, v.Map(), depth)
	}
	return v, nil
}

func duplicateList(r *fn.Run, list []point.Value, depth int) (point.Value, error) {
	if err := r.Alloc((len(list) + 1) * fn.ValueSize); err != nil {
		return point.NilOf(), err
	}
	out := make([]point.Value, len(list))
	for i, e := range list {
		var err error
		if out[i], err = duplicateAt(r, e, depth+1); err != nil {
			return e, err
		}
	}
	return point.ListOf(&out), nil
}

func duplicateMap(r *fn.Run, m map[string]point.Value, depth int) (point.Value, error) {
	if err := r.Alloc((len(m) + 1) * fn.EntrySize); err != nil {
		return point.NilOf(), err
	}
	out := make(map[string]point.Value, len(m))
	for k, e := range m {
		v, err := duplicateAt(r, e, depth+1)
		if err != nil {
			return v, err
		}
		out[strings.Clone(k)] = v
	}
	return point.MapOf(out), nil
}

// size returns about how many bytes v takes: of a duplicate, which is a tree.
func size(v point.Value) int {
	n := fn.ValueSize
	switch v.Kind() { //nolint:exhaustive // the others take no more
	case point.String:
		n += len(v.Text())
	case point.Bytes:
		n += len(v.Bytes())
	case point.List:
		for _, e := range *v.List() {
			n += size(e)
		}
	case point.Map:
		for k, e := range v.Map() {
			n += len(k) + fn.EntrySize + size(e)
		}
	}
	return n
}
