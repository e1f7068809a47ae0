// Package codec holds the script functions that encode and decode texts:
// base64, URLs, character sets, digests and trace ids.
package codec

import (
	"datakit.dev/internal/pipeline/ast"
	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/point"
)

// Functions lists the functions of this package.
func Functions() []fn.Func {
	return []fn.Func{
		urlDecode(), urlParse(),
		b64enc(), b64dec(),
		hash(), decode(), traceID(),
	}
}

// A rewriter returns a text made of s, whether there is one, and why the script
// ends.
type rewriter func(s string) (string, bool, error)

// onText binds f to the text of a key, whatever its kind.
func onText(key fn.Key, growth int, f rewriter) fn.Eval {
	return func(r *fn.Run) (point.Value, error) {
		s, ok := key.Text(r)
		if !ok {
			return point.NilOf(), nil
		}
		return point.NilOf(), rewrite(r, key, s, growth, f)
	}
}

// onString binds f to a key that holds a string; any other is left alone.
func onString(key fn.Key, growth int, f rewriter) fn.Eval {
	return func(r *fn.Run) (point.Value, error) {
		v, ok := key.Get(r)
		if !ok || v.Kind() != point.String {
			return point.NilOf(), nil
		}
		return point.NilOf(), rewrite(r, key, v.Text(), growth, f)
	}
}

// rewrite writes what f makes of s, which is at most growth times as long.
func rewrite(r *fn.Run, key fn.Key, s string, growth int, f rewriter) error {
	if err := r.Alloc(growth * len(s)); err != nil {
		return err
	}
	if err := r.Step(len(s) / 64); err != nil {
		return err
	}
	out, ok, err := f(s)
	if ok && err == nil {
		r.Store(key.Name, point.StringOf(out))
	}
	return err
}

// plainName returns argument 0, which must be a name: no path and no string.
func plainName(c *fn.Call) (fn.Key, error) {
	if _, ok := c.Args[0].Node.(*ast.Ident); !ok {
		return fn.Key{}, c.Errorf(0, "expected a name, got %s", c.Kind(0))
	}
	return c.Args[0].Key, nil
}
