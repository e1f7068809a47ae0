package config

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"datakit.dev/internal/diag"
	"datakit.dev/internal/store"
)

func TestNormalizeTakesWrappingAway(t *testing.T) {
	const toml = "[[inputs.cpu]]\npercpu = true\n"
	for name, value := range map[string]string{
		"plain":                   toml,
		"backticks":               "`" + toml + "`",
		"backticks, blank around": " \n`" + toml + "`\n\n",
		"mark":                    "\ufeff" + toml,
		"mark before backticks":   "\ufeff`" + toml + "`",
		"mark within backticks":   "`\ufeff" + toml + "`",
		"DOS lines":               strings.ReplaceAll(toml, "\n", "\r\n"),
		"old Mac lines":           strings.ReplaceAll(toml, "\n", "\r"),
		"all of it":               "\ufeff`\r\n" + strings.ReplaceAll(toml, "\n", "\r\n") + "`\r\n",
	} {
		r := compile(request(etcd("confd/x", value)))
		if unit(t, r, "cpu").Body.(*Desired).Values.Bool("percpu") != true || r.Pending {
			t.Errorf("%s: %+v", name, r.Keys)
		}
	}
}

func TestNormalizeLeavesWhatIsNoPair(t *testing.T) {
	for _, value := range []string{"`", "`a", "a`", "a`b", "''"} {
		if got := Normalize(value); got != value {
			t.Errorf("%q became %q", value, got)
		}
	}
}

// What an editor shows at line and column is what the error names, whatever
// wrapping was taken away.
func TestPositionsAreThoseOfTheValue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		before := rapid.SampledFrom([]string{"", "\n", " ", "# é\n", "\n\n\t"}).Draw(t, "before")
		indent := rapid.SampledFrom([]string{"", "  ", "\t", `servers = ["世", "界"]` + "\n"}).Draw(t, "indent")
		end := rapid.SampledFrom([]string{"\n", "\r\n"}).Draw(t, "end")
		open := rapid.SampledFrom([]string{"", "`"}).Draw(t, "open")
		if open != "" && strings.HasPrefix(before, "#") {
			before = "\n" + before
		}
		text := open + before + "[[inputs.net]]\n" + indent + "retries = true\n" + open
		want := diag.At(text, strings.Index(text, "true\n"))
		value := strings.ReplaceAll(text, "\n", end)
		_, list := catalog().parseValue(entry("confd/x", value))
		if len(list) != 1 || list[0].Pos != want {
			t.Fatalf("%q: %v, want %v", value, list, want)
		}
	})
}

func TestDiagnosticNamesPlaceAndExpectation(t *testing.T) {
	const head = "[[inputs.net]]\n"
	for _, test := range []struct{ name, value, want string }{
		{"syntax", head + "url = \n", "2:7: not valid TOML"},
		{"unclosed string", head + "url = \"a\n", "2:"},
		{"a key twice", head + "url = \"a\"\nurl = \"b\"\n", "3:1: not valid TOML"},
		{"unknown input", "\n[[inputs.nett]]\n", `2:10: unknown input "nett"; there is net`},
		{"unknown field", head + "  urll = \"a\"\n", `2:3: unknown field "urll" in [inputs.net], did you mean "url"?`},
		{"bool for string", head + "url = true\n", "2:7: url: expected a string, got a bool"},
		{"string for integer", head + "retries = \"3\"\n", "2:11: retries: expected an integer, got a string"},
		{"out of range", head + "retries = 10\n", "2:11: retries: expected at most 9, got 10"},
		{"bool for duration", head + "interval = true\n", `2:12: interval: expected a duration such as "10s", got a bool`},
		{"duration too short", head + "interval = \"1ms\"\n", "2:12: interval: expected at least 100ms, got 1ms"},
		{"no duration", head + "interval = \"soon\"\n", "2:12: interval: expected a duration"},
		{"integer for list", head + "servers = 3\n", "2:11: servers: expected a list of strings, got an integer"},
		{"list of integers", head + "servers = [3]\n", "2:12: servers: expected a string, got an integer"},
		{"list for tags", head + "tags = [\"a\"]\n", "2:8: tags: expected a table of strings, got a list"},
		{"field of a table", head + "[inputs.net.login]\nusr = 1\n", `3:1: unknown field "usr" in [inputs.net.login]`},
		{"another table", "[agent]\nx = 1\n", `1:2: expected [[inputs.NAME]] tables, got "agent"`},
		{"bare key", "url = 1\n", `1:1: expected [[inputs.NAME]] tables, got "url"`},
		{"input as a string", "[inputs]\nnet = \"x\"\n", "2:1: expected [[inputs.net]], got a string"},
		{"inputs in a list", "[inputs]\nnet = [1]\n", "2:8: expected [[inputs.net]], got an integer"},
		{"not UTF-8", head + "url = \"\xff\"\n", "2:8: the text is not valid UTF-8"},
	} {
		r := compile(request(etcd("confd/x", test.value)))
		k := keyOf(t, r, "/datakit/confd/x")
		if k.State != "rejected" || !strings.HasPrefix(k.Error, "etcdv3:/datakit/confd/x:"+test.want) || len(r.Units) > 0 {
			t.Errorf("%s: %s %q\nwant %q", test.name, k.State, k.Error, test.want)
		}
	}
}

