package consul

import (
	"encoding/json"
	"log/slog"
	"maps"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
)

// Whatever a tree holds, its answer is read back as it is, folders left out.
func TestParseReadsAnyTree(t *testing.T) {
	key := rapid.StringMatching(`[a-zü/ %."\\]{1,12}`)
	rapid.Check(t, func(t *rapid.T) {
		want, pairs := map[string]store.Entry{}, []pair{}
		for k, v := range rapid.MapOf(key, rapid.SliceOf(rapid.Byte())).Draw(t, "tree") {
			p := pair{Key: "datakit/" + k, Value: v, ModifyIndex: rapid.Uint64().Draw(t, "index")}
			pairs = append(pairs, p)
			if len(v) > 0 || !strings.HasSuffix(k, "/") {
				want[k] = store.Entry{Key: k, Value: string(v), Revision: store.Revision(strconv.FormatUint(p.ModifyIndex, 10))}
			}
		}
		body, err := json.Marshal(pairs)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := parse(body, "datakit/"); err != nil || !maps.Equal(got, want) {
			t.Fatalf("%v, %v; want %v", got, err, want)
		}
	})
}

// No answer makes us panic, keep more keys than we take, or show a folder as a
// key.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`[]`, `[`, `null`, `[null]`, `[{"Key":"datakit/"}]`, `[{"Key":"datakit/confd/a","Value":"MQ==","ModifyIndex":7,"Flags":0,"LockIndex":0}]`,
		`[{"Key":"datakit/a","Value":null}]`, `[{"Key":"datakit/a","Value":[1,2]}]`, `[{"Key":"datakit/a","ModifyIndex":-1}]`, `[{}]{}`, `[{},]`, "\xff",
		`[{"key":"datakit/a","KEY":"datakit/b"}]`, `[{"Key":"datakit/\ud800"}]`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		entries, err := parse(body, "datakit/")
		if err != nil && entries != nil {
			t.Error("an error with a tree")
		}
		for k, e := range entries {
			if k != e.Key || e.Revision == "" || strings.HasSuffix("/"+k, "/") && e.Value == "" {
				t.Errorf("%q: %+v", k, e)
			}
		}
	})
}

func TestOptionsThatNeverWork(t *testing.T) {
	const secret = "hunter2"
	for name, c := range map[string]struct {
		root   string
		values spec.Values
		want   string
	}{
		"no nodes":               {"/datakit", spec.Values{}, "needs nodes"},
		"a password in a node":   {"/datakit", spec.Values{"nodes": []string{"http://root:" + secret + "@a:1"}}, "username and password"},
		"a scheme of another":    {"/datakit", spec.Values{"nodes": []string{"consul://a:1"}}, "expected http or https"},
		"a login without a name": {"/datakit", spec.Values{"nodes": []string{"a:1"}, "basic_auth": true, "password": secret}, "needs both"},
		"a login with no secret": {"/datakit", spec.Values{"nodes": []string{"a:1"}, "basic_auth": true, "username": "u"}, "needs both"},
		"a name with a colon":    {"/datakit", spec.Values{"nodes": []string{"a:1"}, "username": "a:b", "password": secret}, "colon"},
		"a token of two lines":   {"/datakit", spec.Values{"nodes": []string{"a:1"}, "auth_token": secret + "\nX-Other: 1"}, "auth_token"},
		"a certificate, no key":  {"/datakit", spec.Values{"nodes": []string{"a:1"}, "client_cert": "cert.pem"}, "go together"},
		"a root with a hole":     {"/data//kit", spec.Values{"nodes": []string{"a:1"}}, "prefix"},
		"a root above itself":    {"/data/..", spec.Values{"nodes": []string{"a:1"}}, "prefix"},
	} {
		t.Run(name, func(t *testing.T) {
			st, err := Backend().Open(store.Options{Root: c.root, Values: c.values, Log: slog.New(slog.DiscardHandler)})
			if err == nil || st != nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), secret) {
				t.Fatalf("%v; want one about %q, without secrets", err, c.want)
			}
		})
	}
}

// Options written for another kind of store are no reason to fail.
func TestOptionsThatWork(t *testing.T) {
	for name, c := range map[string]struct {
		values spec.Values
		node   string
	}{
		"a host":                  {spec.Values{"nodes": []string{"consul"}}, "http://consul:8500"},
		"TLS files stand for TLS": {spec.Values{"nodes": []string{"consul:8501"}, "client_ca_keys": "ca.pem"}, "https://consul:8501"},
		"behind a path":           {spec.Values{"nodes": []string{"https://gate/consul/"}}, "https://gate:8500/consul"},
	} {
		k, err := open(store.Options{Root: "/datakit", Values: c.values}, defaultWait)
		if err != nil || k.api.client.Nodes()[0] != c.node || k.api.root != "datakit/" {
			t.Errorf("%s: %v, %v, root %q", name, k, err, k.api.root)
			continue
		}
		if err := k.Close(); err != nil {
			t.Error(err)
		}
	}
}
