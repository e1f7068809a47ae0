package regex_test

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"datakit.dev/internal/pipeline/regex"
)

var errOver = errors.New("over")

// A counter is a clock whose time is over after so many looks.
type counter struct{ looks, bytes int }

func (c *counter) Look() error {
	if c.looks--; c.looks < 0 {
		return errOver
	}
	return nil
}

func (c *counter) Step(int) error { return nil }

func (c *counter) Alloc(n int) error {
	if c.bytes -= n; c.bytes < 0 {
		return errOver
	}
	return nil
}

func ample() *counter { return &counter{looks: 1 << 30, bytes: 1 << 40} }

func compiled(t testing.TB, text string) *regex.Expr {
	t.Helper()
	e, err := regex.Compile(text)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// TestWatchedIsTheSame holds what is done under watch against package regexp.
func TestWatchedIsTheSame(t *testing.T) {
	exprs := []string{
		`a`, `a*`, `^a|b$`, `\bfoo\b`, `(a)(b)?`, `a*b|a`, `[a-z]{1,900}x`, `(.{1,30}){1,30}x`, `é+`, ``, `(?m)^.`, `\B`, `x*$`, ` ?`, `(a|b){40,60}`, `.`,
	}
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.SampledFrom(exprs).Draw(t, "expr")
		part := rapid.SampledFrom([]string{"a", "b", "foo bar ", "éa", "\xff", "x", "\n", "ab "})
		s := strings.Join(rapid.SliceOfN(part, 0, 8).Draw(t, "parts"), "")
		s = strings.Repeat(s, rapid.SampledFrom([]int{1, 7, 300}).Draw(t, "times"))
		e, err := regex.Compile(text)
		if err != nil {
			t.Fatal(err)
		}
		plain := regexp.MustCompile(text)
		if got, err := e.Match(s, ample()); err != nil || got != plain.MatchString(s) {
			t.Fatalf("match %q in %.60q: %v, %v", text, s, got, err)
		}
		if got, err := e.FindSubmatch(s, ample()); err != nil || fmt.Sprint(got) != fmt.Sprint(plain.FindStringSubmatchIndex(s)) {
			t.Fatalf("find %q in %.60q: %v, %v", text, s, got, err)
		}
		if got, err := e.Replace(s, "<$1>", ample()); err != nil || got != plain.ReplaceAllString(s, "<$1>") {
			t.Fatalf("replace %q in %.60q: %.60q, %v", text, s, got, err)
		}
		for _, n := range []int{-1, 2} {
			if got, err := e.Split(s, n, ample()); err != nil || strings.Join(got, "\x00") != strings.Join(plain.Split(s, n), "\x00") {
				t.Fatalf("split %q in %.60q: %v", text, s, err)
			}
		}
	})
}

// TestEndlessWorkEnds gives each kind of work that takes minutes ten looks at
// the clock.
func TestEndlessWorkEnds(t *testing.T) {
	long := strings.Repeat("a", 1<<20)
	for _, text := range []string{`[a-z]{1,900}x`, `(.{1,30}){1,30}x`, `((a?){30}){30}b`} {
		e := compiled(t, text)
		if _, err := e.Match(long, &counter{looks: 10}); !errors.Is(err, errOver) {
			t.Errorf("match %s: %v", text, err)
		}
		if _, err := e.FindSubmatch(long, &counter{looks: 10}); !errors.Is(err, errOver) {
			t.Errorf("find %s: %v", text, err)
		}
		if _, err := e.Replace(long, "", &counter{looks: 10}); !errors.Is(err, errOver) {
			t.Errorf("replace %s: %v", text, err)
		}
	}
	// Each match is short, and found by reading to the end.
	e := compiled(t, `a*b|a`)
	if _, err := e.Replace(long, "", &counter{looks: 10}); !errors.Is(err, errOver) {
		t.Errorf("replace: %v", err)
	}
	if _, err := e.Split(long, -1, &counter{looks: 10}); !errors.Is(err, errOver) {
		t.Errorf("split: %v", err)
	}
	if _, err := compiled(t, ` ?`).Split(long, -1, &counter{looks: 1 << 30, bytes: 1 << 20}); !errors.Is(err, errOver) {
		t.Errorf("a list of a million parts: %v", err)
	}
}

func TestRefusedExpressions(t *testing.T) {
	for _, text := range []string{`(`, `a{1001}`, `((a{100}){100}){100}`, strings.Repeat("a", 1<<15), strings.Repeat(`\pL`, 5000) + `(\pL{900}){900}`} {
		_, err := regex.Compile(text)
		if err == nil {
			t.Errorf("%.40s… compiled", text)
		} else if len(err.Error()) > 300 {
			t.Errorf("%.40s…: the error has %d bytes", text, len(err.Error()))
		}
	}
}
