package etcd

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

func TestAnswersOfAList(t *testing.T) {
	for name, c := range map[string]struct {
		body string
		want string // keys and values, or ! and what the error is about
	}{
		"an empty root":          {`{"action":"get","node":{"key":"/datakit","dir":true,"modifiedIndex":3}}`, ""},
		"keys in directories":    {`{"node":{"dir":true,"key":"/datakit","nodes":[{"key":"/datakit/confd","dir":true,"nodes":[{"key":"/datakit/confd/a","value":"1","modifiedIndex":7}]},{"key":"/datakit/b","value":"2","modifiedIndex":8}]}}`, "b=2@8 confd/a=1@7"},
		"fields of later times":  {`{"x":[{}],"node":{"key":"/datakit","dir":true,"ttl":5,"expiration":"2026","new":{"a":[1,{}]},"nodes":[]},"y":null}`, ""},
		"escapes":                {`{"node":{"key":"/datakit","dir":true,"nodes":[{"key":"/datakit/confd/\u003c名\u003e","value":"\u0000\"\\","modifiedIndex":1}]}}`, "confd/<名>=\x00\"\\@1"},
		"the root is a key":      {`{"node":{"key":"/datakit","value":"x","modifiedIndex":1}}`, ""},
		"a key beside the root":  {`{"node":{"key":"/datakit","dir":true,"nodes":[{"key":"/datakitX/a","value":"1"}]}}`, "!nobody asked for"},
		"a key without a name":   {`{"node":{"dir":true,"nodes":[{"value":"1"}]}}`, "!nobody asked for"},
		"no node":                {`{"action":"get"}`, "!no node"},
		"nothing":                {``, "!EOF"},
		"half of it":             {`{"node":{"key":"/datakit","dir":true,"nodes":[{"key":"/datakit/a","value":"1"}`, "!EOF"},
		"two trees":              {`{"node":{"key":"/datakit"}}}`, "!something follows"},
		"a list":                 {`[]`, "!expected {"},
		"a page of a proxy":      {`<html>`, "!invalid character"},
		"a node of another kind": {`{"node":[]}`, "!expected {"},
		"nodes of another kind":  {`{"node":{"nodes":{}}}`, "!expected ["},
		"a number for a key":     {`{"node":{"key":1}}`, "!cannot unmarshal"},
		"a negative index":       {`{"node":{"modifiedIndex":-1}}`, "!cannot unmarshal"},
		"folders without end":    {`{"node":` + strings.Repeat(`{"nodes":[`, 1_000_000), "!folders in one another"},
	} {
		t.Run(name, func(t *testing.T) {
			entries, err := readTree("/datakit", []byte(c.body))
			if about, fails := strings.CutPrefix(c.want, "!"); fails {
				if !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), about) {
					t.Errorf("%v, %v; want an error about %q", entries, err, about)
				}
				return
			}
			if got := text(entries); err != nil || got != c.want {
				t.Errorf("%q, %v; want %q", got, err, c.want)
			}
		})
	}
}

// text shows a tree as "key=value@revision", sorted.
func text(entries map[string]store.Entry) string {
	var out []string
	for _, key := range slices.Sorted(maps.Keys(entries)) {
		out = append(out, fmt.Sprintf("%s=%s@%s", entries[key].Key, entries[key].Value, entries[key].Revision))
	}
	return strings.Join(out, " ")
}

// A tree over the bounds is handed on as such, and not read to its end.
func TestListOfTooManyKeys(t *testing.T) {
	var b strings.Builder
	b.WriteString(`{"node":{"key":"/datakit","dir":true,"nodes":[`)
	for i := range store.MaxEntries + 10 {
		fmt.Fprintf(&b, `{"key":"/datakit/%d","modifiedIndex":1},`, i)
	}
	b.WriteString("and this is not even JSON")
	entries, err := readTree("/datakit", []byte(b.String()))
	if err != nil || len(entries) != store.MaxEntries+1 {
		t.Errorf("%d keys, %v", len(entries), err)
	}
}

func TestAnswersThatRefuse(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		is     error
		want   string
	}{
		"no login":                 {401, `{"message":"Insufficient credentials"}`, store.ErrDenied, "Insufficient credentials"},
		"no permission":            {403, `{"errorCode":110,"message":"The request requires user authentication","cause":"Insufficient credentials"}`, store.ErrDenied, "requires user"},
		"a proxy's no":             {403, `<html>forbidden</html>`, store.ErrDenied, "answers 403"},
		"not a file, which is 403": {403, `{"errorCode":102,"message":"Not a file","cause":"/datakit/confd"}`, store.ErrUnavailable, "Not a file (/datakit/confd)"},
		"no v2 API":                {404, "404 page not found\n", store.ErrUnavailable, "--enable-v2=true"},
		"no leader":                {500, `{"errorCode":300,"message":"Raft Internal Error","cause":"etcdserver: no leader"}`, store.ErrUnavailable, "no leader"},
		"a redirect":               {307, "", store.ErrUnavailable, "answers 307"},
		"a long story":             {500, `{"message":"` + strings.Repeat("x", 1000) + `"}`, store.ErrUnavailable, "xxx…"},
		"a story of lines":         {500, `{"message":"a\nb"}`, store.ErrUnavailable, "a"},
	} {
		t.Run(name, func(t *testing.T) {
			err := refused(httpnodes.Response{Status: c.status, Body: []byte(c.body)})
			if !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.want) || len(err.Error()) > 300 || strings.Contains(err.Error(), "\n") {
				t.Errorf("%v; want %v about %q", err, c.is, c.want)
			}
		})
	}
	for _, status := range []int{200, 201} {
		if err := refused(httpnodes.Response{Status: status}); err != nil {
			t.Errorf("%d: %v", status, err)
		}
	}
}

func TestIndexOfAnAnswer(t *testing.T) {
	for text, want := range map[string]uint64{"7": 7, "0": 0, "9223372036854775807": 1<<63 - 1} {
		if got, err := indexOf(httpnodes.Response{Header: http.Header{"X-Etcd-Index": {text}}}); err != nil || got != want {
			t.Errorf("%s is %d, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "-1", "x", "9223372036854775808"} {
		if got, err := indexOf(httpnodes.Response{Header: http.Header{"X-Etcd-Index": {text}}}); !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("%q is %d, %v", text, got, err)
		}
	}
}

// A server that sends one event over and over would keep us busy for ever.
func TestEventsHaveToGoOn(t *testing.T) {
	for body, ok := range map[string]bool{
		`{"action":"set","node":{"key":"/datakit/a","modifiedIndex":5}}`: true,
		`{"action":"set","node":{"key":"/datakit/a","modifiedIndex":9}}`: true,
		`{"action":"set","node":{"key":"/datakit/a","modifiedIndex":4}}`: false,
		`{"action":"set","node":{"key":"/datakit/a"}}`:                   false,
		`{"node":{"modifiedIndex":18446744073709551615}}`:                false,
		`{}`: false, ``: false, `null`: false, `[]`: false, `{"node":{"modifiedIndex":5}`: false,
	} {
		if _, err := readEvent([]byte(body), 5); (err == nil) != ok || err != nil && !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("%s: %v", body, err)
		}
	}
}

