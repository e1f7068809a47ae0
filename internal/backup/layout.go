package backup

import (
	"maps"
	"slices"

	"github.com/pelletier/go-toml/v2/unstable"
)

// appendable reports whether every table of text stands under an [[inputs.NAME]]
// header of the same text, and nothing stands before the first.
func appendable(text string) bool {
	var p unstable.Parser
	p.Reset([]byte(text))
	opened := map[string]bool{}
	for p.NextExpression() {
		e := p.Expression()
		path := names(e.Key())
		switch e.Kind { //nolint:exhaustive // an expression is one of these three
		case unstable.KeyValue:
			if len(opened) == 0 {
				return false
			}
		case unstable.ArrayTable:
			if len(path) == 2 {
				opened[path[1]] = true
			} else if len(path) < 2 || !opened[path[1]] {
				return false
			}
		case unstable.Table:
			if len(path) < 3 || !opened[path[1]] {
				return false
			}
		}
	}
	return p.Error() == nil
}

func names(it unstable.Iterator) []string {
	var out []string
	for it.Next() {
		out = append(out, string(it.Node().Data))
	}
	return out
}

func sortedKeys(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }
