package text

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/point"
)

func strlen() fn.Func {
	return fn.Func{
		Name:   "strlen",
		Params: []fn.Param{{Name: "text"}},
		Result: "int",
		Doc: fn.Text{
			En: "Returns the characters of a string, where len counts its bytes.",
			Zh: "返回字符串的字符数（len 返回字节数）。",
		},
		Examples: []fn.Example{{Script: `add_key(n, strlen("中文"))`, Out: map[string]any{"n": int64(2)}}},
		Bind: func(c *fn.Call) (fn.Eval, error) {
			value := c.Args[0].Eval
			return func(r *fn.Run) (point.Value, error) {
				v, err := value(r)
				if err != nil {
					return v, err
				}
				if v.Kind() != point.String {
					return v, fmt.Errorf("strlen: expected a string, got %s", v.Kind())
				}
				return point.IntOf(int64(utf8.RuneCountInString(v.Text()))), r.Step(len(v.Text()) / 8)
			}, nil
		},
	}
}

func sliceString() fn.Func {
	return fn.Func{
		Name: "slice_string",
		Params: []fn.Param{
			{Name: "name", Types: fn.OneOf(point.String)},
			{Name: "start", Types: fn.OneOf(point.Int)},
			{Name: "end", Types: fn.OneOf(point.Int)},
		},
		Match:  fn.ByType,
		Result: "str",
		Doc: fn.Text{
			En: "Returns the characters of a string from start up to end, counted from 0; \"\" where start is not within it.",
			Zh: "返回字符串从 start 到 end 之前的字符（从 0 开始计）；start 越界时返回 \"\"。",
		},
		Examples: []fn.Example{{Script: `add_key(s, slice_string("hello", 1, 3))`, Out: map[string]any{"s": "el"}}},
		Bind: func(c *fn.Call) (fn.Eval, error) {
			return func(r *fn.Run) (point.Value, error) {
				var args [3]point.Value
				for i := range args {
					v, err := c.Args[i].Eval(r)
					if err != nil {
						return v, err
					}
					args[i] = v
				}
				text := args[0].Text()
				return point.StringOf(between(text, args[1].Int(), args[2].Int())), r.Step(len(text) / 8)
			}, nil
		},
	}
}

// between returns the characters of s from start up to end, or up to its own.
func between(s string, start, end int64) string {
	if start < 0 || start > end {
		return ""
	}
	from, n := -1, int64(0)
	for i := range s {
		if n == start {
			from = i
		}
		if n == end {
			return s[from:i]
		}
		n++
	}
	if n == start {
		from = len(s)
	}
	if from < 0 {
		return ""
	}
	return s[from:]
}

func strfmt() fn.Func {
	return fn.Func{
		Name:   "strfmt",
		Params: []fn.Param{{Name: "key"}, {Name: "format"}, {Name: "values", Rest: true}},
		Doc: fn.Text{
			En: "Writes a text made of values by a format of Go's fmt: %v %s %d %.2f %q …",
			Zh: "按 Go fmt 的格式（%v %s %d %.2f %q 等）将各值格式化后写入键。",
		},
		Examples: []fn.Example{{
			Script: `strfmt(line, "%s took %.1f ms (%d)", name, ms, code)`,
			In:     map[string]any{"name": "q", "ms": 1.26, "code": int64(7)},
			Out:    map[string]any{"line": "q took 1.3 ms (7)"},
		}},
		Bind: bindStrfmt,
	}
}

func bindStrfmt(c *fn.Call) (fn.Eval, error) {
	key, err := c.Key(0)
	if err != nil {
		return nil, err
	}
	format, err := c.Literal(1)
	if err != nil {
		return nil, err
	}
	size := formatSize(format)
	values := c.Args[2:]
	return func(r *fn.Run) (point.Value, error) {
		if err := r.Alloc(size); err != nil {
			return point.NilOf(), err
		}
		args := make([]any, len(values))
		for i, arg := range values {
			v, err := arg.Eval(r)
			if fn.IsLimit(err) {
				return v, err
			}
			if err != nil {
				continue // formatted as nil
			}
			if args[i], err = printable(r, v); err != nil {
				return v, err
			}
		}
		r.Store(key.Name, point.StringOf(fmt.Sprintf(format, args...)))
		return point.NilOf(), nil
	}, nil
}

var errDeep = errors.New("strfmt: a value nests too deeply, or holds itself")

// printable returns v as fmt takes it, after charging for its text: %x and %q
// make several bytes of one.
func printable(r *fn.Run, v point.Value) (any, error) {
	p, err := fn.Plain(v)
	if err != nil {
		return nil, errDeep
	}
	text, err := fn.JSON(v)
	if err != nil { // NaN: its text is short
		text = ""
	}
	return p, r.Alloc(8 * len(text))
}

// formatSize is at most how long the fixed parts of a format make the text: a
// width of a million is a million bytes, and a * may be one.
func formatSize(format string) int {
	const widest = 1_000_000 // what fmt takes
	size := len(format)
	width := 0
	for _, c := range format {
		switch {
		case c == '*':
			size += widest
		case '0' <= c && c <= '9':
			width = min(10*width+int(c-'0'), widest)
		default:
			size += width
			width = 0
		}
	}
	return size + width
}

func cover() fn.Func {
	return fn.Func{
		Name:   "cover",
		Params: []fn.Param{{Name: "key"}, {Name: "range"}},
		Doc: fn.Text{
			En: "Hides the characters from start to end, counted from 1, with *. Negative numbers count from the end.",
			Zh: "用 * 遮盖第 start 到 end 个字符（从 1 开始计）。负数从末尾计。",
		},
		Examples: []fn.Example{{
			Script: `cover(phone, [4, 7])`,
			In:     map[string]any{"phone": "13789123014"},
			Out:    map[string]any{"phone": "137****3014"},
		}},
		Bind: func(c *fn.Call) (fn.Eval, error) {
			key, err := c.Key(0)
			if err != nil {
				return nil, err
			}
			bounds, err := c.Numbers(1, 2)
			if err != nil {
				return nil, err
			}
			return func(r *fn.Run) (point.Value, error) {
				v, ok := key.Get(r)
				if !ok || v.Kind() != point.String {
					return point.NilOf(), nil
				}
				if err := r.Alloc(8 * len(v.Text())); err != nil {
					return point.NilOf(), err
				}
				if s, ok := hide(v.Text(), int(bounds[0]), int(bounds[1])); ok {
					r.Store(key.Name, point.StringOf(s))
				}
				return point.NilOf(), nil
			}, nil
		},
	}
}

// hide replaces the characters from start to end, or does nothing where there
// are none.
func hide(s string, start, end int) (string, bool) {
	n := len([]rune(s))
	end = min(end, n)
	if end < 0 {
		end += n + 1
	}
	if start <= 0 {
		start += n + 1
	}
	if start > end {
		return s, false
	}
	var b strings.Builder
	i := 0
	for _, c := range s {
		i++
		switch {
		case i < start || i > end:
			b.WriteRune(c)
		case unicode.Is(unicode.Han, c):
			b.WriteRune('＊')
		default:
			b.WriteByte('*')
		}
	}
	return b.String(), true
}
