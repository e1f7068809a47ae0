package rancher

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
	"datakit.dev/internal/store/httpnodes"
)

func TestLeavesAreKeys(t *testing.T) {
	for name, c := range map[string]struct {
		body string
		want string // keys and values, or ! and what the error is about
	}{
		"objects":                 {`{"confd":{"cpu":"a","mem":"b"},"x":"c"}`, "confd/cpu=a confd/mem=b x=c"},
		"leaves of every kind":    {`{"t":true,"f":false,"n":null,"i":5,"d":1.50,"big":12345678901234567890}`, "big=12345678901234567890 d=1.50 f=false i=5 n= t=true"},
		"arrays of leaves":        {`{"a":["x","y",["z"]]}`, "a/0=x a/1=y a/2/0=z"},
		"elements with a name":    {`[{"name":"one","v":"1"},{"name":"two","v":"2"}]`, "one/name=one one/v=1 two/name=two two/v=2"},
		"elements with a uuid":    {`[{"uuid":"u","v":"1"},{"uuid":"w","name":"two"}]`, "two/name=two two/uuid=w u/uuid=u u/v=1"},
		"names that are no text":  {`[{"name":5},{"name":null},{"name":{"name":"x"}},{"name":""}]`, "0/name=5 1/name= 2/name/name=x 3/name="},
		"a name of two elements":  {`[{"name":"a","v":"1"},{"name":"a","v":"2"}]`, "1/name=a 1/v=2 a/name=a a/v=1"},
		"a slash in a name":       {`{"confd/cpu":"a"}`, "confd/cpu=a"},
		"two values for one key":  {`{"confd/cpu":"first","confd":{"cpu":"second"}}`, "confd/cpu=first"},
		"a name twice":            {`{"a":"first","a":"second"}`, "a=first"},
		"an empty name":           {`{"":"x","a":{"":"y","b":"z"}}`, "a/b=z"},
		"escapes":                 {`{"\u540d":"\u0000\"\n"}`, "名=\x00\"\n"},
		"nothing below":           {`{"a":{},"b":[],"c":[{},[]]}`, ""},
		"an empty object":         {`{}`, ""},
		"a leaf alone":            {`"text"`, ""},
		"null alone":              {`null`, ""},
		"nothing":                 {``, "!EOF"},
		"half of it":              {`{"a":"b"`, "!EOF"},
		"two trees":               {`{} {}`, "!something follows"},
		"a brace too many":        {`"0"}`, "!something follows"},
		"a page of a proxy":       {`<html>`, "!invalid character"},
		"levels without end":      {strings.Repeat(`[`, 1_000_000), "!over 100 levels"},
		"objects without end":     {strings.Repeat(`{"a":`, 1_000_000), "!over 100 levels"},
		"a long name":             {`{"` + strings.Repeat("n", maxKey) + `":"x"}`, "!a key of over 1024 bytes"},
		"a long name of elements": {`[{"name":"` + strings.Repeat("n", maxKey) + `"}]`, "!a key of over 1024 bytes"},
		"more leaves than keys":   {`[` + strings.Repeat(`0,`, store.MaxEntries) + `0]`, "!over 100000 keys"},
	} {
		t.Run(name, func(t *testing.T) {
			entries, err := readLeaves([]byte(c.body))
			if about, fails := strings.CutPrefix(c.want, "!"); fails {
				if !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), about) || entries != nil {
					t.Errorf("%d keys, %v; want an error about %q", len(entries), err, about)
				}
				return
			}
			if got := text(entries); err != nil || got != c.want {
				t.Errorf("%q, %v; want %q", got, err, c.want)
			}
		})
	}
}

// text shows a tree as "key=value", sorted.
func text(entries map[string]store.Entry) string {
	var out []string
	for _, key := range slices.Sorted(maps.Keys(entries)) {
		out = append(out, entries[key].Key+"="+entries[key].Value)
	}
	return strings.Join(out, " ")
}

// Whatever tree of texts there is, its leaves are read as keys.
func TestAnyTreeIsRead(t *testing.T) {
	part := rapid.StringMatching(`[a-z名 %+.]{1,6}`)
	rapid.Check(t, func(t *rapid.T) {
		want, tree := map[string]string{}, map[string]any{}
		for _, path := range rapid.SliceOfN(rapid.SliceOfN(part, 1, 4), 0, 10).Draw(t, "paths") {
			folder, ok := tree, true
			for _, p := range path[:len(path)-1] {
				if _, has := folder[p]; !has {
					folder[p] = map[string]any{}
				}
				if folder, ok = folder[p].(map[string]any); !ok {
					break
				}
			}
			last := path[len(path)-1]
			if !ok || folder[last] != nil {
				continue
			}
			value := rapid.String().Draw(t, "value")
			folder[last], want[strings.Join(path, "/")] = value, value
		}
		body, err := json.Marshal(tree)
		if err != nil {
			t.Fatal(err)
		}
		entries, err := readLeaves(body)
		if err != nil || len(entries) != len(want) {
			t.Fatalf("%v, %v; want %v", entries, err, want)
		}
		for key, value := range want {
			if e := entries[key]; e.Key != key || e.Value != strings.ToValidUTF8(value, "\ufffd") || e.Revision == "" {
				t.Fatalf("%q is %+v, want %q", key, e, value)
			}
		}
	})
}

