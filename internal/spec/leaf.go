package spec

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// leaf converts a scalar, a list of strings or a table of strings.
func leaf(f Field, n *Node) (any, bool) {
	switch f.Type {
	case Strings:
		return stringList(n)
	case StringMap:
		return stringMap(n)
	case Float:
		if i, ok := n.Scalar.(int64); ok {
			return float64(i), true
		}
		v, ok := n.Scalar.(float64)
		return v, ok && !math.IsNaN(v) && !math.IsInf(v, 0)
	case Duration:
		s, ok := n.Scalar.(string)
		if !ok {
			return nil, false
		}
		v, err := ParseDuration(s)
		return v, err == nil
	case Bool:
		v, ok := n.Scalar.(bool)
		return v, ok
	case Int:
		v, ok := n.Scalar.(int64)
		return v, ok
	case String:
		v, ok := n.Scalar.(string)
		return v, ok
	case Table, Tables:
	}
	return nil, false
}

// ParseDuration is [time.ParseDuration] with days: "7d", "1d12h".
func ParseDuration(s string) (time.Duration, error) {
	days, rest, ok := strings.Cut(s, "d")
	if n, err := strconv.Atoi(days); ok && err == nil && n >= 0 && n < 100_000 {
		if rest == "" {
			rest = "0s"
		}
		v, err := time.ParseDuration(rest)
		if err != nil {
			return 0, fmt.Errorf("%q is no duration: %w", s, err)
		}
		if v < 0 || strings.HasPrefix(rest, "+") {
			return 0, fmt.Errorf("%q is no duration: a sign behind the days", s)
		}
		return time.Duration(n)*24*time.Hour + v, nil
	}
	v, err := time.ParseDuration(s)
	if err != nil {
		return 0, fmt.Errorf("%q is no duration such as \"10s\": %w", s, err)
	}
	return v, nil
}

func stringList(n *Node) (any, bool) {
	if s, ok := n.Scalar.(string); ok {
		return []string{s}, true
	}
	if n.kind != arrayNode {
		return nil, false
	}
	out := make([]string, len(n.Items))
	for i := range n.Items {
		s, ok := n.Items[i].Scalar.(string)
		if !ok {
			return nil, false
		}
		out[i] = s
	}
	return out, true
}

func stringMap(n *Node) (any, bool) {
	if !n.IsTable() {
		return nil, false
	}
	out := make(map[string]string, len(n.Keys))
	for _, k := range n.Keys {
		switch v := k.Node.Scalar.(type) {
		case string:
			out[k.Name] = v
		case int64, float64, bool:
			out[k.Name] = fmt.Sprint(v)
		default:
			return nil, false
		}
	}
	return out, true
}

// refuse says why v is not allowed, or "".
func (f Field) refuse(v any) string {
	switch v := v.(type) {
	case string:
		return f.refuseText(v)
	case []string:
		for _, s := range v {
			if msg := f.refuseText(s); msg != "" {
				return msg
			}
		}
	case int64:
		return f.hide(outside(v, f.Min, f.Max))
	case float64:
		return f.hide(outside(v, f.Min, f.Max))
	case time.Duration:
		return f.hide(outside(v, f.Min, f.Max))
	}
	return ""
}

func (f Field) refuseText(s string) string {
	switch {
	case len(f.OneOf) == 0 || slices.Contains(f.OneOf, s):
		return ""
	case f.Secret:
		return "not one of the allowed values"
	}
	return fmt.Sprintf("expected one of %s, got %q", strings.Join(f.OneOf, ", "), shorten(s))
}

// hide keeps the value of a secret out of a message.
func (f Field) hide(message string) string {
	if f.Secret && message != "" {
		return "out of the allowed range"
	}
	return message
}

func outside[T int64 | float64 | time.Duration](v T, low, high any) string {
	if l, ok := low.(T); ok && v < l {
		return fmt.Sprintf("expected at least %v, got %v", l, v)
	}
	if h, ok := high.(T); ok && v > h {
		return fmt.Sprintf("expected at most %v, got %v", h, v)
	}
	return ""
}
