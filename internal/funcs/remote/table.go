package remote

import (
	"fmt"

	"datakit.dev/internal/pipeline/ast"
	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/point"
)

func queryTable() fn.Func {
	return fn.Func{
		Name:   "query_refer_table",
		Params: []fn.Param{{Name: "table_name"}, {Name: "key"}, {Name: "value"}},
		Match:  fn.ByName,
		Doc: fn.Text{
			En: "Looks up the first row of a refer table whose column key holds value, the kind included (1 is not 1.0), " +
				"and writes all its columns. Without such a row, or without refer tables in the agent's configuration, nothing is written.",
			Zh: "在引用表中查找列 key 等于 value（类型须一致，1 不等于 1.0）的第一行，并写入其所有列。没有这样的行或未配置引用表时不写入。",
		},
		Examples: []fn.Example{{
			Script: `query_refer_table("hosts", "host", host)`,
			In:     map[string]any{"host": "web-1"},
			Out:    map[string]any{"owner": "web team", "host": "web-1"},
		}},
		Bind: func(c *fn.Call) (fn.Eval, error) {
			if _, err := c.Key(0); err != nil {
				return nil, err
			}
			column, err := columnOf(c, 1)
			if err != nil {
				return nil, err
			}
			if !isValue(c.Args[2].Node) {
				return nil, c.Errorf(2, "expected a string, a number, a bool, a name or a path, got %s", c.Kind(2))
			}
			name, value := c.Args[0].Eval, c.Args[2]
			return func(r *fn.Run) (point.Value, error) {
				table, err := text(r, name, "query_refer_table: the table's name")
				if err != nil {
					return point.NilOf(), err
				}
				key, err := column(r)
				if err != nil {
					return point.NilOf(), err
				}
				v, ok, err := valueOf(r, value)
				if !ok || err != nil {
					return point.NilOf(), err
				}
				return point.NilOf(), lookUp(r, table, []string{key}, []point.Value{v})
			}, nil
		},
	}
}

// lookUp writes the row of a table where columns hold values.
func lookUp(r *fn.Run, table string, columns []string, values []point.Value) error {
	tables := r.Env.Services.Tables
	if tables == nil {
		return nil
	}
	if err := r.Step(rowSteps); err != nil {
		return err
	}
	row, ok := tables.Row(table, columns, values)
	if !ok {
		return nil
	}
	for i, column := range row.Columns {
		r.Store(column, row.Values[i])
	}
	return nil
}

// rowSteps is what it costs to look a row up.
const rowSteps = 500

// columnOf returns the name of a column: a string, or a name or path that holds
// one.
func columnOf(c *fn.Call, i int) (func(*fn.Run) (string, error), error) {
	arg := c.Args[i]
	switch x := arg.Node.(type) {
	case *ast.StringLit:
		return func(*fn.Run) (string, error) { return x.Value, nil }, nil
	case *ast.Ident, *ast.Attr:
		return func(r *fn.Run) (string, error) {
			v, ok := arg.Key.Get(r)
			if !ok || v.Kind() != point.String {
				return "", fmt.Errorf("%s: the name of a column must be a string, got %s", c.Name, v.Kind())
			}
			return v.Text(), nil
		}, nil
	}
	return nil, c.Errorf(i, "expected a string, a name or a path, got %s", c.Kind(i))
}

// isName reports whether x names a key or is a string.
func isName(x ast.Expr) bool {
	switch x.(type) {
	case *ast.Ident, *ast.Attr, *ast.StringLit:
		return true
	}
	return false
}

// isValue reports whether x is what a column can be compared with.
func isValue(x ast.Expr) bool {
	switch x.(type) {
	case *ast.BoolLit, *ast.IntLit, *ast.FloatLit:
		return true
	}
	return isName(x)
}

// valueOf returns the value of an argument, and whether it has one.
func valueOf(r *fn.Run, arg fn.Arg) (point.Value, bool, error) {
	switch arg.Node.(type) {
	case *ast.Ident, *ast.Attr:
		v, ok := arg.Key.Get(r)
		return v, ok, nil
	}
	v, err := arg.Eval(r)
	return v, err == nil, err
}
