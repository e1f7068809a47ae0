package spec

import (
	"fmt"
	"strings"

	"datakit.dev/internal/diag"
)

// shorten keeps a hostile name from filling a log line.
func shorten(s string) string {
	if len(s) > 64 {
		return strings.ToValidUTF8(s[:64], "") + "…"
	}
	return s
}

// suggest returns ", did you mean …?" where a field's name is close.
func suggest(name string, fields []Field) string {
	if len(name) > 64 {
		return ""
	}
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.Name
	}
	if best := diag.Nearest(name, names); best != "" {
		return fmt.Sprintf(", did you mean %q?", best)
	}
	if len(names) > 0 && len(names) <= 20 {
		return "; it has " + strings.Join(names, ", ")
	}
	return ""
}
