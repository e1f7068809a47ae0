package codec

import (
	"strconv"

	"datakit.dev/internal/pipeline/fn"
)

func traceID() fn.Func {
	return fn.Func{
		Name:   "conv_traceid_w3c_to_dd",
		Params: []fn.Param{{Name: "key"}},
		Doc: fn.Text{
			En: "Turns a W3C trace id (32 hexadecimal digits, or the 16 of a span id) into Datadog's: its lower 64 bits in decimal. " +
				"Anything else stays as it is.",
			Zh: "将 W3C trace id（32 位十六进制，或 16 位的 span id）转换为 Datadog 的形式：低 64 位的十进制数。其他内容保持不变。",
		},
		Examples: []fn.Example{{
			Script: `conv_traceid_w3c_to_dd(id)`,
			In:     map[string]any{"id": "18962fdd9eea517f2ae0771ea69d6e16"},
			Out:    map[string]any{"id": "3089600317904219670"},
		}},
		Bind: func(c *fn.Call) (fn.Eval, error) {
			key, err := c.Key(0)
			return onString(key, 1, func(s string) (string, bool, error) {
				out, ok := lower64(s)
				return out, ok, nil
			}), err
		},
	}
}

// lower64 returns the last 16 of 16 or 32 hexadecimal digits in decimal.
func lower64(id string) (string, bool) {
	const digits = 16
	if len(id) != digits && len(id) != 2*digits {
		return "", false
	}
	n, err := strconv.ParseUint(id[len(id)-digits:], 16, 64)
	return strconv.FormatUint(n, 10), err == nil
}
