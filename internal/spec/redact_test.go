package spec

import (
	"fmt"
	"strings"
	"testing"
)

func TestRedactHidesSecretsOfEveryType(t *testing.T) {
	doc := func(f Field) Field { f.Doc, f.DocZH = "x", "x"; return f }
	s := Schema{Name: "s", Fields: []Field{
		doc(Field{Name: "text", Type: String, Secret: true}),
		doc(Field{Name: "empty", Type: String, Secret: true}),
		doc(Field{Name: "number", Type: Int, Secret: true}),
		doc(Field{Name: "list", Type: Strings, Secret: true}),
		doc(Field{Name: "map", Type: StringMap, Secret: true}),
		doc(Field{Name: "url", Type: String}),
		doc(Field{Name: "urls", Type: Strings}),
		doc(Field{Name: "headers", Type: StringMap}),
		doc(Field{Name: "sub", Type: Table, Fields: []Field{doc(Field{Name: "key", Type: String, Secret: true})}}),
		doc(Field{Name: "subs", Type: Tables, Fields: []Field{doc(Field{Name: "key", Type: String, Secret: true}), doc(Field{Name: "name", Type: String})}}),
	}}
	v := Values{
		"text": "7777", "empty": "", "number": int64(7777), "list": []string{"7777", ""}, "map": map[string]string{"a": "7777"},
		"url": "redis://me:7777@h/0", "urls": []string{"https://h?token=7777&x=1", "plain"}, "headers": map[string]string{"dsn": "http://:7777@h"},
		"sub": Values{"key": "7777"}, "subs": []Values{{"key": "7777", "name": "n"}},
	}
	got := fmt.Sprint(s.Redact(v))
	if strings.Contains(got, "7777") {
		t.Errorf("%s", got)
	}
	for _, kept := range []string{"plain", "redis://me:" + Hidden + "@h/0", "x=1", "name:n"} {
		if !strings.Contains(got, kept) {
			t.Errorf("%s is gone: %s", kept, got)
		}
	}
	if r := s.Redact(v); r.String("empty") != "" || r.String("text") != Hidden || r.Strings("list")[1] != "" {
		t.Errorf("%v", r)
	}
	if v.String("text") != "7777" || v.Strings("list")[0] != "7777" || v.Table("sub").String("key") != "7777" {
		t.Error("the original was changed")
	}
}

func TestRedactURL(t *testing.T) {
	for text, want := range map[string]string{
		"https://h:80/p?token=s&b=1": "https://h:80/p?token=" + Hidden + "&b=1",
		"mysql://u:s@h/db":           "mysql://u:" + Hidden + "@h/db",
		"http://u@h/":                "http://u@h/",
		"http://h:9092/a@b":          "http://h:9092/a@b",
		"a http://u:s@h and http://v:s2@h?x=1&secret=s3": "a http://u:" + Hidden + "@h and http://v:" + Hidden + "@h?x=1&secret=" + Hidden,
		"plain": "plain",
	} {
		if got := RedactURL(text); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

func TestRedactLine(t *testing.T) {
	for line, want := range map[string]string{
		"":                         "",
		"[inputs.cpu]":             "[inputs.cpu]",
		"  [[inputs.cpu]] # x":     "  [[inputs.cpu]] # x",
		`interval = "10s"`:         `interval = "10s"`,
		"  Password = 's'":         "  Password = " + Hidden,
		"x = { auth_token = 's' }": "x = " + Hidden,
		"url = 'http://u:s@h'":     "url = 'http://u:" + Hidden + "@h'",
		`"s",`:                     Hidden,
		`["s"]`:                    Hidden,
		"[s":                       Hidden,
		"=s":                       Hidden,
		`"s" = 1`:                  Hidden,
		"part of a longer text":    Hidden,
	} {
		if got := RedactLine(line); got != want {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
}
