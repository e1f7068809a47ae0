//go:build !race

package json

import gojson "github.com/goccy/go-json"

// library is what the library makes of text, against whose reading the field's
// scripts were written: whether it takes it, and whether that can be told.
func library(text string) (v any, taken, known bool) {
	defer func() {
		if recover() != nil { // it has gone astray itself
			known = false
		}
	}()
	err := gojson.Unmarshal([]byte(text), &v)
	return v, err == nil, true
}
