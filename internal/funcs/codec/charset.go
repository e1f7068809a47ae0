package codec

import (
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"

	"datakit.dev/internal/pipeline/ast"
	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/point"
)

func decode() fn.Func {
	return fn.Func{
		Name:   "decode",
		Params: []fn.Param{{Name: "key"}, {Name: "charset"}},
		Doc: fn.Text{
			En: `Turns the text of a key from a character set into UTF-8. The set is "gbk", "gb18030", "utf-16le" or "utf-16be"; ` +
				"for any other nothing is done.",
			Zh: `将键的文本从指定字符集转换为 UTF-8。字符集为 "gbk"、"gb18030"、"utf-16le" 或 "utf-16be"，其他值不做处理。`,
		},
		Examples: []fn.Example{{
			Script: `decode(m, "gbk")`,
			In:     map[string]any{"m": "\xd6\xd0\xce\xc4"},
			Out:    map[string]any{"m": "中文"},
		}},
		Bind: bindDecode,
	}
}

func bindDecode(c *fn.Call) (fn.Eval, error) {
	key, err := c.Key(0)
	if err != nil {
		return nil, err
	}
	name, err := c.Key(1)
	if err != nil {
		return nil, err
	}
	if _, ok := c.Args[1].Node.(*ast.StringLit); !ok {
		return func(r *fn.Run) (point.Value, error) {
			set, ok := name.Text(r)
			if !ok {
				return point.NilOf(), nil
			}
			return toUTF8(key, set)(r)
		}, nil
	}
	return toUTF8(key, name.Name), nil
}

// toUTF8 returns the decoding of a key's text from a character set.
func toUTF8(key fn.Key, set string) fn.Eval {
	from := charset(set)
	if from == nil {
		return func(*fn.Run) (point.Value, error) { return point.NilOf(), nil }
	}
	return onText(key, 4, func(s string) (string, bool, error) {
		out, err := from.NewDecoder().String(s)
		return out, err == nil, nil
	})
}

// charset returns the character set that users know by that name, or nil. They
// know the names in single quotes too, and UTF-8, which is what is read anyway,
// only so.
func charset(name string) encoding.Encoding {
	if name == "'utf-8'" {
		return unicode.UTF8
	}
	if inner, ok := strings.CutPrefix(name, "'"); ok {
		if name, ok = strings.CutSuffix(inner, "'"); !ok {
			return nil
		}
	}
	switch name {
	case "utf-16le":
		return unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)
	case "utf-16be":
		return unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)
	case "gbk":
		return simplifiedchinese.GBK
	case "gb18030":
		return simplifiedchinese.GB18030
	}
	return nil
}
