package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/diff"

	"datakit.dev/internal/status"
	"datakit.dev/internal/store"
)

// A KeyChange is what one compilation after another made of a key.
type KeyChange struct {
	Ref     Ref
	Key     status.Key      // as it is now; of a key that is gone, as it was
	Was     status.KeyState // "" where there was no such key
	Removed bool

	before, after store.Entry
}

// Changed returns the keys whose value or fate differs between two compilations,
// in the order of the newer one, then those that are gone. A key that was written
// anew with an equal value has not changed.
func Changed(prev, next *State, was, is Result) []KeyChange {
	old := make(map[Ref]status.Key, len(was.Keys))
	for i, k := range was.Keys {
		old[was.Refs[i]] = k
	}
	var out []KeyChange
	for i, k := range is.Keys {
		ref := is.Refs[i]
		last, known := old[ref]
		delete(old, ref)
		before, after := prev.recall(ref).seen, next.recall(ref).seen
		if known && last.State == k.State && last.Error == k.Error && before.Value == after.Value && before.TooLarge == after.TooLarge {
			continue
		}
		out = append(out, KeyChange{Ref: ref, Key: k, Was: last.State, before: before, after: after})
	}
	for i, k := range was.Keys { // in their order
		ref := was.Refs[i]
		if _, gone := old[ref]; gone {
			out = append(out, KeyChange{Ref: ref, Key: k, Was: k.State, Removed: true, before: prev.recall(ref).seen})
		}
	}
	return out
}

// maxDiffLines bounds the texts that are compared: beyond that only the beginning
// is, for nobody reads further.
const maxDiffLines = 20_000

// Diff returns the difference of the values as unified text without a head, with
// every secret hidden; a line with another secret shows that it differs. It is ""
// where the values are equal.
func (k KeyChange) Diff(c *Catalog) string {
	before, after := lines(k.before.Value), lines(k.after.Value)
	text := diff.Diff("a", []byte(before), "b", []byte(after))
	if len(text) == 0 {
		return ""
	}
	was, is := c.RedactValue(k.Ref.Key, before), c.RedactValue(k.Ref.Key, after)
	var b strings.Builder
	var at, now int
	for i, line := range strings.Split(strings.TrimSuffix(string(text), "\n"), "\n") {
		switch {
		case i < 3 || line == "": // the program's name, and the two files'
			continue
		case line[0] == '@':
			at, now = hunk(line)
		case line[0] == '-':
			line = "-" + lineOf(was, at)
			at++
		case line[0] == '+':
			line = "+" + lineOf(is, now)
			now++
		case line[0] == ' ':
			line = " " + lineOf(is, now)
			at, now = at+1, now+1
		}
		b.WriteString(line)
		b.WriteByte('\n')
	}
	return b.String()
}

// hunk returns the indexes of the first lines that a hunk's head names.
func hunk(head string) (was, is int) {
	var n, m int
	if _, err := fmt.Sscanf(head, "@@ -%d,%d +%d,%d @@", &was, &n, &is, &m); err != nil {
		return 0, 0
	}
	return max(was-1, 0), max(is-1, 0)
}

func lineOf(lines []string, i int) string {
	if i < 0 || i >= len(lines) {
		return ""
	}
	return lines[i]
}

// lines returns the text of a value with its last line ended, bounded to
// maxDiffLines lines.
func lines(value string) string {
	text := Normalize(value)
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	if strings.Count(text, "\n") <= maxDiffLines {
		return text
	}
	return strings.Join(slices.Collect(firstLines(text)), "")
}

func firstLines(text string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		n := 0
		for line := range strings.Lines(text) {
			if n++; n > maxDiffLines || !yield(line) {
				return
			}
		}
	}
}
