package trial

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"

	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/point"
)

// A Record is a point as JSON has it.
type Record struct {
	Name   string            `json:"name"`
	Tags   map[string]string `json:"tags"`
	Fields map[string]any    `json:"fields"`
	Time   int64             `json:"time"` // nanoseconds since 1970; 0: none
}

// maxText bounds what is shown of one value.
const maxText = 64 << 10

// A Budget is how many bytes records may still take. A script can put one long
// string into a hundred thousand fields, which costs it nothing: shown whole,
// that would take all memory.
type Budget struct {
	Left int
	Cut  bool // something was left out
}

// Record returns p, as far as the budget goes.
func (b *Budget) Record(p *point.Point) Record {
	r := Record{Name: b.text(p.Name), Tags: map[string]string{}, Fields: map[string]any{}, Time: p.Time}
	for _, t := range p.Tags {
		if b.take(len(t.Key)) {
			r.Tags[t.Key] = b.text(t.Value)
		}
	}
	for _, f := range p.Fields {
		if b.take(len(f.Key)) {
			r.Fields[f.Key] = b.plain(f.Value)
		}
	}
	return r
}

func (b *Budget) take(n int) bool {
	const overhead = 16 // of a key in its object
	if b.Left -= n + overhead; b.Left < 0 {
		b.Cut = true
	}
	return b.Left >= 0
}

func (b *Budget) text(s string) string {
	if len(s) > maxText || len(s) > max(b.Left, 0) {
		b.Cut = true
		s = strings.ToValidUTF8(s[:min(len(s), maxText, max(b.Left, 0))], "") + "…"
	}
	b.Left -= len(s)
	return s
}

// plain returns v as the JSON package encodes it. A number that JSON has no form
// for is its name, and so is a value that cannot be shown.
func (b *Budget) plain(v point.Value) any {
	switch v.Kind() { //nolint:exhaustive // the others are what they are
	case point.String, point.Bytes:
		return b.text(fn.TextOf(v))
	case point.Float:
		if f := v.Float(); math.IsNaN(f) || math.IsInf(f, 0) {
			return strconv.FormatFloat(f, 'g', -1, 64)
		}
	case point.List, point.Map:
		text, err := fn.JSON(v)
		if err != nil {
			return "(" + err.Error() + ")"
		}
		if len(text) > maxText || len(text) > max(b.Left, 0) {
			b.Left -= len(text) - maxText // it took as long as its whole length
			return b.text(text)
		}
		b.Left -= len(text)
		return json.RawMessage(text)
	}
	return v.Any()
}

// Show returns v as it is written in a script, for a terminal: on one line,
// shortened.
func Show(v point.Value) string {
	switch v.Kind() { //nolint:exhaustive // the others have one form
	case point.String:
		return Quote(v.Text())
	case point.Bytes:
		return "bytes " + Quote(string(v.Bytes()))
	case point.Float:
		s := strconv.FormatFloat(v.Float(), 'g', -1, 64)
		if !strings.ContainsAny(s, ".eIN") {
			s += ".0" // so that it is seen not to be an int
		}
		return s
	case point.Uint:
		return strconv.FormatUint(v.Uint(), 10) + "u"
	case point.Nil:
		return "nil"
	case point.List, point.Map:
		text, err := fn.JSON(v)
		if err != nil {
			return "(" + err.Error() + ")"
		}
		return clip(text)
	}
	return fn.TextOf(v)
}

// Quote returns s in quotes, shortened, so that it cannot steer a terminal.
func Quote(s string) string { return strconv.Quote(clip(s)) }

// maxShown is how much of one value a terminal shows.
const maxShown = 4 << 10

func clip(s string) string {
	if len(s) > maxShown {
		return strings.ToValidUTF8(s[:maxShown], "") + "…"
	}
	return s
}
