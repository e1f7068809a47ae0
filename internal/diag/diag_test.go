package diag

import (
	"errors"
	"strings"
	"testing"
)

func TestErrorIsOneLineThatNamesThePlace(t *testing.T) {
	d := Diagnostic{Origin: "etcdv3:/datakit/confd/cpu", Pos: Position{3, 8}, Message: "expected a duration,\ngot bool"}
	if got, want := d.Error(), "etcdv3:/datakit/confd/cpu:3:8: expected a duration, got bool"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := (Diagnostic{Message: "m"}).Error(); got != "m" {
		t.Errorf("no origin: %q", got)
	}
}

func TestTextPutsTheCaretUnderTheColumn(t *testing.T) {
	l := List{{Pos: Position{2, 4}, Message: "bad"}}.In("f.conf", "a = 1\n\tb = true\n")
	want := "f.conf:2:4: bad\n    2 | \tb = true\n      | \t  ^"
	if got := l.Text(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestAtCountsCharactersNotBytes(t *testing.T) {
	src := "é = 1\n世界 = x"
	if got := At(src, strings.Index(src, "x")); got != (Position{2, 6}) {
		t.Errorf("got %v", got)
	}
	if got := At(src, 1<<20); got.Line != 2 {
		t.Errorf("an offset past the end: %v", got)
	}
}

func TestControlCharactersDoNotReachTheTerminal(t *testing.T) {
	got := OneLine("a\nb\x1b[31m\x00\x9b\xff")
	if strings.ContainsAny(got, "\n\x1b\x00\u009b") || !strings.HasPrefix(got, "a b") {
		t.Errorf("%q", got)
	}
}

func TestLongLinesAreCut(t *testing.T) {
	if got := Line("x\n"+strings.Repeat("é", 1<<20), 2); len(got) > maxSnippet+4 {
		t.Errorf("%d bytes", len(got))
	}
	if got := Line("x", 5); got != "" {
		t.Errorf("a line past the end: %q", got)
	}
}

func TestListTellsHowManyMore(t *testing.T) {
	var l List
	if l.Err() != nil {
		t.Error("an empty list is an error")
	}
	for range 5 {
		l.Add(Position{}, "bad %d", 1)
	}
	var got List
	if err := l.Err(); !errors.As(err, &got) || !strings.HasSuffix(err.Error(), "and 2 more") {
		t.Errorf("got %v", err)
	}
}

func TestOffsetLeadsBack(t *testing.T) {
	src := "a\né\xffb\n\n中c"
	for _, offset := range []int{0, 1, 2, 4, 5, 6, 7, 8, 11, len(src)} {
		if got := At(src, offset).Offset(src); got != offset {
			t.Errorf("offset %d came back as %d", offset, got)
		}
	}
	for pos, want := range map[Position]int{{}: 0, {Line: 9, Column: 9}: len(src), {Line: 4, Column: 99}: len(src)} {
		if got := pos.Offset(src); got != want {
			t.Errorf("%v: %d, want %d", pos, got, want)
		}
	}
}

func TestWithinKeepsWhatIsKnown(t *testing.T) {
	list := List{{Origin: "ENV_X", Message: "a"}, {Message: "b"}}
	if got := list.Within("f").Error(); got != "ENV_X: a; f: b" {
		t.Errorf("got %q", got)
	}
	if got := list.Error(); got != "ENV_X: a; b" {
		t.Errorf("the list has changed: %q", got)
	}
}
