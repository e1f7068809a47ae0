package json_test

import (
	stdjson "encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	gojson "github.com/goccy/go-json"
	"pgregory.net/rapid"

	"datakit.dev/internal/funcs/json"
	ptfuncs "datakit.dev/internal/funcs/point"
	"datakit.dev/internal/pipeline"
	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/point"
)

type tb interface {
	Helper()
	Fatal(args ...any)
}

func compile(t tb, script string) *pipeline.Program {
	t.Helper()
	funcs, err := fn.NewTable(json.Functions(), ptfuncs.Functions())
	if err != nil {
		t.Fatal(err)
	}
	program, errs := pipeline.Compile("test.p", script, pipeline.Options{Funcs: funcs})
	if errs != nil {
		t.Fatal(errs)
	}
	return program
}

// run runs script on a point with a message.
func run(t tb, script, message string) (point.Point, error) {
	t.Helper()
	p := point.New("m", 4)
	p.Set("message", point.StringOf(message))
	_, err := compile(t, script).Run(&p, &pipeline.Env{})
	return p, err
}

func field(p point.Point, key string) any {
	v, _ := p.Field(key)
	return v.Any()
}

// documents draws JSON texts that have most of the paths that paths draws.
func documents() *rapid.Generator[string] {
	var value func(depth int) *rapid.Generator[string]
	value = func(depth int) *rapid.Generator[string] {
		return rapid.Custom(func(t *rapid.T) string {
			kind := rapid.IntRange(0, 9).Draw(t, "kind")
			switch {
			case depth > 0 && kind < 4:
				var pairs []string
				for range rapid.IntRange(0, 4).Draw(t, "keys") {
					key := rapid.SampledFrom([]string{`"a"`, `"b"`, `"c"`, `"\u0061"`, `"b c"`}).Draw(t, "key")
					pairs = append(pairs, key+" : "+value(depth-1).Draw(t, "value"))
				}
				return "{" + strings.Join(pairs, ", ") + "}"
			case depth > 0 && kind < 7:
				return "[" + strings.Join(rapid.SliceOfN(value(depth-1), 0, 3).Draw(t, "list"), ",") + "]"
			}
			return rapid.SampledFrom([]string{
				"null", "true", "false", "1", "-2.5e3", "12345678901234567890", "1e-7", "-0", `""`, `" x "`, `"<&>\u2028"`, `"\ud83d"`,
			}).Draw(t, "scalar")
		})
	}
	return value(4)
}

// A path is one as a script spells it, and its steps: strings and ints.
type path struct {
	text  string
	steps []any
}

func paths() *rapid.Generator[path] {
	return rapid.Custom(func(t *rapid.T) path {
		var p path
		for i := range rapid.IntRange(1, 3).Draw(t, "steps") {
			if rapid.IntRange(0, 2).Draw(t, "kind") == 0 {
				n := rapid.IntRange(-3, 3).Draw(t, "index")
				if i == 0 {
					p.text += "."
				}
				p.text += fmt.Sprintf("[%d]", n)
				p.steps = append(p.steps, n)
				continue
			}
			key := rapid.SampledFrom([]string{"a", "b", "c", "b c"}).Draw(t, "key")
			if i > 0 {
				p.text += "."
			}
			p.text += "`" + key + "`"
			p.steps = append(p.steps, key)
		}
		return p
	})
}

// descend goes from v along steps, and takes what it finds out of its map where
// remove says so.
func descend(v any, steps []any, remove bool) (any, bool) {
	for i, st := range steps {
		switch st := st.(type) {
		case string:
			m, _ := v.(map[string]any)
			e, ok := m[st]
			if !ok {
				return nil, false
			}
			if remove && i == len(steps)-1 {
				delete(m, st)
			}
			v = e
		case int:
			l, _ := v.([]any)
			if st < 0 {
				st += len(l)
			}
			if st < 0 || st >= len(l) {
				return nil, false
			}
			v = l[st]
		}
	}
	return v, true
}

