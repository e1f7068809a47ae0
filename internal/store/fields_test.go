package store_test

import (
	"slices"
	"strings"
	"testing"

	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
)

// The names that a user may write in [[confds]]: they are those of upstream, so
// that a configuration moves over unchanged.
var names = strings.Fields(`enable backend nodes prefix auth_token auth_type basic_auth username password client_ca_keys client_cert
	client_key client_insecure scheme table separator app_id user_id role_id secret_id file filter path role access_key secret_key
	region circle_interval confd_namespace pipeline_namespace`)

func TestEveryNameIsKnown(t *testing.T) {
	fields := store.Fields()
	if err := (spec.Schema{Name: "confds", Fields: fields}).Check(); err != nil {
		t.Fatal(err)
	}
	var have []string
	for _, f := range fields {
		have = append(have, f.Name)
	}
	slices.Sort(have)
	slices.Sort(names)
	if !slices.Equal(have, names) {
		t.Errorf("the fields are\n%v, want\n%v", have, names)
	}
}

func TestSecretsAreMarked(t *testing.T) {
	s := spec.Schema{Fields: store.Fields()}
	for _, name := range []string{"password", "auth_token", "secret_id", "secret_key", "access_key", "client_key", "user_id"} {
		if f, ok := s.Field(name); !ok || !f.Secret {
			t.Errorf("%s is no secret", name)
		}
	}
}

func decode(t *testing.T, b store.Backend, text string) (v spec.Values, problems, ignored []string) {
	t.Helper()
	n, list := spec.Parse(text)
	if len(list) > 0 {
		t.Fatal(list)
	}
	v, p, i := b.Decode(n)
	for _, d := range p {
		problems = append(problems, d.Error())
	}
	for _, d := range i {
		ignored = append(ignored, d.Error())
	}
	return v, problems, ignored
}

func TestDecode(t *testing.T) {
	b := store.Backend{Name: "one", Spec: spec.Schema{Fields: store.Pick("nodes", "circle_interval")}}
	v, problems, ignored := decode(t, b, "backend = \"one\"\nnodes = \"a:1\"\nregion = \"x\"\nenable = false\n")
	if len(problems) > 0 || !slices.Equal(v.Strings("nodes"), []string{"a:1"}) || v.Int("circle_interval") != 60 || v.Bool("enable") {
		t.Errorf("%v, %v", v, problems)
	}
	if len(ignored) != 1 || !strings.Contains(ignored[0], "region") || !strings.Contains(ignored[0], "3:1") {
		t.Errorf("ignored: %v", ignored)
	}
	_, problems, ignored = decode(t, b, "nodez = [\"a:1\"]\ncircle_interval = 0\n")
	if len(problems) != 2 || len(ignored) != 0 || !strings.Contains(problems[0], `did you mean "nodes"?`) || !strings.Contains(problems[1], "at least 1") {
		t.Errorf("%v, %v", problems, ignored)
	}
}

func TestPickOfNoField(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a name that is no field was picked")
		}
	}()
	store.Pick("nodes", "no_such")
}

func TestFind(t *testing.T) {
	list := []store.Backend{{Name: "one"}, {Name: "two", Aliases: []string{"zwei"}}}
	for name, want := range map[string]string{"one": "one", "TWO": "two", "zwei": "two"} {
		if b, err := store.Find(list, name); err != nil || b.Name != want {
			t.Errorf("%s: %s, %v", name, b.Name, err)
		}
	}
	for _, name := range []string{"", "on", "on\ne"} {
		if _, err := store.Find(list, name); err == nil || !strings.Contains(err.Error(), "one, two") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestRootOf(t *testing.T) {
	for prefix, want := range map[string]string{"": "/datakit", "/datakit": "/datakit", "/datakit/": "/datakit", "x/y": "/x/y", "//x": "/x", "/": "/datakit", "//": "/datakit"} {
		if got := store.RootOf(spec.Values{"prefix": prefix}); got != want {
			t.Errorf("%q is the root %q, want %q", prefix, got, want)
		}
	}
	if got := store.RootOf(spec.Values{}); got != "/datakit" {
		t.Errorf("without a prefix the root is %q", got)
	}
}
