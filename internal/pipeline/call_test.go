package pipeline_test

import (
	"errors"
	"testing"

	"datakit.dev/internal/pipeline"
	"datakit.dev/internal/pipeline/compile"
)

func TestSampleTakesNumbersAndCalculations(t *testing.T) {
	for script, fine := range map[string]bool{
		"sample(1)": true, "sample(0.5)": true, "sample(1 - 0.5)": true, "x = 4; sample(1 / x)": true,
		"sample(x)": false, `sample("1")`: false, "sample(1 == 1)": false, "sample(-1)": true, "sample(-x)": false,
	} {
		if _, errs := pipeline.Compile("test.p", script, engine(t).opts); (len(errs) == 0) != fine {
			t.Errorf("%s: %s", script, errs.Text())
		}
	}
}

func TestSampleOfTheEnds(t *testing.T) {
	p, _, err := runs(t, "add_key(always, sample(1)); add_key(never, sample(0))", "")
	if err != nil {
		t.Fatal(err)
	}
	always, _ := p.Field("always")
	if never, _ := p.Field("never"); !always.Bool() || never.Bool() {
		t.Errorf("always %v, never %v", always, never)
	}
	if _, _, err := runs(t, "sample(1 + 1)", ""); err == nil {
		t.Error("a probability of 2 is taken")
	}
}

func TestArgumentNamesThatAssign(t *testing.T) {
	for script, want := range map[string]string{
		`pt_name(x = "new"); add_key(got, x)`:                     "new", // no function's parameter: an assignment
		`x = 0; pt_name(1 / x); add_key(got, pt_name())`:          "m",   // what fails names nothing
		`pt_kvs_set("got", value = "v")`:                          "v",
		`pt_kvs_set("a", value = "v"); got = value; add_key(got)`: "v",
	} {
		p, _, err := runs(t, script, "")
		if v, _ := p.Field("got"); err != nil || v.Text() != want {
			t.Errorf("%s: got %q, error %v", script, v.Text(), err)
		}
	}
	if _, _, err := runs(t, `pt_kvs_set(name = 1, value = 2)`, ""); err == nil {
		t.Error("a name of the wrong type is taken")
	}
}

// Check takes one script by itself; the others that it uses are elsewhere.
func TestCheckTakesWhatIsUsedToBeThere(t *testing.T) {
	opts := engine(t).opts
	if errs := pipeline.Check("a.p", `use("elsewhere.p")`, opts); len(errs) > 0 {
		t.Error(errs)
	}
	for _, src := range []string{"", "a = = 1", "no_such()", `grok(_, "%{NO_SUCH}")`, "use(1)", "break"} {
		if errs := pipeline.Check("a.p", src, opts); len(errs) == 0 || errs[0].Origin != "a.p" {
			t.Errorf("%q: %v", src, errs)
		}
	}
}

func TestStopRefusesTheScript(t *testing.T) {
	opts := engine(t).opts
	left := 2
	opts.Stop = func() error {
		if left--; left < 0 {
			return errors.New("long enough")
		}
		return nil
	}
	if _, errs := pipeline.Compile("a.p", "add_key(a, 1)\nadd_key(b, 1)", opts); len(errs) > 0 {
		t.Error(errs)
	}
	_, errs := pipeline.Compile("a.p", "add_key(a, 1)\nadd_key(b, 1)", opts)
	if len(errs) != 2 || errs[0].Error() != "a.p:1:1: long enough" {
		t.Error(errs)
	}
}

// A script over its limits is told with the line that it was at.
func TestLimitsNameTheLine(t *testing.T) {
	for script, want := range map[string]string{
		"x = 1\nfor ;; {}":                                   "2:1",
		"for ;; {\n  x = 1\n}":                               "1:1",
		"s = \"xxxxxxxx\"\nfor ;; {\n    s = s + s\n}":       "3:11",
		"if true {\n  for x in [1] {\n    for ;; {}\n  }\n}": "3:5",
	} {
		_, _, err := runs(t, script, "")
		r, ok := errors.AsType[*compile.RunError](err)
		if !ok || r.Pos.String() != want || r.Snippet == "" {
			t.Errorf("%q: %v, want %s", script, err, want)
		}
	}
}