// stored is how a point holds v: composite values as JSON.
func stored(t *rapid.T, v any) any {
	switch v := v.(type) {
	case string:
		return strings.TrimSpace(v)
	case []any, map[string]any:
		b, err := gojson.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	return v
}

func TestJSONTakesWhatTheLibraryWouldFind(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := documents().Draw(t, "text")
		first, second := paths().Draw(t, "path"), paths().Draw(t, "path")
		var doc any
		if err := stdjson.Unmarshal([]byte(text), &doc); err != nil {
			t.Fatal(err)
		}
		p, err := run(t, fmt.Sprintf("json(_, %s, x)\njson(_, %s, y)", first.text, second.text), text)
		if err != nil {
			t.Fatal(err)
		}
		for key, at := range map[string]path{"x": first, "y": second} {
			want, _ := descend(doc, at.steps, false)
			if got := field(p, key); got != stored(t, want) {
				t.Fatalf("%s of %s: %v, want %v", at.text, text, got, want)
			}
		}
	})
}

func TestJSONDeletesWhatItTook(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text, at := documents().Draw(t, "text"), paths().Draw(t, "path")
		if _, list := at.steps[len(at.steps)-1].(int); list {
			return
		}
		var doc any
		if err := stdjson.Unmarshal([]byte(text), &doc); err != nil {
			t.Fatal(err)
		}
		p, err := run(t, fmt.Sprintf("json(_, %s, x, delete_after_extract=true)", at.text), text)
		if err != nil {
			t.Fatal(err)
		}
		want, ok := descend(doc, at.steps, true)
		left := any(text)
		if ok && want != nil {
			left = stored(t, doc)
		}
		if field(p, "x") != stored(t, want) || field(p, "message") != left {
			t.Fatalf("%s of %s: %v, want %v; left %v, want %v", at.text, text, field(p, "x"), want, field(p, "message"), left)
		}
	})
}

func TestLoadJSONReadsWhatTheLibraryReads(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := documents().Draw(t, "text")
		var doc any
		if err := stdjson.Unmarshal([]byte(text), &doc); err != nil {
			t.Fatal(err)
		}
		p, err := run(t, "v = load_json(_)\nadd_key(x, [v])\nadd_key(ok, valid_json(_))", text)
		if err != nil || field(p, "x") != stored(t, []any{doc}) || field(p, "ok") != true {
			t.Fatalf("%s: %v, %v", text, p.Fields, err)
		}
	})
}

func TestTrimSpace(t *testing.T) {
	p, err := run(t, "json(_, a, x)\njson(_, a, y, false)\njson(_, a, z, trim_space=true)", `{"a": " b\n"}`)
	if err != nil || field(p, "x") != "b" || field(p, "y") != " b\n" || field(p, "z") != "b" {
		t.Errorf("%v, %v", p.Fields, err)
	}
}

func TestJSONOfWhatJSONWrote(t *testing.T) {
	p, err := run(t, "json(_, a)\njson(a, b)\njson(b, .[1], c)\njson(_, a.b[0], d)", `{"a": {"b": [1, "two"]}}`)
	if err != nil || field(p, "c") != "two" || field(p, "d") != 1.0 {
		t.Errorf("%v, %v", p.Fields, err)
	}
}

func TestPathsThatLeadNowhereAreTaken(t *testing.T) {
	p, err := run(t, "i = 0\njson(_, a[i], x)\njson(_, a[1 + 1], y)\njson(_, a[\"k\"], z)", `{"a": [1, 2, 3]}`)
	if err != nil || len(p.Fields) != 1 {
		t.Errorf("%v, %v", p.Fields, err)
	}
}

