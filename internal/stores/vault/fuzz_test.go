package vault

import (
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"datakit.dev/internal/store"
)

// Whatever a server answers, no secret of its comes out too long, and nothing
// panics.
func FuzzSecret(f *testing.F) {
	for _, body := range []string{
		`{"data":{"data":{"value":"x"},"metadata":{"version":1,"created_time":"t"}}}`, `{"data":{"value":"x"}}`, `{"errors":[]}`,
		`{"data":{"data":null,"metadata":{"version":2,"deletion_time":"t"}}}`, `{"data":{"data":{"a":1,"b":[]},"metadata":{"version":1}}}`, `[]`, `{"data":7}`, "{\"data\":{\"value\":{\"\xad\":0}}}",
	} {
		f.Add(body, 200, 2)
		f.Add(body, 404, 1)
	}
	f.Fuzz(func(t *testing.T, body string, status, version int) {
		a := answer{status: status, body: []byte(body)}
		s, err := secretOf(a, 1+version&1)
		if err != nil && len(s.contents) > 0 {
			t.Fatalf("%v and %v", s, err)
		}
		if !a.found() && len(s.contents) > 0 {
			t.Fatalf("a %d holds %v", status, s)
		}
		for i, c := range s.contents {
			if len(c.value) > store.MaxValue || !utf8.ValidString(c.value) || c.revision == "" || i > 0 && s.contents[i-1].sub >= c.sub {
				t.Fatalf("content %d of %q is %+v", i, body, c)
			}
		}
		if len(s.contents) > 0 && s.revision() == "" {
			t.Fatalf("%q has no revision", body)
		}
	})
}

// No answer makes a deletion of what is none, or an error that is as long as it.
func FuzzAnswer(f *testing.F) {
	for _, body := range []string{`{"errors":[]}`, `{"errors":["x"]}`, `{}`, `null`, `{"errors":null}`, `{"data":{"data":null}}`, `<html>`, `{"errors":[],"warnings":["w"]}`} {
		f.Add(body, 404)
		f.Add(body, 503)
	}
	f.Fuzz(func(t *testing.T, body string, status int) {
		a := answer{status: status, body: []byte(body)}
		_ = a.decode(&a.said)
		if a.nothing() && (status != http.StatusNotFound || len(a.said.Errors)+len(a.said.Warnings) > 0 || !strings.Contains(body, `"`)) {
			t.Fatalf("%d %q is a deletion", status, body)
		}
		if text := a.text(); text == "" || len(text) > maxSaid+40 || strings.ContainsAny(text, "\n\r\x00\x1b") {
			t.Fatalf("%q", text)
		}
		_, _ = stampOf(a)
		if tok, err := granted(a); err == nil && (tok.id == "" || strings.ContainsAny(tok.id, "\r\n ")) {
			t.Fatalf("a token %q", tok.id)
		}
		for _, root := range []string{"datakit", "secret/datakit"} {
			m, err := mountOf(a, root)
			if err == nil && m.path+m.folder != root && m.path+m.folder != root+"/" {
				t.Fatalf("%q is at %+v", root, m)
			}
		}
	})
}

// A listed name stays in its folder, and comes back from the path of a request.
func TestListedNamesStayInTheirFolder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.String().Draw(t, "name")
		key, isFolder, err := child("confd/", name)
		if err != nil {
			return
		}
		base := strings.TrimPrefix(key, "confd/")
		if base == key || base == "" || base == "." || base == ".." || strings.Contains(base, "/") {
			t.Fatalf("%q is the key %q", name, key)
		}
		if back := base + map[bool]string{true: "/"}[isFolder]; back != name {
			t.Fatalf("%q came back as %q", name, back)
		}
		if p := escape(key); strings.Count(p, "/") != 1 || strings.ContainsAny(p, "?# \n") {
			t.Fatalf("%q is the path %q", key, p)
		}
	})
}

// A token needs care before it could run out unseen between two looks, and a
// fresh one never does at once.
func TestWhenATokenNeedsCare(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		every := time.Duration(rapid.IntRange(1, 86_400).Draw(t, "every")) * time.Second
		life := rapid.Int64Range(1, 1<<40).Draw(t, "life")
		s := &session{method: method{name: "userpass"}, every: every}
		fresh := token{id: "t", asked: true}.until(life)
		if !s.good(fresh) {
			t.Fatalf("a fresh token of %v needs care", fresh.life)
		}
		left := time.Duration(rapid.Float64Range(0, 1).Draw(t, "left") * float64(fresh.life))
		old := fresh
		old.ends = time.Now().Add(left)
		if s.good(old) && left < every && fresh.life > 3*every {
			t.Fatalf("%v before its end a token of %v may wait for the next look, %v from now", left, fresh.life, every)
		}
		if s.good(token{id: "t"}) || s.good(token{}) || !s.good(token{id: "t", asked: true}) {
			t.Fatal("an unknown life is good, or one without end is not")
		}
	})
}
