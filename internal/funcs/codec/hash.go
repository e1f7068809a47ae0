package codec

import (
	"crypto/md5"  //nolint:gosec // a digest that users ask for by name, to tell texts apart
	"crypto/sha1" //nolint:gosec // as above
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"

	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/point"
)

func hash() fn.Func {
	return fn.Func{
		Name: "hash",
		Params: []fn.Param{
			{Name: "text", Types: fn.OneOf(point.String)},
			{Name: "method", Types: fn.OneOf(point.String)},
		},
		Match:  fn.ByType,
		Result: "str",
		Doc: fn.Text{
			En: `Returns the digest of a text in hexadecimal. The method is "md5", "sha1", "sha256" or "sha512"; for any other the result is "".`,
			Zh: `返回文本摘要的十六进制形式。method 为 "md5"、"sha1"、"sha256" 或 "sha512"，其他值返回 ""。`,
		},
		Examples: []fn.Example{{
			Script: `add_key(h, hash("abc", "md5"))`,
			Out:    map[string]any{"h": "900150983cd24fb0d6963f7d28e17f72"},
		}},
		Bind: func(c *fn.Call) (fn.Eval, error) {
			text, method := c.Args[0].Eval, c.Args[1].Eval
			return func(r *fn.Run) (point.Value, error) {
				s, err := text(r)
				if err != nil {
					return s, err
				}
				m, err := method(r)
				if err != nil {
					return m, err
				}
				if err := r.Step(len(s.Text()) / 8); err != nil {
					return s, err
				}
				return point.StringOf(digest(s.Text(), m.Text())), nil
			}, nil
		},
	}
}

func digest(s, method string) string {
	switch method {
	case "md5":
		sum := md5.Sum([]byte(s)) //nolint:gosec // as above
		return hex.EncodeToString(sum[:])
	case "sha1":
		sum := sha1.Sum([]byte(s)) //nolint:gosec // as above
		return hex.EncodeToString(sum[:])
	case "sha256":
		sum := sha256.Sum256([]byte(s))
		return hex.EncodeToString(sum[:])
	case "sha512":
		sum := sha512.Sum512([]byte(s))
		return hex.EncodeToString(sum[:])
	}
	return ""
}
