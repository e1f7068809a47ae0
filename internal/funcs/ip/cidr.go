package ip

import (
	"net/netip"

	"datakit.dev/internal/pipeline/ast"
	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/point"
)

func cidr() fn.Func {
	return fn.Func{
		Name:   "cidr",
		Params: []fn.Param{{Name: "ip"}, {Name: "prefix"}},
		Result: "bool",
		Doc: fn.Text{
			En: "Reports whether an IP address (a key or a string) is in a network such as 10.0.0.0/8. " +
				"What is no address or no network is not.",
			Zh: "判断 IP 地址（键或字符串）是否属于某个网段，例如 10.0.0.0/8。地址或网段无效时返回 false。",
		},
		Examples: []fn.Example{{
			Script: `if cidr(client, "10.0.0.0/8") { add_key(local, true) }`,
			In:     map[string]any{"client": "10.1.2.3"},
			Out:    map[string]any{"local": true},
		}},
		Bind: bindCIDR,
	}
}

func bindCIDR(c *fn.Call) (fn.Eval, error) {
	addr, err := textArg(c, 0)
	if err != nil {
		return nil, err
	}
	prefix, err := textArg(c, 1)
	if err != nil {
		return nil, err
	}
	network := func(r *fn.Run) (netip.Prefix, error) { return netip.ParsePrefix(prefix(r)) }
	if lit, ok := c.Args[1].Node.(*ast.StringLit); ok {
		p, err := netip.ParsePrefix(lit.Value)
		network = func(*fn.Run) (netip.Prefix, error) { return p, err }
	}
	return func(r *fn.Run) (point.Value, error) {
		p, err := network(r)
		if err != nil {
			return point.BoolOf(false), nil //nolint:nilerr // no network holds nothing
		}
		a, err := netip.ParseAddr(addr(r))
		return point.BoolOf(err == nil && p.Contains(a)), nil
	}, nil
}

// maxAddress bounds the text of an address, a network and its zone included: one
// that begins like an address is read to its end otherwise.
const maxAddress = 256

// textArg returns argument i, a string literal or a key that holds a string; ""
// for any other value. A call is let through as users know it, and has none.
func textArg(c *fn.Call, i int) (func(*fn.Run) string, error) {
	switch x := c.Args[i].Node.(type) {
	case *ast.StringLit:
		return func(*fn.Run) string { return x.Value }, nil
	case *ast.Call:
		return func(*fn.Run) string { return "" }, nil
	case *ast.Ident, *ast.Attr:
		key := c.Args[i].Key
		return func(r *fn.Run) string {
			v, ok := key.Get(r)
			if !ok || v.Kind() != point.String || len(v.Text()) > maxAddress {
				return ""
			}
			return v.Text()
		}, nil
	}
	return nil, c.Errorf(i, "expected a string, a name or a path, got %s", c.Kind(i))
}
