package formats_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/antchfx/xmlquery"

	"datakit.dev/internal/funcs/all"
	"datakit.dev/internal/pipeline"
	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/pipeline/scripttest"
)

func TestXML(t *testing.T) {
	engine := scripttest.New(t, all.Table)
	const order = `<?xml version="1.0" encoding="UTF-8"?>
		<order code="5" xmlns:v="urn:v"> <no>ORD1</no> <item id="1">a</item> <item id="2"><b>b</b>c</item>
		<v:x>1 &lt; 2</v:x><!-- note --><raw><![CDATA[<z>]]></raw></order>`
	for _, test := range []struct {
		xml, path string
		want      any // nil: nothing is written
	}{
		{order, "/order/no", "ORD1"},
		{order, "/order/no/text()", "ORD1"},
		{order, "/order/@code", "5"},
		{order, "//item[2]", "bc"},
		{order, "//item[@id='2']/b", "b"},
		{order, "//item[last()]/@id", "2"},
		{order, "//v:x", "1 < 2"},
		{order, "//*[local-name()='x']", "1 < 2"},
		{order, "//raw", "<z>"},
		{order, "//no | //raw", "ORD1"},
		{order, "//item[contains(., 'c')]/@id", "2"},
		{order, "//item[.='a']/following-sibling::item/@id", "2"},
		{order, "//item[position()=2]/preceding-sibling::no", "ORD1"},
		{order, "//b/../../@code", "5"},
		{order, "//nope", nil},
		{order, "count(//item)", nil},
		{order, "true()", nil},
		{order, "[[", nil},
		{order, "", nil},
		{order, "//item[foo()]", nil},
		{`<a xmlns='u'><b>1</b></a>`, "/a/b", "1"},
		{`<a><b>1</a>`, "/a/b", nil},
		{`<a>&nope;</a>`, "/a", nil},
		{`not xml`, "/", nil},
		{``, "/", nil},
		{`<a/>`, "/a", ""},
	} {
		got, err := engine.Run(t, fmt.Sprintf("xml(k, %q, out)", test.path), scripttest.Fields{"k": test.xml})
		if err != nil {
			t.Fatal(err)
		}
		if v, there := got["out"]; v != test.want || there != (test.want != nil) {
			t.Errorf("%s of %s: got %v (there: %v), want %v", test.path, test.xml, v, there, test.want)
		}
	}
}

func TestXMLIsRefused(t *testing.T) {
	engine := scripttest.New(t, all.Table)
	for _, test := range []struct{ script, says string }{
		{`xml(a, "/b")`, "missing"},
		{`xml(1, "/b", c)`, "expected a key"},
		{`xml(a, b, c)`, "string in quotes"},
		{`xml(a, "/b", 1)`, "expected a key"},
		{`xml(a, "` + strings.Repeat("(", 5000) + `", c)`, "at most 4096"},
		{`xml(a, "//b[replace(replace(., 'a', 'aa'), 'a', 'aa')]", c)`, "replace more than once"},
	} {
		if says := engine.Refused(t, test.script); !strings.Contains(says, test.says) {
			t.Errorf("%.60s: refused with %q, want %q", test.script, says, test.says)
		}
	}
}

// limited is an environment with the limits that an agent has.
func limited() *pipeline.Env {
	return &pipeline.Env{Limits: fn.Limits{Time: fn.DefaultTime}}
}

// Documents and expressions that would take the library minutes, or gigabytes.
func TestXMLBombsRunIntoTheLimit(t *testing.T) {
	engine := scripttest.New(t, all.Table)
	deep := strings.Repeat("<a>", 1500) + "x" + strings.Repeat("</a>", 1500)
	wide := "<r>" + strings.Repeat("<a>x</a>", 6000) + "</r>"
	for name, test := range map[string]struct{ xml, path string }{
		"powers of the depth":    {deep, "//a//a//a//a[.='y']"},
		"each node with all":     {wide, "//a[count(//a) = 1]"},
		"each with its siblings": {wide, "//a[count(preceding-sibling::a) > 5998]/nope"},
		"a text a thousandfold":  {"<a>" + strings.Repeat("x", 1<<16) + "</a>", "//a[concat(.,.,.,.,.,.,.,.,.,.) = concat(" + strings.Repeat(".,", 990) + ".)]"},
		"a text replaced":        {"<a>" + strings.Repeat("x", 1<<16) + "</a>", "//a[replace(.,'x','" + strings.Repeat("y", 1000) + "')='z']"},
		"a million elements":     {"<r>" + strings.Repeat("<a/>", 1<<20) + "</r>", "//b"},
		"a million levels":       {strings.Repeat("<a>", 1<<20), "//b"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := engine.RunIn(t, limited(), fmt.Sprintf("xml(k, %q, out)", test.path), scripttest.Fields{"k": test.xml})
			if !fn.IsLimit(err) {
				t.Errorf("got %v, want a limit", err)
			}
		})
	}
	const entities = `<!DOCTYPE l [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><l>&b;</l>`
	got, err := engine.Run(t, `xml(k, "/l", out)`, scripttest.Fields{"k": entities})
	if err != nil || len(got) != 1 {
		t.Errorf("entities of its own: %v, %v", got, err)
	}
}

// The charge for each step must not change where they lead.
func FuzzXMLAsTheLibraryReadsIt(f *testing.F) {
	engine := scripttest.New(f, all.Table)
	for _, path := range []string{"//b[2]", "/a/@k", "//a//b", "//b[last()]/..", "//*[.='1']", "a[", "//b/ancestor::*[1]"} {
		f.Add("<a k='v'><b>1</b><b>2</b></a>", path)
	}
	f.Fuzz(func(t *testing.T, doc, path string) {
		if len(path) > 200 || strings.Contains(path, "replace") || len(doc) > 2000 {
			return
		}
		got, err := engine.Run(t, fmt.Sprintf("xml(k, %s, out)", quoted(path)), scripttest.Fields{"k": doc})
		if errors.Is(err, pipeline.ErrPanic) {
			t.Fatal(err)
		}
		if want, ok := library(doc, path); err == nil && ok && got["out"] != want {
			t.Errorf("%s of %s: got %v, want %v", path, doc, got["out"], want)
		}
	})
}

// library returns what the library selects, where it selects anything and does
// not panic.
func library(doc, path string) (text any, ok bool) {
	defer func() { _ = recover() }()
	top, err := xmlquery.Parse(strings.NewReader(doc))
	if err != nil {
		return nil, false
	}
	node, err := xmlquery.Query(top, path)
	if err != nil || node == nil {
		return nil, false
	}
	return node.InnerText(), true
}

// quoted returns s as a string of the script language.
func quoted(s string) string {
	var b strings.Builder
	for i := range len(s) {
		fmt.Fprintf(&b, `\x%02x`, s[i])
	}
	return `"` + b.String() + `"`
}
