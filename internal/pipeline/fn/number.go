package fn

import (
	"strconv"

	"datakit.dev/internal/point"
)

// maxNumber bounds the text of a number: the error of a longer one, which is none,
// holds a copy of it.
const maxNumber = 4096

// Number returns v as a float: a string is parsed, and what is no number is 0.
func Number(v point.Value) float64 {
	switch v.Kind() { //nolint:exhaustive // the others are no numbers
	case point.Int:
		return float64(v.Int())
	case point.Float:
		return v.Float()
	case point.Bool:
		if v.Bool() {
			return 1
		}
	case point.String:
		if len(v.Text()) > maxNumber {
			return 0
		}
		if f, err := strconv.ParseFloat(v.Text(), 64); err == nil {
			return f
		}
	}
	return 0
}
