package docs

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
	"testing"

	"datakit.dev/internal/app"
)

// Every `datakit …` of an example is a command that there is, with flags that it
// has: it is asked for its help.
func TestEveryCommandInTheManualExists(t *testing.T) {
	n := 0
	for _, pg := range pages(t) {
		for _, b := range pg.blocks {
			if b.lang != "sh" {
				continue
			}
			for _, args := range invocations(b.text) {
				n++
				if why := refuses(args); why != "" {
					t.Errorf("%s:%d: datakit %s: %s", b.page, b.line, strings.Join(args, " "), why)
				}
			}
		}
	}
	if n < 60 {
		t.Errorf("only %d commands were found", n)
	}
	for _, args := range [][]string{{"confd", "putt"}, {"status", "--jsonn"}, {"confd", "put", "a", "--no-such-flag"}, {"nothing"}} {
		if refuses(args) == "" {
			t.Errorf("%q was taken", args)
		}
	}
}

// refuses says why the program does not take these arguments, "" where it does.
func refuses(args []string) string {
	var out, errs bytes.Buffer
	if code := app.Main(append(slices.Clone(args), "--help"), strings.NewReader(""), &out, &errs); code != 0 {
		return errs.String()
	}
	// A group shows its help for a command that it does not have, too.
	m := usageLine.FindStringSubmatch(out.String())
	if m == nil {
		return "it shows no usage: " + out.String()
	}
	path := strings.Fields(m[1])
	if i := slices.IndexFunc(path, func(w string) bool { return strings.HasPrefix(w, "[") }); i >= 0 {
		path = path[:i]
	}
	takes := argument.MatchString(strings.Join(path, " "))
	words := slices.DeleteFunc(slices.Clone(args), func(a string) bool { return strings.HasPrefix(a, "-") })
	if !takes && len(words) > len(path) && strings.Contains(out.String(), "Available Commands") {
		return "there is no such command below datakit " + m[1]
	}
	return ""
}

// argument is how a usage names what stands for something: FILE.p, KEY.
var argument = regexp.MustCompile(`[A-Z]{2}`)

var usageLine = regexp.MustCompile(`(?m)^Usage:\n  datakit ?(.*)$`)

// start is where a command can begin: at the start of a line or behind what ends
// the one before.
var start = regexp.MustCompile(`(?m)(?:^|[|&;(]\s*|\bdo |\bexec )(?:[A-Z_]+=\S* )*(?:\S*/)?datakit( .*|$)`)

// invocations returns the arguments of each `datakit` in a shell example.
func invocations(text string) (out [][]string) {
	text = hereDoc.ReplaceAllString(strings.ReplaceAll(text, "\\\n", " "), "")
	for _, m := range start.FindAllStringSubmatch(text, -1) {
		out = append(out, arguments(m[1]))
	}
	return out
}

// arguments splits what stands behind a command, up to its end.
func arguments(s string) (out []string) {
	var word strings.Builder
	var quote rune
	in := false
	end := func() {
		if in {
			out = append(out, word.String())
		}
		word.Reset()
		in = false
	}
	for _, r := range s {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '\'' || r == '"':
			quote, in = r, true
		case r == ' ':
			end()
		case strings.ContainsRune("|&;<>)", r), r == '#' && !in:
			end()
			return out
		default:
			word.WriteRune(r)
			in = true
		}
	}
	end()
	return out
}

func TestCommandsAreFoundInAnExample(t *testing.T) {
	got := invocations("make build && bin/datakit status --dir 'a b' | jq .x  # datakit no\nENV_X=1 datakit confd put mem - <<'EOF'\ndatakit not this\nEOF\n" +
		"until datakit x; do datakit version; done\nsource <(datakit completion bash)\nsudo echo datakit\n")
	var lines []string
	for _, args := range got {
		lines = append(lines, strings.Join(args, "|"))
	}
	if want := "status|--dir|a b,confd|put|mem|-,version,completion|bash"; strings.Join(lines, ",") != want {
		t.Errorf("got %q, want %q", lines, want)
	}
}
