package pipeline_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"datakit.dev/internal/pipeline"
	"datakit.dev/internal/pipeline/compile"
	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/point"
)

func compiled(t testing.TB, script string) *pipeline.Program {
	t.Helper()
	program, errs := pipeline.Compile("test.p", script, engine(t).opts)
	if len(errs) > 0 {
		t.Fatal(errs.Text())
	}
	return program
}

// runs runs script on a point with one message and returns the point.
func runs(t testing.TB, script, message string) (point.Point, pipeline.Result, error) {
	t.Helper()
	p := point.New("m", 4)
	p.Set("message", point.StringOf(message))
	result, err := compiled(t, script).Run(&p, &pipeline.Env{Category: point.Metric})
	return p, result, err
}

func TestRunawayScriptsEndThemselves(t *testing.T) {
	for name, script := range map[string]string{
		"empty loop":     `for ;; {}`,
		"busy loop":      `for ;; { add_key(n, 1) }`,
		"nested loops":   `for i = 0; i < 100000; i += 1 { for j = 0; j < 100000; j += 1 { n = i * j } }`,
		"string doubles": `s = "x"; for ;; { s = s + s }`,
		"string grows":   `s = ""; for ;; { s += "0123456789" }`,
		"list doubles":   `l = [1]; for ;; { l = [l, l] }`,
		"lists":          `for ;; { l = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10] }`,
		"map grows":      `m = {}; k = ""; for ;; { k += "k"; m[k] = 1 }`,
		"slices":         `s = "0123456789"; for ;; { s = "0123456789"[::-1] + s[0:9]; t = s[:] }`,
		"grok":           `for ;; { grok(_, "%{GREEDYDATA:a} %{GREEDYDATA:b} %{INT:c}") }`,
		"match":          `for ;; { match("(a|b|ab)*c", _) }`,
		"replace":        `for ;; { replace(message, "a", "aaaaaaaaaa") }`,
		"widths":         `for ;; { strfmt(s, "%999999d", 1) }`,
		"stars":          `for ;; { strfmt(s, "%*d", 999999, 1) }`,
		"created points": `for ;; { create_point("n", {"a": "b"}, {"c": 1}) }`,
		"contains":       `for ;; { x = "zz" in message }`,
	} {
		t.Run(name, func(t *testing.T) {
			p, _, err := runs(t, "add_key(before, true)\n"+script, strings.Repeat("ab ", 1000))
			if !errors.Is(err, fn.ErrSteps) && !errors.Is(err, fn.ErrTime) && !errors.Is(err, fn.ErrBytes) {
				t.Errorf("error %v", err)
			}
			if v, _ := p.Field("before"); !v.Bool() {
				t.Error("what was done before is lost")
			}
		})
	}
}

// TestLongTextsEndScripts has work that takes minutes for a text of a megabyte: in
// one call of a function, in a loop, and in a script that is only long.
func TestLongTextsEndScripts(t *testing.T) {
	message := strings.Repeat("a", 1<<20)
	for name, script := range map[string]string{
		"match":         `x = match("(.{1,30}){1,30}x", message)`,
		"replace":       `replace(message, "[a-z]{1,900}x", "")`,
		"all matches":   `replace(message, "a*b|a", "")`,
		"with groups":   `replace(message, "(a*b)|a", "$1")`,
		"split":         `kv_split(message, "a*b|a", include_keys=["a"])`,
		"parts":         `kv_split(message, " ?", include_keys=["a"])`,
		"grok":          `grok(message, "(?P<q>(|.{1,30}){1,30})x|(a|b*)*c")`,
		"characters":    `for ;; { x = strlen(message) }`,
		"parts of it":   `for ;; { x = slice_string(message, 900000, 1000000) }`,
		"numbers":       `for ;; { x = parse_int(message, 10); group_between(message, [1, 2], 3); cast(t, "int") }`,
		"years":         `for ;; { parse_date(d, yy=message, MM="1") }`,
		"addresses":     `for ;; { x = cidr(message, "10.0.0.0/8") }`,
		"equality":      `a = message + "x"; b = message + "x"; for ;; { x = a == b }`,
		"membership":    `m = {}; m[message] = 1; a = message + "b"; for ;; { x = a in m }`,
		"maps":          `for ;; { x = {message: 1} }`,
		"lists":         `l = []; for i = 0; i < 50000; i += 1 { l = append(l, i) }; for ;; { group_in(message, l, "x") }`,
		"cached":        `for ;; { cache_set(message, "a") }`,
		"aggregated":    `agg_create("b", on_count=1000000); for ;; { agg_metric("b", "n", "sum", ["message"], "message") }`,
		"user agents":   `for ;; { user_agent(message) }`,
		"a long script": strings.Repeat("x = strlen(message)\n", 40_000),
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := runs(t, script, message)
			if !errors.Is(err, fn.ErrSteps) && !errors.Is(err, fn.ErrTime) && !errors.Is(err, fn.ErrBytes) {
				t.Errorf("error %v", err)
			}
		})
	}
}

