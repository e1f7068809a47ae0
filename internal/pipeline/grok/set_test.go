package grok

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestThereAreSeventyEightBuiltinPatterns(t *testing.T) {
	names := builtins(t).Names()
	if len(names) != 78 {
		t.Errorf("got %d patterns, want 78", len(names))
	}
	for _, name := range []string{"IPORHOST", "COMBINEDAPACHELOG", "TIMESTAMP_ISO8601", "GREEDYLINES", "QS"} {
		if !slices.Contains(names, name) {
			t.Errorf("%s is missing", name)
		}
	}
}

func TestAddedPatterns(t *testing.T) {
	set := builtins(t)
	scope := set.Scope()
	add(t, scope, "my", "[a-z]+")
	add(t, scope, "my2", "%{my:q}-%{INT:n:int}")
	add(t, scope, "INT", "abc")
	if got := captured(t, scope, "%{my2}", "abc-12"); got != "q=abc n=12" {
		t.Errorf("got %q", got)
	}
	if got := captured(t, scope, "%{INT:a}", "12 abc"); got != "a=abc" {
		t.Errorf("an added pattern does not hide a built-in one: got %q", got)
	}
	if got := captured(t, set, "%{INT:a}", "12 abc"); got != "a=12" {
		t.Errorf("the scope changed the set around it: got %q", got)
	}
	inner := scope.Scope()
	add(t, inner, "my", "%{my}!")
	if got := captured(t, inner, "%{my:a}", "x!"); got != "a=x!" {
		t.Errorf("an inner scope does not see the outer: got %q", got)
	}
	if got := captured(t, scope, "%{my:a}", "x!"); got != "a=x" {
		t.Errorf("the inner scope changed the outer: got %q", got)
	}
}

func TestTheZeroSetIsEmpty(t *testing.T) {
	var set Set
	if _, err := Compile("%{INT}", &set); !errors.Is(err, ErrUnknown) {
		t.Errorf("got %v, want %v", err, ErrUnknown)
	}
	add(t, &set, "INT", "x")
	if got := captured(t, &set, "%{INT:a}", "1x"); got != "a=x" {
		t.Errorf("got %q", got)
	}
}

func TestAPatternKeepsTheMeaningThatItHadWhenAdded(t *testing.T) {
	scope := builtins(t).Scope()
	add(t, scope, "a", "x")
	add(t, scope, "b", "%{a}")
	add(t, scope, "a", "y")
	if got := captured(t, scope, "%{b:b} %{a:a}", "x y"); got != "b=x a=y" {
		t.Errorf("got %q", got)
	}
}

func TestAddRefuses(t *testing.T) {
	scope := builtins(t).Scope()
	if err := scope.Add("my", "%{my}"); !errors.Is(err, ErrUnknown) || !strings.Contains(err.Error(), "add pattern my") {
		t.Errorf("itself: got %v", err)
	}
	if _, err := Compile("%{my}", scope); !errors.Is(err, ErrUnknown) {
		t.Errorf("a refused pattern is there: %v", err)
	}
	add(t, scope, "p0", "xxxxxxxxxx")
	var err error
	for i := 1; err == nil && i < 100; i++ {
		err = scope.Add(fmt.Sprintf("p%d", i), strings.Repeat(fmt.Sprintf("%%{p%d}", i-1), 10))
	}
	if !errors.Is(err, ErrLimit) {
		t.Errorf("patterns that grow tenfold: got %v, want %v", err, ErrLimit)
	}
	for i := 0; i <= maxPatterns; i++ {
		if err = scope.Add(fmt.Sprintf("n%d", i), "x"); err != nil {
			break
		}
	}
	if !errors.Is(err, ErrLimit) {
		t.Errorf("too many patterns: got %v, want %v", err, ErrLimit)
	}
}

func TestExtraPatterns(t *testing.T) {
	extra := map[string]string{
		"INT":    "never used",
		"SECOND": "never used",
		"aa":     "%{bb}+",
		"bb":     "<%{INT:n:int}>",
	}
	set, err := NewSet(extra)
	if err != nil {
		t.Fatal(err)
	}
	if got := captured(t, set, "%{aa:a}", "x<1><2>"); got != "a=<1><2> n=2" {
		t.Errorf("got %q", got)
	}
	if got := captured(t, set, "%{SECOND:s}", "59"); got != "s=59" {
		t.Errorf("a built-in pattern gave way: got %q", got)
	}
}

func TestBadExtraPatternsLeaveTheRest(t *testing.T) {
	extra := map[string]string{
		"good":  "x%{INT:n}",
		"bad":   "[",
		"typed": "%{INT:n:number}",
		"lost":  "%{NOPE}",
		"bb":    "%{dd}",
		"cc":    "%{bb}",
		"dd":    "%{cc} %{bb}",
		"self":  "%{self}",
		"user":  "%{lost}",
	}
	set, err := NewSet(extra)
	for _, want := range []error{ErrSyntax, ErrUnknown, ErrCycle} {
		if !errors.Is(err, want) {
			t.Errorf("error %v does not include %v", err, want)
		}
	}
	for _, want := range []string{
		"pattern bad:", "pattern typed:", "pattern lost: unknown pattern %{NOPE}",
		"bb -> dd -> cc -> bb", "self -> self", "pattern user:",
	} {
		if !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("error %q does not say %q", err, want)
		}
	}
	if got := captured(t, set, "%{good}", "x7"); got != "n=7" {
		t.Errorf("got %q", got)
	}
	for _, name := range []string{"bad", "typed", "lost", "bb", "cc", "dd", "self", "user"} {
		if _, err := Compile("%{"+name+"}", set); !errors.Is(err, ErrUnknown) {
			t.Errorf("%s: got %v, want %v", name, err, ErrUnknown)
		}
	}
}

func TestNestingIsBounded(t *testing.T) {
	extra := map[string]string{}
	for i := range maxNesting + 1 {
		extra[fmt.Sprintf("p%03d", i)] = fmt.Sprintf("%%{p%03d}", i+1)
	}
	extra[fmt.Sprintf("p%03d", maxNesting+1)] = "x"
	if _, err := NewSet(extra); !errors.Is(err, ErrLimit) {
		t.Errorf("got %v, want %v", err, ErrLimit)
	}
}

func TestTheNumberOfExtraPatternsIsBounded(t *testing.T) {
	extra := map[string]string{}
	for i := range maxPatterns + 1 {
		extra[fmt.Sprintf("p%d", i)] = "x"
	}
	set, err := NewSet(extra)
	if !errors.Is(err, ErrLimit) {
		t.Errorf("got %v, want %v", err, ErrLimit)
	}
	if got := captured(t, set, "%{INT:n}", "1"); got != "n=1" {
		t.Errorf("the built-in patterns are gone: got %q", got)
	}
}

func add(t *testing.T, set *Set, name, pattern string) {
	t.Helper()
	if err := set.Add(name, pattern); err != nil {
		t.Fatal(err)
	}
}
