package spec

import (
	"fmt"
	"strings"
	"testing"

	"datakit.dev/internal/diag"
)

// outline renders a tree with its positions.
func outline(n *Node) string {
	switch {
	case n.IsTable():
		parts := make([]string, len(n.Keys))
		for i, k := range n.Keys {
			parts[i] = fmt.Sprintf("%s@%v=%s", k.Name, k.Pos, outline(k.Node))
		}
		return "{" + strings.Join(parts, " ") + "}"
	case n.IsArray():
		parts := make([]string, len(n.Items))
		for i := range n.Items {
			parts[i] = outline(&n.Items[i])
		}
		return "[" + strings.Join(parts, " ") + "]"
	}
	return fmt.Sprintf("%v@%v", n.Scalar, n.Pos)
}

func TestParseKeepsPositions(t *testing.T) {
	for src, want := range map[string]string{
		"":                             "{}",
		"# only a comment\n":           "{}",
		"a = 1\n  b = 'x'":             "{a@1:1=1@1:5 b@2:3=x@2:7}",
		"é = 1":                        "",
		"'é' = \"ü\" # c\nb = true":    "{é@1:1=ü@1:7 b@2:1=true@2:5}",
		"a.b.c = 1.5":                  "{a@1:1={b@1:3={c@1:5=1.5@1:9}}}",
		"[t]\nx = 0x_1":                "",
		"[t]\nx = 0xF_F":               "{t@1:2={x@2:1=255@2:5}}",
		"[a.b]\nx = -1\n[a]\ny = 0o17": "{a@1:2={b@1:4={x@2:1=-1@2:5} y@4:1=15@4:5}}",
		"[[x]]\na = 1\n[[x]]\na = 2":   "{x@1:3=[{a@2:1=1@2:5} {a@4:1=2@4:5}]}",
		"x = [1, [\n2]]":               "{x@1:1=[1@1:6 [2@2:1]]}",
		"x = { a = 1, b.c = 'z' }":     "{x@1:1={a@1:7=1@1:11 b@1:14={c@1:16=z@1:20}}}",
		"d = 2026-01-02":               "{d@1:1=0001-01-01 00:00:00 +0000 UTC@1:5}",
		"s = '''\nx\ny'''":             "{s@1:1=x\ny@1:5}",
	} {
		n, l := Parse(src)
		switch {
		case want == "" && len(l) == 0:
			t.Errorf("%q was taken: %s", src, outline(n))
		case want != "" && len(l) > 0:
			t.Errorf("%q: %v", src, l)
		case want != "" && outline(n) != want:
			t.Errorf("%q:\n got %s\nwant %s", src, outline(n), want)
		}
	}
}

