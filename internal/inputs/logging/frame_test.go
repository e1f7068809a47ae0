package logging

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func framerOf(t testing.TB, longest int, first string, auto bool, name string) *framer {
	t.Helper()
	e, err := encodingOf(name)
	if err != nil {
		t.Fatal(err)
	}
	fr := &framer{encoding: e, max: longest}
	if first != "" {
		fr.rule = rule{first: []*regexp.Regexp{regexp.MustCompile(first)}, auto: auto}
	}
	return fr
}

// frameAll cuts text as it comes in pieces, and returns the texts; with the part
// behind a text that was split.
func frameAll(fr *framer, text []byte, pieces []int) []string {
	var got []string
	var st frame
	var buf []byte
	take := func(recs []record) {
		for _, r := range recs {
			s := string(fr.encoding.text(buf[r.from:r.to]))
			if r.part > 0 {
				s += fmt.Sprintf("#%d", r.part)
			}
			got = append(got, s)
		}
	}
	feed := func(b []byte) {
		buf = append(buf, b...)
		recs, start := fr.cut(nil, buf, 0, &st)
		take(recs)
		buf = slices.Clone(buf[start:])
	}
	for _, n := range pieces {
		n = min(n, len(text))
		feed(text[:n])
		text = text[n:]
	}
	feed(text)
	recs, _ := fr.flush(nil, buf, 0, &st)
	take(recs)
	return got
}

func TestFraming(t *testing.T) {
	for _, c := range []struct {
		name, first string
		auto        bool
		max         int
		in          string
		want        []string
	}{
		{name: "lines", in: "a\nb\r\n\nc", want: []string{"a", "b", "", "c"}},
		{name: "records", first: `^\d`, in: "x\n1 a\n at\n at\n2 b\n", want: []string{"x", "1 a\n at\n at", "2 b"}},
		{name: "auto, no first line yet", first: `^\d`, auto: true, in: "x\ny\n1 a\n at\n2 b\nz\n", want: []string{"x", "y", "1 a\n at", "2 b\nz"}},
		{name: "a long line", max: 4, in: "abcdefghij\nk\n", want: []string{"abcd#1", "efgh#2", "ij#3", "k"}},
		{name: "a line of just the bound", max: 4, in: "abcd\nk\n", want: []string{"abcd", "k"}},
		{name: "a long line without an end", max: 4, in: "abcdef", want: []string{"abcd#1", "ef#2"}},
		{name: "a long record", first: `^\d`, max: 8, in: "1 a\n at\n at\n2\n", want: []string{"1 a\n at", " at", "2"}},
		{name: "a long line in a record", first: `^\d`, max: 4, in: "1\nabcdefgh\n2\n", want: []string{"1", "abcd#1", "efgh#2", "2"}},
		{name: "no half characters", max: 4, in: "äöü€\n", want: []string{"äö#1", "ü#2", "€#3"}},
	} {
		if c.max == 0 {
			c.max = 100
		}
		got := frameAll(framerOf(t, c.max, c.first, c.auto, ""), []byte(c.in), nil)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// What arrives in bits is framed as if it had come at once, and nothing is lost.
func TestFramingDoesNotDependOnThePieces(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		text := []byte(rapid.StringOf(rapid.SampledFrom([]rune("1ab\n\r ä"))).Draw(r, "text"))
		first := rapid.SampledFrom([]string{"", `^1`}).Draw(r, "first")
		fr := framerOf(t, rapid.IntRange(4, 12).Draw(r, "max"), first, rapid.Bool().Draw(r, "auto"), "")
		pieces := rapid.SliceOf(rapid.IntRange(1, 5)).Draw(r, "pieces")
		once, bits := frameAll(fr, text, nil), frameAll(fr, text, pieces)
		if !slices.Equal(once, bits) {
			r.Fatalf("at once %q, in bits %q", once, bits)
		}
		var all strings.Builder
		for _, s := range once {
			s, _, _ = strings.Cut(s, "#")
			all.WriteString(s)
		}
		ends := strings.NewReplacer("\n", "", "\r", "")
		if ends.Replace(all.String()) != ends.Replace(string(text)) {
			r.Fatalf("%q became %q", text, once)
		}
	})
}

func TestFramingUTF16(t *testing.T) {
	for _, name := range []string{"utf-16le", "utf-16be"} {
		fr := framerOf(t, 100, "", false, name)
		// U+0A0A and U+0A00 hold the byte of a line end, and are none.
		in := []byte{}
		for _, r := range "aਊ\u0a00b\r\nc\n" {
			unit := []byte{byte(r), byte(r >> 8)}
			if !fr.encoding.little {
				slices.Reverse(unit)
			}
			in = append(in, unit...)
		}
		for n := 1; n < len(in); n++ {
			if got := frameAll(fr, in, []int{n}); !slices.Equal(got, []string{"aਊ\u0a00b", "c"}) {
				t.Errorf("%s cut at %d: %q", name, n, got)
			}
		}
	}
}

func FuzzFraming(f *testing.F) {
	f.Add([]byte("1 a\n b\n2\n"), uint8(3), uint8(0))
	f.Fuzz(func(t *testing.T, text []byte, piece, which uint8) {
		fr := framerOf(t, 16, `^1`, which%2 == 0, encodingNames()[int(which)%len(encodingNames())])
		total := 0
		var st frame
		var buf []byte
		for piece := range slices.Chunk(text, int(piece)+1) {
			buf = append(buf, piece...)
			recs, start := fr.cut(nil, buf, 0, &st)
			last := 0
			for _, r := range recs {
				if r.from != last || r.to < r.from || r.end < r.to || r.to-r.from > fr.max {
					t.Fatalf("%+v behind %d", r, last)
				}
				last = r.end
			}
			total += start
			buf = bytes.Clone(buf[start:])
			if len(buf) > fr.max+2 {
				t.Fatalf("%d bytes pend", len(buf))
			}
		}
	})
}