// TestOnePatternIsCompiledOnce has a script that takes minutes to compile
// otherwise.
func TestOnePatternIsCompiledOnce(t *testing.T) {
	compiled(t, strings.Repeat("grok(_, \"%{IPORHOST:a} %{HTTPDATE:b}\")\n", 20_000))
}

func TestTooManyPatternsAreRefused(t *testing.T) {
	var script strings.Builder
	for i := range 6 {
		fmt.Fprintf(&script, "grok(_, \"%d%s\")\n", i, strings.Repeat("literal", 20_000))
	}
	_, errs := pipeline.Compile("test.p", script.String(), engine(t).opts)
	if !strings.Contains(errs.Text(), "patterns of the script have more than") {
		t.Errorf("got %.200s", errs.Text())
	}
}

func TestDiagnosticsAreBounded(t *testing.T) {
	for name, line := range map[string]string{
		"function": "nope()\n", "argument": "cast(a, b)\n", "pattern": "match(\"" + strings.Repeat(`\\pL`, 200) + "(\", _)\n",
	} {
		_, errs := pipeline.Compile("test.p", strings.Repeat(line, 15), engine(t).opts)
		if n := len(errs); n < 2 || n > 10 {
			t.Errorf("%s: %d diagnostics", name, n)
		}
		for _, d := range errs {
			if len(d.Error()) > 300 {
				t.Errorf("%s: a diagnostic of %d bytes", name, len(d.Error()))
			}
		}
	}
}

func TestStepsCountTheSameEachTime(t *testing.T) {
	program := compiled(t, "n = 0\nfor ;; { n += 1\nadd_key(n) }")
	var first int64
	for range 3 {
		p := point.New("m", 1)
		_, err := program.Run(&p, &pipeline.Env{Limits: fn.Limits{Steps: 50_000}})
		if !errors.Is(err, fn.ErrSteps) {
			t.Fatal(err)
		}
		v, _ := p.Field("n")
		if first == 0 {
			first = v.Int()
		}
		if v.Int() != first || first == 0 {
			t.Errorf("%d turns, then %d", first, v.Int())
		}
	}
}

func TestScriptsThatUseEachOtherShareOneBudget(t *testing.T) {
	sources := map[string]string{"s0.p": "x = 1"}
	for i := 1; i < 30; i++ {
		sources[fmt.Sprintf("s%d.p", i)] = fmt.Sprintf("use(\"s%d.p\")\nuse(\"s%d.p\")", i-1, i-1)
	}
	programs, errs := pipeline.CompileAll(sources, engine(t).opts, nil)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	p := point.New("m", 1)
	_, err := programs["s29.p"].Run(&p, &pipeline.Env{})
	if !errors.Is(err, fn.ErrSteps) && !errors.Is(err, fn.ErrTime) {
		t.Errorf("2^29 runs ended with %v", err)
	}
}

func TestValuesThatHoldThemselvesDoNoHarm(t *testing.T) {
	const self = "l = [1]\nl[0] = l\nm = [1]\nm[0] = m\nk = {}\nk[\"k\"] = k\n"
	const wide = "l = [1]\nfor i = 0; i < 40; i += 1 { l = [l, l] }\nm = [1]\nfor i = 0; i < 40; i += 1 { m = [m, m] }\n"
	for _, value := range []string{self, wide} {
		for _, use := range []string{
			`add_key(x, l)`, `set_tag(x, l)`, `add_key(x, l == m)`, `add_key(x, m in [l])`,
			`strfmt(x, "%v", l)`, `uppercase(l)`, `group_in(l, [m], "x")`, `nullif(l, m)`,
			`cast(l, "str")`, `create_point("n", {"a": l}, {"f": l})`, `for x in l { add_key(n, x) }`,
		} {
			p, _, err := runs(t, value+use+"\nadd_key(end, 1)", "m")
			if errors.Is(err, pipeline.ErrPanic) {
				t.Errorf("%s: %v", use, err)
			}
			for _, f := range p.Fields {
				if k := f.Value.Kind(); k == point.List || k == point.Map {
					t.Errorf("%s: the point holds a %s", use, k)
				}
			}
		}
	}
}

