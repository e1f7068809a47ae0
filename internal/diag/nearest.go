package diag

// The bounds of a suggestion.
const (
	maxNearest = 64 // bytes of a name; a longer one is no slip of the hand
	maxSlips   = 2  // letters to change
)

// Nearest returns the one of known that a mistyped name was to be: the first of
// those with the fewest letters to change, at most two and not all of them. It is
// "" where there is none.
func Nearest(name string, known []string) string {
	if len(name) > maxNearest {
		return ""
	}
	best, at := "", min(maxSlips+1, len(name))
	for _, k := range known {
		if d := distance(name, k, at); d < at {
			best, at = k, d
		}
	}
	return best
}

// distance is the Levenshtein distance of a and b in bytes, or limit where it is
// not less than that.
func distance(a, b string, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return min(row[len(b)], limit)
}