func FuzzLeaves(f *testing.F) {
	for _, s := range []string{`{"a":{"b":"c"}}`, `[{"name":"x"},{"uuid":"y"},5]`, `"x"`, `[[[[`, `{"":{"":null}}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		entries, err := readLeaves(body)
		for key, e := range entries {
			if err != nil || key == "" || key != e.Key || len(key) > maxKey {
				t.Errorf("%q: %+v, %v", key, e, err)
			}
		}
		if err == nil && !json.Valid(body) {
			t.Errorf("%q was taken", body)
		}
		if v, err := readVersion(body); err == nil && (v == "" || len(v) > maxVersion) {
			t.Errorf("%q is the version %q", body, v)
		}
	})
}

func TestVersions(t *testing.T) {
	for body, want := range map[string]string{`"5-abc"`: "5-abc", `17`: "17", `"a b&c"`: "a b&c"} {
		if got, err := readVersion([]byte(body)); err != nil || got != want {
			t.Errorf("%s is %q, %v", body, got, err)
		}
	}
	for _, body := range []string{``, `""`, `null`, `{}`, `[]`, `true`, `5-abc`, `"` + strings.Repeat("x", maxVersion+1) + `"`} {
		if got, err := readVersion([]byte(body)); !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("%.40s is %q, %v", body, got, err)
		}
	}
}

func TestAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		want   error
	}{
		"a tree":             {200, `{}`, nil},
		"nothing there":      {404, `{"type":"error","code":404,"message":"Not found"}` + "\n", errMissing},
		"another's 404":      {404, "404 page not found\n", store.ErrUnavailable},
		"another's JSON 404": {404, `{"error":"no such page"}`, store.ErrUnavailable},
		"a proxy's login":    {401, ``, store.ErrDenied},
		"a proxy's no":       {403, ``, store.ErrDenied},
		"trouble":            {500, `{"type":"error","code":500}`, store.ErrUnavailable},
		"a redirect":         {302, ``, store.ErrUnavailable},
		"nothing at all":     {204, ``, store.ErrUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			body, err := answer(httpnodes.Response{Status: c.status, Body: []byte(c.body)})
			if !errors.Is(err, c.want) || (err == nil) != (string(body) == c.body && c.status == http.StatusOK) {
				t.Errorf("%q, %v; want %v", body, err, c.want)
			}
		})
	}
}

func TestPaths(t *testing.T) {
	for name, c := range map[string]struct {
		root  string
		nodes []string
		want  string
	}{
		"the default":          {"/datakit", nil, "[http://rancher-metadata:80] /latest [/self/service/metadata/datakit /datakit]"},
		"a place of its own":   {"/self/stack/datakit", nil, "[http://rancher-metadata:80] /latest [/self/stack/datakit]"},
		"a version":            {"/2015-12-19/datakit", []string{"a"}, "[http://a:80] /2015-12-19 [/self/service/metadata/datakit /datakit]"},
		"a version in a node":  {"/datakit", []string{"http://a/2015-12-19"}, "[http://a:80/2015-12-19]  [/self/service/metadata/datakit /datakit]"},
		"a name like a number": {"/2015/datakit", []string{"a:81"}, "[http://a:81] /latest [/self/service/metadata/2015/datakit /2015/datakit]"},
	} {
		t.Run(name, func(t *testing.T) {
			v := spec.Values{}
			if c.nodes != nil {
				v["nodes"] = c.nodes
			}
			s, err := newSource(store.Options{Root: c.root, Values: v})
			if err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprint(s.client.Nodes(), " ", s.api, " ", s.roots); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

func TestOptionsThatNeverWork(t *testing.T) {
	const secret = "hunter2"
	for name, c := range map[string]struct {
		root   string
		values spec.Values
		want   string
	}{
		"an empty node":             {"/datakit", spec.Values{"nodes": []string{""}}, "expected host:port"},
		"a password in a node":      {"/datakit", spec.Values{"nodes": []string{"http://root:" + secret + "@a:1"}}, "username and password"},
		"a version and nothing":     {"/latest", nil, "name what is in it"},
		"a version in both":         {"/latest/datakit", spec.Values{"nodes": []string{"a/latest"}}, "in one of them"},
		"a version in one node":     {"/datakit", spec.Values{"nodes": []string{"a/latest", "b"}}, "or none"},
		"a certificate, no key":     {"/datakit", spec.Values{"client_cert": "cert.pem"}, "go together"},
		"a key without certificate": {"/datakit", spec.Values{"client_key": secret}, "go together"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := open(store.Options{Root: c.root, Values: c.values})
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), secret) {
				t.Fatalf("%v; want one about %q, without secrets", err, c.want)
			}
		})
	}
}