func TestRunErrorsSayWhere(t *testing.T) {
	p, _, err := runs(t, "add_key(a, 1)\nif true {\n\tb = a + []\n}\nadd_key(c, 1)", "m")
	var run *compile.RunError
	if !errors.As(err, &run) {
		t.Fatalf("error %v", err)
	}
	if got, want := err.Error(), "test.p:3:8: + cannot take int and list"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if run.Snippet != "\tb = a + []" {
		t.Errorf("snippet %q", run.Snippet)
	}
	if _, ok := p.Field("a"); !ok {
		t.Error("what was done before the error is lost")
	}
	if _, ok := p.Field("c"); ok {
		t.Error("the script went on after the error")
	}
}

func TestFinalStepsFollowOnlySuccess(t *testing.T) {
	run := func(script, status string) (string, int64) {
		p := point.New("m", 4)
		p.Time = 1
		if status != "" {
			p.Set("status", point.StringOf(status))
		}
		_, _ = compiled(t, script).Run(&p, &pipeline.Env{Category: point.Logging})
		v, _ := p.Field("status")
		return v.Text(), p.Time
	}
	if s, at := run("add_key(time, 7)\nx = 1 + []", "E"); s != "E" || at != 1 {
		t.Errorf("after an error: status %q, time %d", s, at)
	}
	if s, at := run("add_key(time, 7)\nsetopt(status_mapping=false)", "E"); s != "E" || at != 7 {
		t.Errorf("mapping off: status %q, time %d", s, at)
	}
	for in, want := range map[string]string{
		"": "info", "F": "emerg", "emerg": "emerg", "a": "alert", "C": "critical", "e": "error", "Warn": "warning", "w": "warning",
		"n": "notice", "i": "info", "d": "debug", "TRACE": "debug", "verbose": "debug", "o": "OK", "s": "OK", "ok": "OK", "Odd": "odd",
	} {
		if got, _ := run("\n", in); got != want {
			t.Errorf("status %q became %q, want %q", in, got, want)
		}
	}
}

func TestUse(t *testing.T) {
	opts := engine(t).opts
	run := func(sources map[string]string) (point.Point, error) {
		programs, errs := pipeline.CompileAll(sources, opts, nil)
		p := point.New("m", 4)
		if programs["a.p"] == nil {
			return p, errs["a.p"].Err()
		}
		_, err := programs["a.p"].Run(&p, &pipeline.Env{})
		return p, err
	}
	p, err := run(map[string]string{
		"a.p": "x = 1\nuse(\"b.p\")\nadd_key(a, x)",
		"b.p": "x = 2\nadd_key(b, x)\nexit()\nadd_key(c, x)",
	})
	a, _ := p.Field("a")
	b, _ := p.Field("b")
	if _, ok := p.Field("c"); err != nil || a.Int() != 1 || b.Int() != 2 || ok {
		t.Errorf("variables or exit() of the one reached the other: %v, %v", p.Fields, err)
	}
	for name, sources := range map[string]map[string]string{
		"missing": {"a.p": `use("b.p")`},
		"itself":  {"a.p": `use("a.p")`},
		"a ring":  {"a.p": `use("b.p")`, "b.p": `use("c.p")`, "c.p": `use("a.p")`},
		"refused": {"a.p": `use("b.p")`, "b.p": `nope()`},
	} {
		if _, err := run(sources); err == nil {
			t.Errorf("%s: compiled", name)
		}
	}
	if _, err := run(map[string]string{"a.p": `use("b.p")`, "b.p": "\nx = 1 + []"}); err == nil || !strings.HasPrefix(err.Error(), "b.p:2:7:") {
		t.Errorf("the error of a script that is used stands at %v", err)
	}
}

func TestUnchangedProgramsAreTakenAgain(t *testing.T) {
	opts := engine(t).opts
	sources := map[string]string{"a.p": `use("b.p")`, "b.p": "x = 1", "c.p": "x = 1"}
	first, _ := pipeline.CompileAll(sources, opts, nil)
	same, _ := pipeline.CompileAll(sources, opts, first)
	for name := range sources {
		if same[name] != first[name] {
			t.Errorf("%s was compiled again for nothing", name)
		}
	}
	sources["b.p"] = "x = 2"
	changed, _ := pipeline.CompileAll(sources, opts, first)
	if changed["c.p"] != first["c.p"] || changed["b.p"] == first["b.p"] || changed["a.p"] == first["a.p"] {
		t.Error("a change of b.p must reach b.p and a.p, which uses it, and not c.p")
	}
}

