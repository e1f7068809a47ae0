package formats

import (
	"strings"

	"github.com/antchfx/xmlquery"
	"github.com/antchfx/xpath"

	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/point"
)

func xml() fn.Func {
	return fn.Func{
		Name:   "xml",
		Params: []fn.Param{{Name: "key"}, {Name: "xpath"}, {Name: "field"}},
		Doc: fn.Text{
			En: "Reads a key's text as XML and writes the text of the first node that an XPath expression selects to a field. " +
				"Where the text is no XML, the expression is none, or nothing is selected, nothing is written.",
			Zh: "将键的文本按 XML 解析，并把 XPath 选中的第一个节点的文本写入字段。文本不是 XML、表达式无效或没有选中节点时不写入。",
		},
		Examples: []fn.Example{{
			Script: `xml(_, "/order/@code", code)` + "\n" + `xml(_, "//item[2]/text()", second)`,
			In:     map[string]any{"message": `<order code="5"><item>a</item><item>b</item></order>`},
			Out:    map[string]any{"code": "5", "second": "b"},
		}},
		Bind: bindXML,
	}
}

// maxXPath bounds an expression: the compiler of XPath recurses, and what an
// expression builds can grow with its own length.
const maxXPath = 4096

func bindXML(c *fn.Call) (fn.Eval, error) {
	key, err := c.Key(0)
	if err != nil {
		return nil, err
	}
	path, err := c.Literal(1)
	if err != nil {
		return nil, err
	}
	field, err := c.Key(2)
	if err != nil {
		return nil, err
	}
	if len(path) > maxXPath {
		return nil, c.Errorf(1, "the expression has %d bytes, at most %d", len(path), maxXPath)
	}
	// Each call makes its text longer by a factor; two make it explode.
	replaces := strings.Count(path, "replace")
	if replaces > 1 {
		return nil, c.Errorf(1, "the expression calls replace more than once")
	}
	selected := compileXPath(path)
	growth := 1
	if replaces > 0 {
		growth = len(path)
	}
	return func(r *fn.Run) (point.Value, error) {
		s, ok := key.Text(r)
		if !ok || selected == nil || !strings.Contains(s, "<") {
			return point.NilOf(), nil
		}
		m := &meter{r: r, growth: growth}
		text, ok, err := m.first(s, selected)
		if ok && err == nil {
			r.Store(field.Name, point.StringOf(text))
		}
		return point.NilOf(), err
	}, nil
}

// compileXPath returns the expression, or nil for what is none.
func compileXPath(path string) (expr *xpath.Expr) {
	contained(func() {
		if e, err := xpath.Compile(path); err == nil {
			expr = e
		}
	})
	return expr
}

// Sizes of what the parser makes, for [fn.Run.Alloc].
const nodeSize = 256

// first returns the text of the first node that expr selects in the document s.
func (m *meter) first(s string, expr *xpath.Expr) (text string, ok bool, err error) {
	if err := m.r.Alloc(2*len(s) + nodeSize*strings.Count(s, "<")); err != nil {
		return "", false, err
	}
	if err := m.r.Step(4 * len(s)); err != nil {
		return "", false, err
	}
	contained(func() {
		doc, err := xmlquery.Parse(strings.NewReader(s))
		if err != nil {
			return
		}
		nodes := expr.Select(&navigator{*xmlquery.CreateXPathNavigator(doc), m})
		if !nodes.MoveNext() {
			return
		}
		if node, isNode := nodes.Current().(*navigator); isNode {
			text, ok = node.text(), true
		}
	})
	if m.err != nil {
		return "", false, m.err
	}
	return text, ok, nil
}
