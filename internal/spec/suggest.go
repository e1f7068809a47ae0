package spec

import (
	"fmt"
	"strings"
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
	best, at := "", 3
	for _, f := range fields {
		if d := distance(name, f.Name); d < at {
			best, at = f.Name, d
		}
	}
	if best != "" {
		return fmt.Sprintf(", did you mean %q?", best)
	}
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.Name
	}
	if len(names) > 0 && len(names) <= 20 {
		return "; it has " + strings.Join(names, ", ")
	}
	return ""
}

// distance is the Levenshtein distance of two short names.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j]+1, row[j+1]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