func TestPanicIsOnePointsRunError(t *testing.T) {
	funcs, err := fn.NewTable([]fn.Func{{
		Name: "crash",
		Bind: func(*fn.Call) (fn.Eval, error) {
			return func(r *fn.Run) (point.Value, error) {
				r.Point.Set("a", point.IntOf(1))
				panic("boom")
			}, nil
		},
	}})
	if err != nil {
		t.Fatal(err)
	}
	program, errs := pipeline.Compile("p.p", "v = \"secret\"\nif v == \"secret\" { crash() }", pipeline.Options{Funcs: funcs})
	if errs != nil {
		t.Fatal(errs)
	}
	for range 3 {
		p := point.New("m", 1)
		if _, err := program.Run(&p, &pipeline.Env{}); !errors.Is(err, pipeline.ErrPanic) || strings.Contains(err.Error(), "\n") {
			t.Errorf("error %v", err)
		}
		if _, ok := p.Field("a"); !ok {
			t.Error("what was done before the panic is lost")
		}
	}
	// The variables of the run that crashed must not be seen by the next.
	clean, errs := pipeline.Compile("q.p", "for i = 0; i < 2; i += 1 { if i == 1 { w = x }\nx = 1 }\nadd(w)", pipeline.Options{Funcs: funcs})
	if errs == nil || clean != nil {
		t.Error("a script with an unknown function compiled")
	}
}

func TestOneProgramManyGoroutines(t *testing.T) {
	program := compiled(t, "n = 0\nfor x in [1, 2, 3] { n += x * i }\nadd_key(n)\nif grok(_, \"%{INT:g:int}\") { add_key(h, g + n) }")
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 200 {
				p := point.New("m", 4)
				p.Set("i", point.IntOf(int64(i)))
				p.Set("message", point.StringOf(fmt.Sprint("x ", g)))
				if _, err := program.Run(&p, &pipeline.Env{}); err != nil {
					t.Error(err)
				}
				if h, _ := p.Field("h"); h.Int() != int64(g+6*i) {
					t.Errorf("goroutine %d, point %d: %v", g, i, p.Fields)
				}
			}
		})
	}
	wg.Wait()
}

func TestDroppedAndCreated(t *testing.T) {
	_, result, err := runs(t, "drop()\ncreate_point(\"n\", {\"t\": \"v\"}, {\"f\": 1, \"time\": 9})", "m")
	if err != nil || !result.Dropped || len(result.Created) != 1 {
		t.Fatalf("%+v, %v", result, err)
	}
	made := result.Created[0]
	if made.Category != point.Metric || made.Point.Name != "n" || made.Point.Time != 9 {
		t.Errorf("created %+v in %s", made.Point, made.Category)
	}
}

// FuzzRun looks for a script that breaks the engine: a panic, a run without end,
// a point with values that no point carries.
func FuzzRun(f *testing.F) {
	for _, seed := range []string{
		arithmetic, access("IPORHOST"), "x = [1,2]\nx[0] = x\nadd_key(x)", "for c in message { add_key(last, c) }",
		"m = {\"a\": [1, {\"b\": 2.5}]}\nadd_key(r, m[\"a\"][1][\"b\"])", "r = message[::-2]\nset_tag(r)",
		"strfmt(s, \"%*d %v\", 5, 1, [nil])\ncover(message, [2, -3])", "pt_kvs_set(message, -true)\nexit()",
		"json(_, a.b[0], x, true)\nv = load_json(_)\nadd_key(v)\ngjson(_, \"a.#\", \"n\")", "default_time(message, \"+8\")\nparse_date(k, yy=message)",
		"cache_set(message, [message], 5)\nl = cache_get(message)\nadd_key(l)", "point_window(3, 3, [\"host\"])\nwindow_hit()\ndrop()",
		"agg_create(\"b\", on_count=1)\nagg_metric(\"b\", \"n\", \"avg\", [\"host\"], \"message\")", "datetime(message, \"s\", \"%Y-%j\")",
		"if message in [nil, \"a\"] || !x { drop_key(message) } elif 5 % 2 == 1 { x += 1 }",
	} {
		f.Add(seed, "a message with 12 and 3.5")
	}
	opts := engine(f).opts
	f.Fuzz(func(t *testing.T, script, message string) {
		program, errs := pipeline.Compile("fuzz.p", script, opts)
		if errs != nil {
			return
		}
		p := point.New("m", 4)
		p.SetTag("host", "h")
		p.Set("message", point.StringOf(message))
		_, err := program.Run(&p, &pipeline.Env{Category: point.Logging, Limits: fn.Limits{Steps: 20_000, Bytes: 1 << 20}})
		if errors.Is(err, pipeline.ErrPanic) {
			var run *compile.RunError
			errors.As(err, &run)
			t.Fatalf("%v\n%v", err, run.Err)
		}
		for _, field := range p.Fields {
			if k := field.Value.Kind(); k == point.List || k == point.Map {
				t.Fatalf("field %s is a %s", field.Key, k)
			}
		}
	})
}
