package codec

import (
	"encoding/base64"
	"fmt"

	"datakit.dev/internal/pipeline/fn"
)

func b64enc() fn.Func {
	return fn.Func{
		Name:   "b64enc",
		Params: []fn.Param{{Name: "key"}},
		Doc: fn.Text{
			En: "Encodes the string of a key in base64 (standard alphabet, padded). What is no string stays as it is.",
			Zh: "将键的字符串以 base64（标准字母表，带填充）编码。非字符串保持不变。",
		},
		Examples: []fn.Example{{
			Script: `b64enc(m)`,
			In:     map[string]any{"m": "hello, world"},
			Out:    map[string]any{"m": "aGVsbG8sIHdvcmxk"},
		}},
		Bind: func(c *fn.Call) (fn.Eval, error) {
			key, err := plainName(c)
			return onString(key, 2, func(s string) (string, bool, error) {
				return base64.StdEncoding.EncodeToString([]byte(s)), true, nil
			}), err
		},
	}
}

func b64dec() fn.Func {
	return fn.Func{
		Name:   "b64dec",
		Params: []fn.Param{{Name: "key"}},
		Doc: fn.Text{
			En: "Decodes the base64 string of a key. A string that is no base64 aborts the script; what is no string stays as it is.",
			Zh: "解码键的 base64 字符串。字符串不是合法 base64 时脚本中止；非字符串保持不变。",
		},
		Examples: []fn.Example{{
			Script: `b64dec(m)`,
			In:     map[string]any{"m": "aGVsbG8sIHdvcmxk"},
			Out:    map[string]any{"m": "hello, world"},
		}},
		Bind: func(c *fn.Call) (fn.Eval, error) {
			key, err := plainName(c)
			return onString(key, 2, func(s string) (string, bool, error) {
				b, err := base64.StdEncoding.DecodeString(s)
				if err != nil {
					return "", false, fmt.Errorf("b64dec: %w", err)
				}
				return string(b), true, nil
			}), err
		},
	}
}
