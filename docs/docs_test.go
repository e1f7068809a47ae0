package docs

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"datakit.dev/internal/config"
	"datakit.dev/internal/diag"
	inputs "datakit.dev/internal/inputs/all"
	outputs "datakit.dev/internal/outputs/all"
	"datakit.dev/internal/pipeline"
	"datakit.dev/internal/reconcile"
	"datakit.dev/internal/status"
	"datakit.dev/internal/store"
	stores "datakit.dev/internal/stores/all"
)

func parts(t *testing.T) config.Parts {
	t.Helper()
	p := config.Parts{Backends: stores.All(), Catalog: config.NewCatalog(inputs.All())}
	for _, o := range outputs.All() {
		switch o.Name {
		case "file":
			p.IO = o.Spec.Fields
		case "dataway":
			p.Dataway = o.Spec.Fields
		}
	}
	if p.IO == nil || p.Dataway == nil {
		t.Fatal("the outputs that describe [io] and [dataway] are gone")
	}
	return p
}

var inputHeader = regexp.MustCompile(`(?m)^\s*\[\[?inputs\.`)

// check returns what an agent says of a text: of a value with inputs, or of a
// datakit.conf. A warning of datakit.conf counts, too: no example may have one.
func check(p config.Parts, text string) (bad diag.List) {
	if inputHeader.MatchString(text) {
		if key := fate(p, text); key.State != status.Applied {
			bad.Add(diag.Position{}, "%s: %s", key.State, key.Error)
		}
		return bad
	}
	_, problems, warnings := config.ParseMain(text, nil, p)
	return append(problems, warnings...)
}

// fate returns what would become of a key with this value.
func fate(p config.Parts, value string) status.Key {
	res, _ := config.Compile(nil, config.Request{Catalog: p.Catalog, Stores: []config.Source{{
		ID: "etcdv3", Backend: "etcdv3", Root: "/datakit", Entries: []store.Entry{{Key: "confd/x", Value: value}},
	}}})
	return res.Keys[0]
}

func TestEveryTOMLExampleIsTaken(t *testing.T) {
	p, n := parts(t), 0
	for _, pg := range pages(t) {
		for _, b := range pg.blocks {
			if b.lang != "toml" {
				continue
			}
			n++
			if bad := check(p, b.text); len(bad) > 0 {
				t.Errorf("%s:%d: %s", b.page, b.line, bad.Text())
			}
		}
	}
	if n < 10 {
		t.Errorf("only %d examples were found", n)
	}
}

var (
	put     = regexp.MustCompile(`etcdctl put (\S+) '([^']*)'([^\n]*)`)
	hereDoc = regexp.MustCompile(`(?s)<<'?EOF'?\n(.*?\n)EOF`)
)

// What a shell example writes is taken as well, and refused where its comment
// says that it is wrong.
func TestEveryShellExampleWritesWhatItSays(t *testing.T) {
	p, n := parts(t), 0
	for _, pg := range pages(t) {
		for _, b := range pg.blocks {
			for _, m := range put.FindAllStringSubmatch(b.text, -1) {
				n++
				wrong := slices.ContainsFunc([]string{"bad", "写错", "does not compile", "编译不过"}, func(s string) bool { return strings.Contains(m[3], s) })
				if strings.Contains(m[1], "/pipeline/") {
					if bad := pipeline.Check(path.Base(m[1]), m[2], compiler(t)); (len(bad) > 0) != wrong {
						t.Errorf("%s:%d: %q: %s", b.page, b.line, m[2], bad.Text())
					}
					continue
				}
				if key := fate(p, m[2]); (key.State == status.Applied) == wrong {
					t.Errorf("%s:%d: %q is %s: %s", b.page, b.line, m[2], key.State, key.Error)
				}
			}
			for _, m := range hereDoc.FindAllStringSubmatch(b.text, -1) {
				n++
				if bad := check(p, m[1]); len(bad) > 0 {
					t.Errorf("%s:%d: %s", b.page, b.line, bad.Text())
				}
			}
		}
	}
	if n < 6 {
		t.Errorf("only %d examples were found", n)
	}
}

// The error that the manual shows is the one that people get.
func TestTheErrorInTheManualIsOurs(t *testing.T) {
	got := fate(parts(t), "[[inputs.cpu]]\n  interval = 5").Error
	want := strings.Replace(got, "/confd/x:", "/confd/cpu:", 1)
	for _, path := range []string{"docs/confd.md", "docs/zh/confd.md"} {
		if !slices.ContainsFunc(find(t, path).blocks, func(b block) bool { return strings.TrimSpace(b.text) == want }) {
			t.Errorf("%s does not show %q", path, want)
		}
	}
}

func find(t *testing.T, path string) page {
	t.Helper()
	all := pages(t)
	i := slices.IndexFunc(all, func(p page) bool { return p.path == path })
	if i < 0 {
		t.Fatalf("there is no %s", path)
	}
	return all[i]
}

