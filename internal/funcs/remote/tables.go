package remote

import (
	"errors"
	"fmt"

	"datakit.dev/internal/pipeline/ast"
	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/point"
)

func queryTableByMany() fn.Func {
	return fn.Func{
		Name:   "mquery_refer_table",
		Params: []fn.Param{{Name: "table_name"}, {Name: "keys"}, {Name: "values"}},
		Match:  fn.ByName,
		Doc: fn.Text{
			En: "As query_refer_table, for a row in which each column of the list keys holds the value at its place in the list values.",
			Zh: "同 query_refer_table，但要求列表 keys 中每一列都等于列表 values 中对应位置的值。",
		},
		Examples: []fn.Example{{
			Script: `mquery_refer_table("hosts", ["host", "port"], [host, 443])`,
			In:     map[string]any{"host": "web-1"},
			Out:    map[string]any{"owner": "web team", "host": "web-1", "port": int64(443)},
		}},
		Bind: bindQueryByMany,
	}
}

func bindQueryByMany(c *fn.Call) (fn.Eval, error) {
	if _, err := c.Key(0); err != nil {
		return nil, err
	}
	if !listOf(c.Args[1].Node, isName) {
		return nil, c.Errorf(1, "expected a list of strings and names, or a name, got %s", c.Kind(1))
	}
	if !listOf(c.Args[2].Node, isValue) {
		return nil, c.Errorf(2, "expected a list of strings, numbers, bools and names, or a name, got %s", c.Kind(2))
	}
	name := c.Args[0].Eval
	return func(r *fn.Run) (point.Value, error) {
		table, err := text(r, name, "mquery_refer_table: the table's name")
		if err != nil {
			return point.NilOf(), err
		}
		keys, err := columnNames(r, c.Args[1])
		if err != nil {
			return point.NilOf(), err
		}
		values, err := columnValues(r, c.Args[2])
		if err != nil {
			return point.NilOf(), err
		}
		return point.NilOf(), lookUp(r, table, keys, values)
	}, nil
}

// listOf reports whether x is a list of elements that ok takes, or names one.
func listOf(x ast.Expr, ok func(ast.Expr) bool) bool {
	switch x := x.(type) {
	case *ast.Ident, *ast.Attr:
		return true
	case *ast.ListLit:
		for _, e := range x.Elems {
			if !ok(e) {
				return false
			}
		}
		return true
	}
	return false
}

// columnNames evaluates a list of strings; a name may hold a single one.
func columnNames(r *fn.Run, arg fn.Arg) ([]string, error) {
	v, err := arg.Eval(r)
	if err != nil {
		return nil, err
	}
	list := []point.Value{v}
	if _, ok := arg.Node.(*ast.ListLit); ok {
		list = *v.List()
	}
	names := make([]string, len(list))
	for i, e := range list {
		if e.Kind() != point.String {
			return nil, fmt.Errorf("mquery_refer_table: the name of a column must be a string, got %s", e.Kind())
		}
		names[i] = e.Text()
	}
	return names, nil
}

// columnValues evaluates a list of values.
func columnValues(r *fn.Run, arg fn.Arg) ([]point.Value, error) {
	v, err := arg.Eval(r)
	if err != nil {
		return nil, err
	}
	if v.Kind() != point.List {
		return nil, fmt.Errorf("mquery_refer_table: the values must be a list, got %s", v.Kind())
	}
	for _, e := range *v.List() {
		if e.Kind() == point.Nil {
			return nil, errors.New("mquery_refer_table: a value is missing")
		}
	}
	return *v.List(), nil
}
