package grok

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// A referenceCase is what the reference engine did with one script. Only the
// parts that this package has a say in are read.
type referenceCase struct {
	ID     string
	Script string
	In     struct{ Fields map[string]map[string]any }
	Err    string
	Out    struct{ Fields map[string]map[string]any }
}

// plainScript is a script that does nothing but match the message.
var plainScript = regexp.MustCompile(`^r=grok\(_,("(?:[^"\\]|\\.)*")(?:,(true|false))?\)\nadd_key\(r\)$`)

// TestReferenceCases replays the cases of the files that DATAKIT_PIPELINE_CASES
// names, as far as their script is one call of grok.
func TestReferenceCases(t *testing.T) {
	files := os.Getenv("DATAKIT_PIPELINE_CASES")
	if files == "" {
		t.Skip("DATAKIT_PIPELINE_CASES names no files")
	}
	set := builtins(t)
	ran := 0
	for file := range strings.SplitSeq(files, ",") {
		eachLine(t, file, func(line []byte) {
			var c referenceCase
			if err := json.Unmarshal(line, &c); err != nil {
				return // The typed values of other families do not fit; they are not ours.
			}
			call := plainScript.FindStringSubmatch(c.Script)
			if call == nil {
				return
			}
			ran++
			checkReference(t, set, c, call[1], call[2] != "false")
		})
	}
	if ran == 0 {
		t.Error("no case of grok in the files")
	}
	t.Logf("%d cases", ran)
}

func checkReference(t *testing.T, set *Set, c referenceCase, quoted string, trim bool) {
	t.Helper()
	pattern, err := strconv.Unquote(quoted)
	if err != nil {
		t.Fatalf("%s: %v", c.ID, err)
	}
	p, err := Compile(pattern, set)
	if (err != nil) != (c.Err == "compile") {
		t.Errorf("%s: compile: got %v, want error %q", c.ID, err, c.Err)
	}
	if err != nil {
		return
	}
	message, _ := c.In.Fields["message"]["s"].(string)
	spans, ok := p.Match(message, nil)
	if want := c.Out.Fields["r"]["b"]; ok != want {
		t.Errorf("%s: %q in %q: got %v, want %v", c.ID, pattern, message, ok, want)
	}
	if !ok {
		return
	}
	for i, capture := range p.Captures() {
		checkCapture(t, c, capture, spans[i].Of(message), trim)
	}
}

// checkCapture compares a captured text. Numbers and flags are compared only
// where the text says plainly what they are: their conversion is the caller's.
func checkCapture(t *testing.T, c referenceCase, capture Capture, text string, trim bool) {
	t.Helper()
	if trim {
		text = strings.TrimSpace(text)
	}
	key := capture.Name
	if key == "_" {
		key = "message" // The script language's name for it.
	}
	want, ok := c.Out.Fields[key]
	if !ok {
		t.Errorf("%s: %s is missing from the reference, got %q", c.ID, capture.Name, text)
		return
	}
	switch capture.Type {
	case String:
		if capture.Name != "status" && want["s"] != text {
			t.Errorf("%s: %s: got %q, want %v", c.ID, capture.Name, text, want)
		}
	case Int:
		if n, err := strconv.ParseInt(text, 10, 64); err == nil && want["i"] != float64(n) {
			t.Errorf("%s: %s: got %q, want %v", c.ID, capture.Name, text, want)
		}
	case Float, Bool:
		if want["s"] != nil {
			t.Errorf("%s: %s: got type %s, want %v", c.ID, capture.Name, capture.Type, want)
		}
	}
}

func eachLine(t *testing.T, file string, do func(line []byte)) {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var r io.Reader = bytes.NewReader(content)
	if strings.HasSuffix(file, ".gz") {
		if r, err = gzip.NewReader(r); err != nil {
			t.Fatal(err)
		}
	}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		do(lines.Bytes())
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
}
