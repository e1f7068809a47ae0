package printer_test

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
	"pgregory.net/rapid"

	"datakit.dev/internal/pipeline/parser"
	"datakit.dev/internal/pipeline/printer"
	"datakit.dev/internal/pipeline/scanner"
	"datakit.dev/internal/pipeline/scripttest"
	"datakit.dev/internal/pipeline/token"
)

// Each pair of files is a script as somebody wrote it, and as it is laid out.
func TestGolden(t *testing.T) {
	archive, err := txtar.ParseFile("testdata/golden.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(archive.Files); i += 2 {
		in, want := archive.Files[i], archive.Files[i+1]
		t.Run(in.Name, func(t *testing.T) {
			got := format(t, string(in.Data))
			if got != string(want.Data) {
				t.Errorf("got\n%s\nwant\n%s", got, want.Data)
			}
			check(t, string(in.Data))
		})
	}
	if len(archive.Files) < 10 {
		t.Errorf("only %d files", len(archive.Files))
	}
}

func TestABadScriptIsRefused(t *testing.T) {
	for _, src := range []string{"", "if x {", "a = = b", "a b", "# no newline"} {
		if got, errs := printer.Format(src); len(errs) == 0 {
			t.Errorf("%q became %q", src, got)
		}
	}
	deep := strings.Repeat("if x {\n", 390) + strings.Repeat("a\n", 100_000) + strings.Repeat("}\n", 390)
	if _, errs := printer.Format(deep); len(errs) != 1 || !strings.Contains(errs.Error(), "laid out") {
		t.Errorf("a script that grows over the limit: %v", errs)
	}
}

// Every script that was recorded is the same program, laid out.
func TestRecordedScripts(t *testing.T) {
	files := []string{"../testdata/cases.jsonl"}
	if more := os.Getenv("DATAKIT_PIPELINE_CASES"); more != "" {
		files = append(files, strings.Split(more, ",")...)
	}
	n := 0
	for _, file := range files {
		for _, src := range recorded(t, file) {
			if _, errs := parser.Parse(src); len(errs) > 0 {
				continue
			}
			n++
			check(t, src)
		}
	}
	if n == 0 {
		t.Error("there is no script")
	}
}

func recorded(t *testing.T, file string) (out []string) {
	t.Helper()
	for line := range scripttest.Records(t, file) {
		var c struct {
			Script  string
			Scripts json.RawMessage
		}
		if err := json.Unmarshal(line, &c); err != nil {
			t.Fatal(err)
		}
		out = append(out, c.Script)
		var named map[string]string
		if json.Unmarshal(c.Scripts, &named) == nil {
			for _, src := range named {
				out = append(out, src)
			}
		}
	}
	return out
}

// Scripts of words thrown together, of which some can be parsed.
func TestAnyScript(t *testing.T) {
	words := []string{
		"a", "`b c`", "f(", ")", "[", "]", "{", "}", "1", "0x1F", "-", "+", "!", "*", "==", "&&", "in", "=", "+=", ",", ":", ".",
		"if a {", "} elif b {", "} else {", "for x in y {", "for i = 0; i < 3; i += 1 {", "for ;; {", "\n", ";", "\n\n\n", "# c\n",
		`"s"`, "'''r\n # no'''", " ", "\t", "\r\n", "true", "NIL", "break", "a = 1\n", "f(x=1)\n", "{\"a\": 1}", "[1, 2]", "a.b[0]", ".[1]", "x[1:2]", "(", "# é",
	}
	parsed := 0
	rapid.Check(t, func(t *rapid.T) {
		src := strings.Join(rapid.SliceOfN(rapid.SampledFrom(words), 1, 12).Draw(t, "words"), "")
		if _, errs := parser.Parse(src); len(errs) == 0 {
			parsed++
			check(t, src)
		}
	})
	t.Logf("%d scripts could be parsed", parsed)
}

func FuzzFormat(f *testing.F) {
	for _, src := range []string{"a=1;b=2 # c", "for ;;{}\n", "if a{ # x\n}else{b}", "x = [1,\n# c\n2]", "f(a=-1,.[0].b)", "'''\n'''"} {
		f.Add(src)
	}
	f.Fuzz(func(t *testing.T, src string) {
		if _, errs := parser.Parse(src); len(errs) == 0 {
			check(t, src)
		}
	})
}

type tester interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

func format(t tester, src string) string {
	t.Helper()
	out, errs := printer.Format(src)
	if len(errs) > 0 {
		t.Fatalf("%q: %s", src, errs.Text())
	}
	return out
}

// check holds a script to what a layout must not change: the program, the
// comments, and itself the second time.
func check(t tester, src string) {
	t.Helper()
	out := format(t, src)
	if again := format(t, out); again != out {
		t.Errorf("%q\nonce\n%s\ntwice\n%s", src, out, again)
	}
	if was, is := dump(src), dump(out); was != is {
		t.Errorf("%q became\n%s\nwhich is\n%s\nnot\n%s", src, out, is, was)
	}
	if was, is := comments(src), comments(out); was != is {
		t.Errorf("%q became\n%s\nthe comments are %q, not %q", src, out, is, was)
	}
	for line := range strings.Lines(out) {
		if line = strings.TrimSuffix(line, "\n"); strings.TrimRight(line, " \t\r") != line && !strings.ContainsAny(src, `'"`) {
			t.Errorf("%q became a script with white space at the end of a line: %q", src, line)
		}
	}
}

// dump returns the tree of src, without where things stand.
func dump(src string) string {
	stmts, errs := parser.Parse(src)
	if len(errs) > 0 {
		return errs.Error()
	}
	var b strings.Builder
	write(&b, reflect.ValueOf(stmts))
	return b.String()
}

func write(b *strings.Builder, v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			b.WriteString("nil")
			return
		}
		write(b, v.Elem())
	case reflect.Slice:
		b.WriteByte('[')
		for i := range v.Len() {
			write(b, v.Index(i))
			b.WriteByte(' ')
		}
		b.WriteByte(']')
	case reflect.Struct:
		b.WriteString(v.Type().Name() + "{")
		for i := range v.NumField() {
			if v.Type().Field(i).Name != "At" {
				write(b, v.Field(i))
				b.WriteByte(' ')
			}
		}
		b.WriteByte('}')
	default:
		fmt.Fprintf(b, "%q", fmt.Sprint(v))
	}
}

func comments(src string) string {
	var all []string
	scan := scanner.NewWithComments(src)
	for t := scan.Next(); t.Kind != token.EOF; t = scan.Next() {
		if t.Kind == token.Comment {
			all = append(all, strings.TrimRight(t.Text, " \t\r"))
		}
	}
	return strings.Join(all, "\n")
}
