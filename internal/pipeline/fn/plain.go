package fn

import (
	"errors"

	"datakit.dev/internal/point"
)

// maxPlain bounds the parts of one value: lists that hold each other are small
// in memory and endless to walk.
const maxPlain = 1 << 20

// Plain returns v as the plain Go value that libraries take: nil, bool, int64,
// float64, string, []any or map[string]any.
func Plain(v point.Value) (any, error) {
	left := maxPlain
	return plain(v, 0, &left)
}

func plain(v point.Value, depth int, left *int) (any, error) {
	if *left--; *left < 0 || depth > MaxDepth {
		return nil, ErrDeep
	}
	switch v.Kind() { //nolint:exhaustive // the others hold no values
	case point.List:
		list := *v.List()
		out := make([]any, len(list))
		for i, e := range list {
			var err error
			if out[i], err = plain(e, depth+1, left); err != nil {
				return nil, err
			}
		}
		return out, nil
	case point.Map:
		out := make(map[string]any, len(v.Map()))
		for k, e := range v.Map() {
			p, err := plain(e, depth+1, left)
			if err != nil {
				return nil, err
			}
			out[k] = p
		}
		return out, nil
	}
	return v.Any(), nil
}

// IsLimit reports whether err is a run that went over its limits: a function
// that passes over the errors of its arguments must not pass over that one.
func IsLimit(err error) bool {
	return errors.Is(err, ErrSteps) || errors.Is(err, ErrTime) || errors.Is(err, ErrWait) || errors.Is(err, ErrBytes)
}