func TestKeyIsTakenWholeOrNotAtAll(t *testing.T) {
	value := "[[inputs.cpu]]\n[[inputs.net]]\nurl = \"a\"\n[[inputs.net]]\nurl = 1\n[[inputs.nope]]\n"
	instances, list := catalog().parseValue(entry("confd/x", value))
	if instances != nil || len(list) != 2 {
		t.Errorf("%d instances, %v", len(instances), list)
	}
}

func TestOneValueMayHoldManyTables(t *testing.T) {
	value := "[[inputs.net]]\nurl = \"a\"\n[[inputs.cpu]]\n[[inputs.net]]\nurl = \"b\"\n[inputs.net.tags]\nx = \"y\"\n[inputs.mem]\n"
	r := compile(request(etcd("confd/x", value)))
	wantRunning(t, r, "input/cpu=etcdv3:/datakit/confd/x input/mem=etcdv3:/datakit/confd/x "+
		"input/net/x#2=etcdv3:/datakit/confd/x input/net/x=etcdv3:/datakit/confd/x")
	if got := r.Units["input/net/x#2"].Body.(*Desired); got.Values.String("url") != "b" || got.Labels()["x"] != "y" {
		t.Errorf("%+v", got.Values)
	}
}

func TestLayoutAndCommentsMeanNothing(t *testing.T) {
	same := []string{
		"[[inputs.net]]\nurl = \"a\"\nretries = 1\ninterval = \"10s\"\n",
		"# mine\n[[ inputs . net ]] # here\n\n  interval='10000ms' # soon\nurl    =   'a'",
		"[inputs.net]\nurl = \"a\"\n",
		"inputs.net = [{url = \"\\u0061\", interval = \"10s\"}]\n",
	}
	for _, value := range same {
		if got, want := unit(t, compile(request(etcd("confd/x", value))), "net"), unit(t, compile(request(etcd("confd/x", same[0]))), "net"); got.Hash != want.Hash {
			t.Errorf("%q is another input", value)
		}
	}
}

func TestEmptyValueAsksForNothing(t *testing.T) {
	for _, value := range []string{"", "  \n\t", "``", "` \n`", "\ufeff", "# only a comment\n", "[inputs]\n"} {
		r := compile(request(etcd("confd/x", value)))
		if k := r.Keys[0]; k.State != "empty" || len(r.Units) > 0 || r.Pending || len(r.Goods) > 0 {
			t.Errorf("%q: %+v", value, r)
		}
	}
}

func TestValueTooLargeIsRefused(t *testing.T) {
	snap, err := store.NewSnapshot("1", []store.Entry{
		{Key: "confd/x", Value: strings.Repeat("#", store.MaxValue+1)},
		{Key: "pipeline/metric/x.p", Value: strings.Repeat("#", store.MaxValue+1)},
	})
	if err != nil {
		t.Fatal(err)
	}
	r := compile(request(Source{ID: "etcdv3", Backend: "etcdv3", Root: "/datakit", Entries: snap.Entries}))
	for _, k := range r.Keys {
		if k.State != "rejected" || !strings.Contains(k.Error, "has 1048577 bytes, at most 1048576 are taken") {
			t.Errorf("%+v", k)
		}
	}
}

func TestTablesOfOneValueAreBounded(t *testing.T) {
	value := strings.Repeat("[[inputs.net]]\n", maxTables)
	if _, list := catalog().parseValue(entry("confd/x", value)); list != nil {
		t.Errorf("%d tables: %v", maxTables, list)
	}
	_, list := catalog().parseValue(entry("confd/x", value+"[[inputs.net]]\n"))
	if len(list) != 1 || !strings.Contains(list[0].Message, "1001 tables, at most 1000") {
		t.Errorf("one more: %v", list)
	}
}

