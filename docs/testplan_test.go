package docs

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// tests returns the files in which each test of the tree stands.
func tests(t *testing.T) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	err := fs.WalkDir(os.DirFS(".."), ".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != "." && strings.HasPrefix(d.Name(), "."), d.IsDir() && d.Name() == "dist":
			return fs.SkipDir
		case !strings.HasSuffix(path, "_test.go"):
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", path), nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && strings.HasPrefix(fn.Name.Name, "Test") {
				out[fn.Name.Name] = append(out[fn.Name.Name], path)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

var named = regexp.MustCompile("`(Test\\w+)`(?:\\]\\(([^)]+)\\))?")

func TestEveryTestOfThePlanIsThere(t *testing.T) {
	have := tests(t)
	for _, path := range []string{"docs/test-plan.md", "docs/zh/test-plan.md"} {
		rows := 0
		for line := range strings.Lines(find(t, path).prose) {
			if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "|---") {
				continue
			}
			all := named.FindAllStringSubmatch(line, -1)
			if len(all) > 0 {
				rows++
			} else if rows > 0 && !strings.Contains(line, "| Step |") && !strings.Contains(line, "| 步骤 |") {
				t.Errorf("%s: no test shows this: %s", path, line)
			}
			for _, m := range all {
				file := ""
				if m[2] != "" {
					file = filepath.ToSlash(filepath.Join(filepath.Dir(path), m[2]))
				}
				if why := missing(have, m[1], file); why != "" {
					t.Errorf("%s: %s: %s", path, m[1], why)
				}
			}
		}
		if rows < 90 {
			t.Errorf("%s has only %d steps", path, rows)
		}
	}
	if missing(have, "TestNoSuchThing", "") == "" || missing(have, "TestSoak", "docs/page_test.go") == "" {
		t.Error("a test that is not there was found")
	}
}

// missing says why a test is not where the page says, "" where it is.
func missing(have map[string][]string, name, file string) string {
	switch files := have[name]; {
	case files == nil:
		return "there is no such test"
	case file != "" && !slices.Contains(files, file):
		return "it stands in " + strings.Join(files, ", ")
	}
	return ""
}