func TestEveryOptionIsInTheManual(t *testing.T) {
	p := parts(t)
	confd, _ := p.Schema().Field("confd")
	fields := slices.Clone(confd.Fields)
	for _, b := range p.Backends {
		fields = append(fields, b.Spec.Fields...)
	}
	for _, path := range []string{"docs/confd.md", "docs/zh/confd.md"} {
		pg := find(t, path)
		for _, f := range fields {
			if !strings.Contains(pg.prose, "`"+f.Name+"`") {
				t.Errorf("%s does not explain %s", path, f.Name)
			}
		}
		defaults := slices.IndexFunc(pg.blocks, func(b block) bool { return strings.HasPrefix(b.text, "[confd]") })
		if defaults < 0 {
			t.Fatalf("%s shows no [confd]", path)
		}
		shown, _, _ := config.ParseMain(pg.blocks[defaults].text, nil, p)
		if none, _, _ := config.ParseMain("", nil, p); shown.Confd != none.Confd {
			t.Errorf("%s: the defaults of [confd] are %+v, not %+v", path, none.Confd, shown.Confd)
		}
		if n := strings.Count(pg.blocks[defaults].text, "="); n != len(confd.Fields) {
			t.Errorf("%s shows %d of the %d options of [confd]", path, n, len(confd.Fields))
		}
	}
}

// Every example of an answer has the shape that the agent sends.
func TestEveryAnswerInTheManualIsOurs(t *testing.T) {
	answers := []func() any{
		func() any { return new(status.Status) },
		func() any {
			return new(struct {
				reconcile.Trial
				Problems []map[string]any `json:"problems"`
			})
		},
		func() any {
			return new(struct {
				Content map[string]any `json:"content"`
			})
		},
		func() any {
			return new(struct {
				Code    string           `json:"error_code"`
				Message string           `json:"message"`
				Written int              `json:"written"`
				Errors  []map[string]any `json:"errors"`
			})
		},
	}
	for _, b := range find(t, "docs/status.md").blocks {
		if b.lang == "json" && !slices.ContainsFunc(answers, func(shape func() any) bool {
			d := json.NewDecoder(strings.NewReader(b.text))
			d.DisallowUnknownFields()
			return d.Decode(shape()) == nil
		}) {
			t.Errorf("%s:%d: the agent sends nothing of this shape", b.page, b.line)
		}
	}
}

func TestEveryFieldOfTheStatusIsExplained(t *testing.T) {
	var names []string
	for _, v := range []any{status.Status{}, status.Store{}, status.Key{}, status.Unit{}, status.Script{}, status.Output{}, status.Recent{}} {
		for f := range reflect.TypeOf(v).Fields() {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if name != "-" {
				names = append(names, name)
			}
		}
	}
	for _, path := range []string{"docs/status.md", "docs/zh/status.md"} {
		pg := find(t, path)
		for _, n := range names {
			heading := slices.ContainsFunc(pg.headings, func(h heading) bool { return h.text == n })
			if !heading && !strings.Contains(pg.prose, "`"+n+"`") {
				t.Errorf("%s does not explain %s", path, n)
			}
		}
	}
}

// states returns the words of every state that package status knows.
func states(t *testing.T) (out []string) {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", "internal", "status", "status.go"), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(f, func(n ast.Node) bool {
		v, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if kind, ok := v.Type.(*ast.Ident); ok && strings.HasSuffix(kind.Name, "State") {
			s, err := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, s)
		}
		return true
	})
	if len(out) < 15 {
		t.Fatalf("only the states %q were found", out)
	}
	return out
}

func TestEveryStateIsExplained(t *testing.T) {
	for _, path := range []string{"docs/status.md", "docs/zh/status.md", "docs/confd.md", "docs/zh/confd.md"} {
		pg := find(t, path)
		for _, s := range states(t) {
			if !strings.Contains(pg.prose, "\n| `"+s+"` | ") {
				t.Errorf("%s has no row for %s", path, s)
			}
		}
	}
}

// The checks above find what they are there for.
func TestAWrongExampleIsFound(t *testing.T) {
	p := parts(t)
	for _, text := range []string{
		"[[inputs.cpu]]\n  intervall = '5s'", "[[inputs.nothing]]", "[[inputs.cpu]", "[confd]\n debounce = 2",
		"[[confds]]\n backend = 'no such'", "[[confds]]\n backend = 'file'\n username = 'x'", "no_such_key = 1",
	} {
		if len(check(p, text)) == 0 {
			t.Errorf("%q was taken", text)
		}
	}
	if bad := check(p, "[[inputs.mem]]"); bad != nil {
		t.Error(bad)
	}
	all := []page{parsePage("docs/a.md", "# A b\n"), parsePage("docs/zh/a.md", "# 一\n## 二\n")}
	for _, to := range []string{"missing.md", "#c", "confd.md#no-such-heading"} {
		if follow(all, all[0], to) == "" {
			t.Errorf("the link %s was followed", to)
		}
	}
	if why := follow(all, all[0], "#a-b"); why != "" {
		t.Error(why)
	}
}
