package dql

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"datakit.dev/internal/point"
)

// String returns the query as it is understood: one line, every name that needs
// it in backticks.
func (q *Query) String() string {
	var b strings.Builder
	if q.show != nil {
		b.WriteString(text(q.show.call))
	} else {
		b.WriteString(q.space.Short + "::")
		for i, s := range q.sources {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(s.String())
		}
		if len(q.targets) > 0 {
			b.WriteString(":(" + join(q.targets, target.String) + ")")
		}
	}
	if q.filter != nil {
		b.WriteString(" {" + text(q.filter) + "}")
	}
	if s := q.span.String(); s != "" {
		b.WriteString(" [" + s + "]")
	}
	if len(q.by) > 0 {
		b.WriteString(" BY " + join(q.by, name.String))
	}
	if len(q.order) > 0 {
		b.WriteString(" ORDER BY " + join(q.order, order.String))
	}
	for _, c := range []struct {
		word string
		n    int
		set  bool
	}{{"LIMIT", q.limit, q.limit >= 0}, {"OFFSET", q.offset, q.offset > 0}, {"SLIMIT", q.slimit, q.slimit >= 0}, {"SOFFSET", q.soffset, q.soffset > 0}} {
		if c.set {
			fmt.Fprintf(&b, " %s %d", c.word, c.n)
		}
	}
	if q.zone != nil {
		b.WriteString(" tz('" + q.zone.String() + "')")
	}
	return b.String()
}

func join[T any](list []T, f func(T) string) string {
	parts := make([]string, len(list))
	for i, e := range list {
		parts[i] = f(e)
	}
	return strings.Join(parts, ", ")
}

// String returns the source as a query writes it.
func (s source) String() string {
	switch {
	case s.all:
		return "*"
	case s.re != nil:
		return "re(" + quoteText(s.re.String()) + ")"
	}
	return name{text: s.name}.String()
}

// String returns the target as a query writes it.
func (t target) String() string {
	if t.alias == "" {
		return text(t.expr)
	}
	if c, ok := t.expr.(*call); ok && c.alias != "" {
		return text(c)
	}
	return text(t.expr) + " AS " + name{text: t.alias}.String()
}

// String returns the name, in backticks where it needs them.
func (n name) String() string {
	plain := n.text != "" && (n.text[0] < '0' || n.text[0] > '9') && !slices.Contains(keywords(), strings.ToLower(n.text)) &&
		!slices.Contains([]string{"re", "b64", "identifier", "null", "tz"}, strings.ToLower(n.text)) &&
		!strings.HasPrefix(strings.ToLower(n.text), "show_")
	for _, r := range n.text {
		plain = plain && isNamePart(r)
	}
	switch {
	case plain:
		return n.text
	case strings.Contains(n.text, "`"), n.text == "*": // a star in backticks is still all
		return "identifier(" + quoteText(n.text) + ")"
	}
	return "`" + n.text + "`"
}

// String returns the column and its direction.
func (o order) String() string {
	if o.desc {
		return o.name.String() + " DESC"
	}
	return o.name.String() + " ASC"
}

// String returns what stands between the brackets.
func (s span) String() string {
	if s.bucket == 0 && !s.auto {
		switch {
		case s.to.set:
			return s.from.String() + ":" + s.to.String()
		case s.from.set:
			return s.from.String()
		}
		return ""
	}
	bucket := "auto"
	if !s.auto {
		bucket = durationText(s.bucket)
	}
	return s.from.String() + ":" + s.to.String() + ":" + bucket
}

// String returns the time as a query writes it.
func (i instant) String() string {
	switch {
	case !i.set:
		return ""
	case i.at.IsZero():
		return durationText(i.ago)
	case i.at.Nanosecond() == 0 && i.at.UTC().Year() < 10000 && i.at.UTC().Year() > 1677:
		return i.at.UTC().Format(time.DateTime)
	}
	return strconv.FormatInt(i.at.UnixMilli(), 10)
}

// durationText writes d in the largest unit that divides it.
func durationText(d time.Duration) string {
	all := units()
	for _, u := range slices.Backward(all) {
		if n := unitOf(u); u != "y" && d%n == 0 && (d != 0 || u == "s") {
			return strconv.FormatInt(int64(d/n), 10) + u
		}
	}
	return "0s"
}

func quoteText(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`, "\t", `\t`).Replace(s) + `"`
}

// text writes an expression, with the brackets that it needs.
func text(e expr) string {
	switch e := e.(type) {
	case nameExpr:
		return e.String()
	case literal:
		return literalText(e.value)
	case pattern:
		return "re(" + quoteText(e.re.String()) + ")"
	case list:
		return "[" + join(e.items, text) + "]"
	case star:
		return "*"
	case word:
		return strings.ToUpper(e.text)
	case unary:
		return "-" + operand(e.x)
	case binary:
		return binaryText(e)
	case *call:
		return callText(e)
	}
	return ""
}

func literalText(v point.Value) string {
	switch v.Kind() {
	case point.String:
		return quoteText(v.Text())
	case point.Float:
		s := strconv.FormatFloat(v.Float(), 'g', -1, 64)
		if !strings.ContainsAny(s, ".e") {
			s += ".0"
		}
		return s
	case point.Nil:
		return "nil"
	default:
		return fmt.Sprint(v.Any())
	}
}

func binaryText(b binary) string {
	op := b.op
	switch op {
	case "&&":
		op = "AND"
	case "||":
		op = "OR"
	case "in":
		op = "IN"
	case "+", "-", "*", "/", "%", "^":
		return operand(b.l) + op + operand(b.r)
	}
	return operand(b.l) + " " + op + " " + operand(b.r)
}

// operand writes a part of an expression, in brackets unless it is one word.
func operand(e expr) string {
	switch e := e.(type) {
	case binary, unary:
		return "(" + text(e) + ")"
	case literal:
		if s := text(e); s[0] == '-' {
			return "(" + s + ")"
		}
	}
	return text(e)
}

func callText(c *call) string {
	var args []string
	for i, a := range c.args {
		s := text(a)
		if i == 0 && c.alias != "" {
			s += " AS " + name{text: c.alias}.String()
		}
		args = append(args, s)
	}
	for _, n := range c.named {
		args = append(args, name{text: n.key}.String()+"="+text(n.value))
	}
	return c.fn + "(" + strings.Join(args, ", ") + ")"
}

// column returns the name of the target's column.
func (t target) column() string {
	if t.alias != "" {
		return t.alias
	}
	return plainText(t.expr)
}

// plainText is text without backticks around names: what a column is called.
func plainText(e expr) string {
	switch e := e.(type) {
	case nameExpr:
		return e.text
	case *call:
		return e.fn + "(" + join(e.args, plainText) + ")"
	case unary:
		return "-" + plainOperand(e.x)
	case binary:
		return plainOperand(e.l) + e.op + plainOperand(e.r)
	}
	return text(e)
}

func plainOperand(e expr) string {
	switch e.(type) {
	case binary, unary:
		return "(" + plainText(e) + ")"
	}
	return plainText(e)
}