// A hostile megabyte costs a bounded time and a bounded answer. Each of these
// once took minutes: the work for one line grew with the lines before it.
func TestHostileMegabyteIsRefusedAtOnce(t *testing.T) {
	for name, lines := range map[string]func(i int) string{
		"unknown fields":      func(i int) string { return "k" + number(i) + "=1\n" },
		"unknown inputs":      func(i int) string { return "[inputs.k" + number(i) + "]\n" },
		"tables at the root":  func(i int) string { return "[k" + number(i) + "]\n" },
		"tables in the table": func(i int) string { return "[inputs.net.k" + number(i) + "]\n" },
		"tags":                func(i int) string { return "tags.k" + number(i) + "=1\n" },
		"headers":             func(int) string { return "[[inputs.net]]\n" },
		"headers with fields": func(i int) string { return "[[inputs.net]]\nk" + number(i) + "=1\n" },
		"an inline table":     func(i int) string { return "x={" + strings.Repeat("k"+number(i)+"=1,", 2000) + "}\n" },
		"a long list":         func(int) string { return "servers=[" + strings.Repeat("0,", 400_000) + "]\n" },
		"fields, then tables": func(i int) string {
			if i < 20_000 {
				return "[inputs.t" + number(i/900) + "]\nk" + number(i) + "=1\n"
			}
			return "[[inputs.net.t]]\n"
		},
	} {
		t.Run(name, func(t *testing.T) {
			var b strings.Builder
			b.WriteString("[[inputs.net]]\nretries = true\n")
			for i := 0; b.Len() < store.MaxValue-64; i++ {
				b.WriteString(lines(i))
			}
			_, list := catalog().parseValue(entry("confd/x", b.String()))
			if len(list) == 0 || len(list) > maxDiagnostics+1 {
				t.Errorf("%d diagnostics", len(list))
			}
		})
	}
}

func number(i int) string {
	const digits = "0123456789abcdefghijklmnopqrstuvwxyz"
	s := ""
	for ; i > 0 || s == ""; i /= len(digits) {
		s = string(digits[i%len(digits)]) + s
	}
	return s
}

// No schema tells that phrase or community hold a secret by their names alone.
func TestSecretsAreInNoDiagnostic(t *testing.T) {
	const secret = "hunter2"
	for _, value := range []string{
		"[[inputs.net]]\ncommunity = \"hunter2\n",
		"[[inputs.net]]\ncommunity = [\"hunter2\"]\n",
		"[[inputs.net]]\ncommunity = \"hunter2\" x\n",
		"[[inputs.net]]\nlogin = {phrase = \"hunter2\", x = 1}\n",
		"[[inputs.net]]\nlogin = {phrase = \"hunter2\" x}\n",
		"[[inputs.net]]\npassword = \"hunter2\"\n",
		"[[inputs.net]]\nurl = [\"http://me:hunter2@host\"]\n",
		"inputs.net = [{community = [\"hunter2\"]}]\n",
	} {
		_, list := catalog().parseValue(entry("confd/x", value))
		if len(list) == 0 {
			t.Errorf("%q is taken", value)
		}
		if text := list.Text(); strings.Contains(text, secret) {
			t.Errorf("%q is told:\n%s", value, text)
		}
	}
}

func FuzzParseValue(f *testing.F) {
	for _, seed := range []string{
		"", "`", "\ufeff`\r\n[[inputs.cpu]]\r\n`", "[[inputs.net]]\nurl = 1\n[inputs.net.login]\nuser = \"x\"",
		"inputs = {net = [{}, {url = \"a\"}]}", "[[inputs.net]]\n[[inputs.net.login]]\n", "[inputs.net.tags]\na = 2020-01-01\n",
		strings.Repeat("[", 100), "a." + strings.Repeat("a.", 40) + "a = 1", "[[inputs.net]]\ntags = {a = 1, a.b = 2}",
	} {
		f.Add(seed)
	}
	cat := catalog()
	f.Fuzz(func(t *testing.T, value string) {
		text := Normalize(value)
		if strings.ContainsRune(text, '\r') || strings.HasPrefix(text, "\ufeff") && !strings.HasPrefix(value, "\ufeff\ufeff") {
			t.Fatalf("%q is not normal", text)
		}
		instances, list := cat.parseValue(entry("confd/x", value))
		if list != nil && instances != nil {
			t.Fatal("instances beside diagnostics")
		}
		again, _ := cat.parseValue(entry("confd/x", text))
		if list == nil && len(again) != len(instances) {
			t.Fatalf("%d instances, and %d of the normal text", len(instances), len(again))
		}
		lines := strings.Count(text, "\n") + 1
		for _, d := range list {
			if d.Pos.Line < 0 || d.Pos.Line > lines || strings.ContainsAny(d.Error(), "\n\x1b") {
				t.Fatalf("%q: %q at %v of %d lines", value, d.Error(), d.Pos, lines)
			}
		}
		for _, in := range instances {
			if in.Interval <= 0 || in.hash == "" || in.Values["interval"] == nil {
				t.Fatalf("%+v", in)
			}
		}
	})
}
