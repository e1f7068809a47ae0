package formats

import (
	"strings"

	"github.com/DataDog/datadog-agent/pkg/obfuscate"

	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/point"
)

func sqlCover() fn.Func {
	return fn.Func{
		Name:   "sql_cover",
		Params: []fn.Param{{Name: "key"}},
		Doc: fn.Text{
			En: "Replaces the values in a SQL statement by ?. A text that cannot be read as SQL stays as it is.",
			Zh: "将 SQL 语句中的取值替换为 ?。无法按 SQL 解析的文本保持不变。",
		},
		Examples: []fn.Example{{
			Script: `sql_cover(q)`,
			In:     map[string]any{"q": "select abc from def where x > 3 and y in ('a', 'b')"},
			Out:    map[string]any{"q": "select abc from def where x > ? and y in ( ? )"},
		}},
		Bind: func(c *fn.Call) (fn.Eval, error) {
			key, err := c.Key(0)
			plain := newObfuscator()
			return func(r *fn.Run) (point.Value, error) {
				s, ok := key.Text(r)
				if !ok {
					return point.NilOf(), nil
				}
				// A token takes some bytes more than its text, and the text is copied.
				if err := r.Alloc(6 * len(s)); err != nil {
					return point.NilOf(), err
				}
				if err := r.Step(2 * len(s)); err != nil {
					return point.NilOf(), err
				}
				if out, ok := cover(plain, s); ok {
					r.Store(key.Name, point.StringOf(out))
				}
				return point.NilOf(), nil
			}, err
		},
	}
}

func newObfuscator() *obfuscate.Obfuscator { return obfuscate.NewObfuscator(obfuscate.Config{}) }

// cover returns s with its values hidden. An obfuscator remembers how the last
// statement escaped its quotes and tries that first; each statement is read for
// itself here, so one with a backslash gets an obfuscator of its own. The others
// leave plain as it was.
func cover(plain *obfuscate.Obfuscator, s string) (out string, ok bool) {
	o := plain
	if strings.Contains(s, `\`) {
		o = newObfuscator()
	}
	contained(func() {
		q, err := o.ObfuscateSQLString(s)
		if err == nil {
			out, ok = q.Query, true
		}
	})
	return out, ok
}