func TestGJSON(t *testing.T) {
	const text = `{"a": [{"n": 1, "s": "x"}, {"n": 2, "s": "y"}], "t": true, "z": null, "o": {"k": " v "}}`
	for path, want := range map[string]any{
		"a.#": 2.0, "a.1.s": "y", "a.#.n": "[1,2]", `a.#(n>1).s`: "y", "t": true, "z": nil, "nope": nil, "o": `{"k": " v "}`, "o.k": " v ",
		"o|@ugly": `{"k":" v "}`,
	} {
		if p, err := run(t, fmt.Sprintf("gjson(_, %q, \"out\")", path), text); err != nil || field(p, "out") != want {
			t.Errorf("%s: %v, want %v, error %v", path, field(p, "out"), want, err)
		}
	}
	p, err := run(t, "path = \"o.k\"\ngjson(_, path)", text)
	if err != nil || field(p, "o.k") != " v " {
		t.Errorf("%v, %v", p.Fields, err)
	}
	if _, err := run(t, `gjson(_, nope)`, text); err == nil {
		t.Error("a path that is no string is taken")
	}
}

func TestHostileBodiesDoNoHarm(t *testing.T) {
	const size = 1 << 20
	deep := strings.Repeat("[", size)
	hidden := strings.Repeat(`["]",`, size/5) // brackets in strings do not close
	for _, body := range []string{deep, hidden, strings.Repeat(`{"a":`, size/5), strings.Repeat(`"`, size), strings.Repeat("9", size), strings.Repeat(`\`, size)} {
		for _, script := range []string{
			`json(_, a, x)`, `json(_, .[0][-1], x, true, false)`, `json(_, a, delete_after_extract=true)`, `add_key(x, load_json(_))`,
			`add_key(x, valid_json(_))`, `gjson(_, "a.#.b", "x")`, `gjson(_, "@pretty", "x")`, `gjson(_, "@valid", "x")`,
			`gjson(_, "@flatten:{\"deep\":true}", "x")`, `gjson(_, "..0.@dig:a", "x")`, `gjson(_, "a*a*a*a*b", "x")`,
		} {
			if _, err := run(t, script, body); err != nil && (!fn.IsLimit(err) || errors.Is(err, pipeline.ErrPanic)) {
				t.Errorf("%s of %.10s…: %v", script, body, err)
			}
		}
	}
	// Ten times as deep, a recursion that nothing bounds overflows the stack.
	for _, path := range []string{"@pretty", "@valid", "@flatten:{\"deep\":true}"} {
		p, err := run(t, fmt.Sprintf("gjson(_, %q, \"x\")", path), strings.Repeat("[", 10<<20))
		if err != nil || field(p, "x") != nil {
			t.Errorf("%s: %.10v, %v", path, field(p, "x"), err)
		}
	}
	if _, err := run(t, `for ;; { json(_, a) }`, `{"a": 1}`); !fn.IsLimit(err) {
		t.Errorf("an endless loop: %v", err)
	}
	if _, err := run(t, `for ;; { a = load_json(_) }`, "["+strings.Repeat("1,", 1000)+"1]"); !fn.IsLimit(err) {
		t.Errorf("an endless loop: %v", err)
	}
}

func TestListsAndMapsAreShared(t *testing.T) {
	p, err := run(t, `m = load_json(_)
same = m
delete(m, "a")
delete(m["b"], "c")
delete(m["l"][-1], "d")
delete(m["l"][9], "d")
delete(m["nope"], "d")
delete(unknown, "d")
delete(message, "b")
l = m["l"]
n = append(l, "more")
none = append(message, 1)
add_key(same)
add_key(l)
add_key(n)
add_key(none)`, `{"a": 1, "b": {"c": 2}, "l": [0, {"d": 1}]}`)
	want := map[string]any{"same": `{"b":{},"l":[0,{}]}`, "l": `[0,{}]`, "n": `[0,{},"more"]`, "none": nil}
	for key, v := range want {
		if field(p, key) != v {
			t.Errorf("%s: %v, want %v", key, field(p, key), v)
		}
	}
	if err != nil {
		t.Error(err)
	}
}

func TestCallsThatCannotBeRightAreRefused(t *testing.T) {
	funcs, err := fn.NewTable(json.Functions())
	if err != nil {
		t.Fatal(err)
	}
	for _, script := range []string{
		`json()`, `json(_)`, `json(1, a)`, `json(_, "a")`, `json(_, [a])`, `json(_, a, 1)`, `json(_, a, b, "yes")`, `json(_, a, b, true, 1)`,
		`json(_, a[0], b, true, true)`, `json(_, a, b, true, false)`, `json(_, a, b, true, true, 1)`, `json(_, a, where=b)`,
		`gjson(_)`, `gjson(_, 1)`, `gjson(_, a.b)`, `gjson(_, "a", 1)`, `gjson(1, "a")`, `load_json()`, `load_json(a, b)`, `valid_json()`,
		`append(a)`, `append(1, 2)`, `append([1], 2)`, `delete(a)`, `delete(a, b)`, `delete("a", "b")`, `delete(a.b, "c")`,
	} {
		if _, errs := pipeline.Compile("test.p", script, pipeline.Options{Funcs: funcs}); errs == nil {
			t.Errorf("%s is taken", script)
		}
	}
}

// body is a log record of the usual size.
const body = `{"time":"2024-05-06T07:08:09.123456Z","level":"info","logger":"com.example.shop.OrderController","thread":"http-nio-8080-exec-7",` +
	`"trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","span_id":"00f067aa0ba902b7","service":{"name":"order","version":"1.42.7","env":"production"},` +
	`"http":{"method":"POST","path":"/api/v1/orders","status":201,"duration_ms":37.25,"request":{"bytes":1289,"headers":{"host":"shop.example.com",` +
	`"user-agent":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36","accept":"application/json"}},"response":{"bytes":512}},"user":{"id":18446,` +
	`"name":"tom","roles":["buyer","seller"],"active":true},"items":[{"sku":"A-1","qty":2,"price":9.99},{"sku":"B-7","qty":1,"price":129.5},` +
	`{"sku":"C-3","qty":5,"price":0.25}],"message":"order created, payment pending","tags":["order","created","web"],"host":"node-17","pid":4711}`

func BenchmarkSixPaths(b *testing.B) {
	against(b, "json(_, level)\njson(_, service.name, service)\njson(_, http.status, code)\n"+
		"json(_, http.duration_ms, cost)\njson(_, user.id, user)\njson(_, items[2].sku, sku)\n")
}

func BenchmarkLoad(b *testing.B) { against(b, "v = load_json(_)") }

func BenchmarkValid(b *testing.B) { against(b, "v = valid_json(_)") }

// against reports how many times faster script is than one decoding of its
// message by the standard library, measured in turns on the same machine.
func against(b *testing.B, script string) {
	b.Helper()
	program := compile(b, script)
	env := &pipeline.Env{}
	p := point.New("m", 16)
	p.Set("message", point.StringOf(body))
	var ours, theirs time.Duration
	var calls int
	b.ReportAllocs()
	for b.Loop() {
		p.Fields = p.Fields[:1]
		if _, err := program.Run(&p, env); err != nil {
			b.Fatal(err)
		}
		if calls++; calls%256 != 0 {
			continue
		}
		b.StopTimer()
		began := time.Now()
		for range 256 {
			p.Fields = p.Fields[:1]
			_, _ = program.Run(&p, env)
		}
		turn := time.Now()
		for range 256 {
			var v any
			if err := stdjson.Unmarshal([]byte(body), &v); err != nil {
				b.Fatal(err)
			}
		}
		ours += turn.Sub(began)
		theirs += time.Since(turn)
		b.StartTimer()
	}
	if ours > 0 {
		b.ReportMetric(float64(theirs)/float64(ours), "x-faster-than-encoding/json")
	}
}