// Whatever happens on the server, the events make of one list the next one.
func TestEventsLeadFromListToList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		srv, ours := map[string]bool{}, &tree{root: "/a/b", keys: map[string]bool{}}
		paths := []string{"/a", "/a/b", "/a/bc", "/a/b/c", "/a/b/c/d", "/a/b/cd", "/a/b/c/d/e", "/x"}
		for range rapid.IntRange(1, 40).Draw(t, "changes") {
			path := rapid.SampledFrom(paths).Draw(t, "path")
			folder := slices.ContainsFunc(slices.Collect(maps.Keys(srv)), func(k string) bool { return strings.HasPrefix(k, path+"/") })
			inFile := slices.ContainsFunc(slices.Collect(maps.Keys(srv)), func(k string) bool { return strings.HasPrefix(path, k+"/") })
			ev := event{Action: "set", Node: node{Key: path}}
			switch {
			case inFile:
				continue
			case folder:
				ev.Action, ev.Node.Dir = rapid.SampledFrom([]string{"delete", "expire"}).Draw(t, "action"), true
				maps.DeleteFunc(srv, func(k string, _ bool) bool { return strings.HasPrefix(k, path+"/") })
			case srv[path] && rapid.Bool().Draw(t, "delete"):
				ev.Action = rapid.SampledFrom([]string{"delete", "expire", "compareAndDelete"}).Draw(t, "action")
				delete(srv, path)
			default:
				srv[path] = true
			}
			before := maps.Clone(ours.keys)
			set, removed := ours.change(ev)
			for _, e := range set {
				before[e.Key] = true
			}
			for _, key := range removed {
				delete(before, key)
			}
			want := map[string]bool{}
			for key := range srv {
				if rest, ok := below("/a/b", key); ok {
					want[rest] = true
				}
			}
			if !maps.Equal(before, want) || !maps.Equal(ours.keys, want) {
				t.Fatalf("after %+v we have %v and know %v, the server has %v", ev, before, ours.keys, want)
			}
		}
	})
}

// Whatever a server answers, it makes no key outside the root and no panic.
func FuzzTree(f *testing.F) {
	f.Add([]byte(`{"node":{"key":"/datakit","dir":true,"nodes":[{"key":"/datakit/a","value":"1","modifiedIndex":1}]}}`))
	f.Add([]byte(`{"node":{"nodes":[{"nodes":[null]}]}}`))
	f.Add([]byte(`{"action":"delete","node":{"key":"/","dir":true,"modifiedIndex":9}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		entries, err := readTree("/datakit", body)
		for key, e := range entries {
			if key != e.Key || e.Revision == "" || err != nil {
				t.Errorf("%q: %+v, %v", key, e, err)
			}
		}
		if err == nil && !json.Valid(body) {
			t.Errorf("%q was taken", body)
		}
		if ev, err := readEvent(body, 1); err == nil {
			k := &tree{root: "/datakit", keys: map[string]bool{"confd/a": true}}
			set, removed := k.change(ev)
			if len(set)+len(removed) > 1 {
				t.Errorf("%+v sets %v and removes %v", ev, set, removed)
			}
		}
	})
}

func TestOptionsThatNeverWork(t *testing.T) {
	const secret = "hunter2"
	for name, c := range map[string]struct {
		values spec.Values
		want   string
	}{
		"no nodes":                {spec.Values{}, "needs nodes"},
		"an empty node":           {spec.Values{"nodes": []string{""}}, "expected host:port"},
		"a scheme of another":     {spec.Values{"nodes": []string{"ftp://" + "a:1"}}, "expected http or https"},
		"a password in a node":    {spec.Values{"nodes": []string{"http://root:" + secret + "@a:1"}}, "username and password"},
		"a login without a name":  {spec.Values{"nodes": []string{"a:1"}, "basic_auth": true, "password": secret}, "needs both"},
		"a login without a word":  {spec.Values{"nodes": []string{"a:1"}, "basic_auth": true, "username": "agent"}, "needs both"},
		"a name with a colon":     {spec.Values{"nodes": []string{"a:1"}, "username": "a:b", "password": secret}, "colon"},
		"a certificate, no key":   {spec.Values{"nodes": []string{"a:1"}, "client_cert": "cert.pem"}, "go together"},
		"a key, no certificate":   {spec.Values{"nodes": []string{"a:1"}, "client_key": secret}, "go together"},
		"a node of control bytes": {spec.Values{"nodes": []string{"a\x7f" + secret}}, "expected host:port"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := open(store.Options{Root: "/datakit", Values: c.values})
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), secret) {
				t.Fatalf("%v; want one about %q, without secrets", err, c.want)
			}
		})
	}
}