func TestInputTablesWithSubTables(t *testing.T) {
	n, l := Parse("[[inputs.cpu]]\ninterval = '1s'\n[inputs.cpu.tags]\na = 'b'\n[[inputs.cpu]]\n[[inputs.cpu.sub]]\nx = 1\n[[inputs.cpu.sub]]\n[inputs.cpu.sub.tags]\nc = 'd'\n")
	if len(l) > 0 {
		t.Fatal(l)
	}
	want := "{inputs@1:3={cpu@1:10=[{interval@2:1=1s@2:12 tags@3:13={a@4:1=b@4:5}} {sub@6:14=[{x@7:1=1@7:5} {tags@9:17={c@10:1=d@10:5}}]}]}}"
	if got := outline(n); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

func TestParseErrorsNameThePlace(t *testing.T) {
	for src, want := range map[string]diag.Position{
		"a = ":                                  {Line: 1, Column: 4},
		"a = 'ü' x":                             {Line: 1, Column: 9},
		"a = 1\na = 2":                          {Line: 2, Column: 1},
		"a = { b = 1 }\na.c = 2":                {Line: 2, Column: 1},
		"[a]\n[a]":                              {Line: 2, Column: 2},
		"[[inputs.x]]\n[inputs.x]":              {Line: 2, Column: 2},
		"a = 1\nb = \"\xff\"":                   {Line: 2, Column: 6},
		"x = 99999999999999999999":              {Line: 1, Column: 5},
		"ok = 1\nx = [1,\n2\n3]":                {Line: 4, Column: 1},
		"x" + strings.Repeat(".x", 32) + " = 1": {Line: 1, Column: 1},
	} {
		_, l := Parse(src)
		if len(l) != 1 || l[0].Pos != want {
			t.Errorf("%.40q: %v, want one error at %v", src, l, want)
		}
	}
}

func TestParseErrorsTellNoSecret(t *testing.T) {
	for _, src := range []string{
		"password = hunter2", "password = \"hunter2", "password = \"hunter2\\q\"", "token = 'hunter2\n'", "secret = \"\"\"\nhunter2",
		"password \"hunter2\"", "password = \"a\"\npassword = \"hunter2\"", "passwords = [\n\"hunter2\"\n\"hunter2\"]", "password=hunter2=3",
		"api_key = \"x\"hunter2", "keys = [1,\n[2,\n\"hunter2\"}]", "url = 'http://me:hunter2@host/'\nurl = 'http://me:hunter2@host/?token=hunter2'",
		"p = [\n[\"hunter2\"\n", "password = '''\n[hunter2]\n=hunter2\x01\n'''",
	} {
		_, l := Parse(src)
		if len(l) == 0 {
			t.Errorf("%q was taken", src)
		}
		if text := l.In("store:/key", src).Text(); strings.Contains(text, "hunter2") {
			t.Errorf("%q: %s", src, text)
		}
	}
	if _, l := Parse("password = 1e99999"); strings.Contains(l.Error(), "99999") {
		t.Errorf("a number: %v", l)
	}
}

func TestHostileTextsAreRefusedSoon(t *testing.T) {
	for name, c := range map[string]struct{ src, want string }{
		"brackets":    {"a = " + strings.Repeat("[", 1<<20), "nested"},
		"braces":      {"a = " + strings.Repeat("{a=", 1<<18), "nested"},
		"lists":       {"a = " + strings.Repeat("[", 40) + strings.Repeat("]", 40), "at most 32 levels"},
		"dotted keys": {strings.Repeat("a.", 100_000) + "b = 1", "at most 32 levels"},
		"headers":     {"[" + strings.Repeat("a.", 100_000) + "b]", "at most 32 levels"},
		"keys":        {numbered("k%d = 1\n", 100_000), "at most 10000 keys"},
		"tables":      {numbered("[k%d]\n", 100_000), "at most 10000 keys"},
		"inline keys": {"a = {" + numbered("k%d = 1, ", 100_000) + "z = 1}", "at most 10000 keys"},
		"a list":      {"a = [" + strings.Repeat("1,", 1<<19) + "]", "at most 100000"},
		"elements":    {strings.Repeat("[[a]]\n", 100_000), "at most 10000 keys"},
		"a long key":  {strings.Repeat("k", 1<<20) + " = 1\n" + strings.Repeat("k", 1<<20) + " = 1\n", "not valid TOML"},
	} {
		t.Run(name, func(t *testing.T) {
			_, l := Parse(c.src)
			if len(l) != 1 || !strings.Contains(l[0].Message, c.want) {
				t.Errorf("%.300v", l)
			}
			if text := l.In("o", c.src).Text(); len(text) > 2000 {
				t.Errorf("the error is %d bytes long", len(text))
			}
		})
	}
	n, l := Parse("a = \"" + strings.Repeat("x", 1<<20) + "\"")
	if len(l) > 0 || len(n.Keys[0].Node.Scalar.(string)) != 1<<20 {
		t.Errorf("a long string: %v", l)
	}
	if n, l := Parse("é = 1"); n != nil || len(l) != 1 {
		t.Error("a key of other letters needs quotes")
	}
	n, l = Parse("a = [" + strings.Repeat("1,", 1<<16) + "]")
	if len(l) > 0 || n.Keys[0].Node.Items[1<<16-1].Pos.Column != 6+2*(1<<16-1) {
		t.Errorf("a long list: %v", l)
	}
	if _, l := Parse(strings.Repeat("[", 1000)); len(l) != 1 {
		t.Errorf("open brackets: %v", l)
	}
}

func numbered(format string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

func FuzzParse(f *testing.F) {
	for _, src := range []string{
		"", "a = 1", "[[inputs.x]]\na = [1, {b = 'c'}]\n[inputs.x.tags]\n", "a.'b'.\"c\" = 1.5e3", "d = 2026-01-02T03:04:05Z", "x = inf", "\xff", "[a]\r\nb=1\r\n",
		"password = hunter2", "[[a]]\n[a.b]\n[[a.b.c]]", "é = 1", "a = \"\"\"\nü\n\"\"\" x",
	} {
		f.Add(src)
	}
	s := Schema{Name: "a", Fields: testFields()}
	f.Fuzz(func(t *testing.T, src string) {
		lines := strings.Count(src, "\n") + 1
		inside := func(p diag.Position) bool {
			return p.Line >= 1 && p.Line <= lines && p.Column >= 1 && p.Column <= len(src)+1
		}
		n, l := Parse(src)
		if (n == nil) == (len(l) == 0) {
			t.Fatalf("tree %v, errors %v", n, l)
		}
		for _, d := range l {
			if d.Pos != (diag.Position{}) && !inside(d.Pos) {
				t.Errorf("error at %v of %d lines: %v", d.Pos, lines, d)
			}
		}
		if n == nil {
			return
		}
		_, l = s.Decode(n)
		for _, d := range l {
			if !inside(d.Pos) {
				t.Errorf("error at %v of %d lines: %v", d.Pos, lines, d)
			}
		}
	})
}
