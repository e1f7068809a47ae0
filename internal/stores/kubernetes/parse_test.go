package kubernetes

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
	"datakit.dev/internal/store/follow"
)

func testAPI() api { return api{namespace: "web", selector: defaultSelector} }

// Whatever happens to objects in whatever order, the tree is that of a list of
// what is there in the end.
func TestTreeFollowsAnyHistory(t *testing.T) {
	part := rapid.SampledFrom([]string{"a", "b", "c"})
	rapid.Check(t, func(t *rapid.T) {
		live, there := newTree(), map[ref]object{}
		shown := map[string]store.Entry{}
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			o := object{
				ref:    ref{kind(rapid.IntRange(0, 1).Draw(t, "kind")), part.Draw(t, "name")}, //nolint:gosec // 0 or 1
				path:   rapid.SampledFrom([]string{"", "confd", "confd/a"}).Draw(t, "path"),
				values: rapid.MapOfN(part, part, 0, 3).Draw(t, "values"),
			}
			var keys []string
			if rapid.Bool().Draw(t, "deleted") {
				delete(there, o.ref)
				keys = live.remove(o.ref)
			} else {
				there[o.ref] = o
				var err error
				if keys, err = live.put(o); err != nil {
					t.Fatal(err)
				}
			}
			for _, key := range keys { // what a watch would tell the copy
				if e, ok := live.entry(key); ok {
					shown[key] = e
				} else {
					delete(shown, key)
				}
			}
		}
		want := newTree()
		for _, o := range there {
			if _, err := want.put(o); err != nil {
				t.Fatal(err)
			}
		}
		if !maps.Equal(shown, want.all()) || !maps.Equal(live.all(), want.all()) || live.size != want.size || live.entries != want.entries {
			t.Fatalf("%v, %v (%d bytes); want %v (%d bytes)", shown, live.all(), live.size, want.all(), want.size)
		}
	})
}

func TestTreeIsBounded(t *testing.T) {
	big, tr := strings.Repeat("x", 1<<20), newTree()
	var err error
	for n := 0; err == nil && n < 2*store.MaxTree>>20; n++ {
		_, err = tr.put(object{ref: ref{secrets, strconv.Itoa(n)}, path: "confd", values: map[string]string{"one": big}})
	}
	if !errors.Is(err, follow.ErrBound) {
		t.Fatalf("one key, held by objects of twice the bound: %v", err)
	}
	tr, err = newTree(), nil
	for n := 0; err == nil && n < 2*store.MaxEntries; n++ {
		_, err = tr.put(object{ref: ref{secrets, strconv.Itoa(n)}})
	}
	if !errors.Is(err, follow.ErrBound) {
		t.Fatalf("empty objects: %v", err)
	}
}

// What Put writes, parse reads.
func TestWrittenIsRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k, value := kind(rapid.IntRange(0, 1).Draw(t, "kind")), string(rapid.SliceOf(rapid.Byte()).Draw(t, "value")) //nolint:gosec // 0 or 1
		body := written(k, "x", &value)
		for field := range body {
			if m := body[field].(map[string]any); m["x"] == nil {
				delete(body, field)
			}
		}
		body["kind"], body["metadata"] = k.String(), map[string]string{"name": "n", "namespace": "web", "resourceVersion": "7"}
		text, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		o, err := testAPI().parse(k, text)
		if err != nil || o.values["x"] != value || o.version != 7 || o.key("x") != "confd/x" {
			t.Fatalf("%+v, %v; want %q", o, err, value)
		}
	})
}

// Two keys never go to one entry, and each can be told from where it went.
func TestEveryKeyHasItsPlace(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		part := rapid.StringMatching(`[aA0_.ü -]{1,4}`)
		homes := map[home]string{}
		names := map[string]string{}
		for range 20 {
			key := strings.Join(rapid.SliceOfN(part, 1, 4).Draw(t, "key"), "/")
			h, err := placeOf(key)
			if err != nil || store.CheckKey(key) != nil {
				continue
			}
			if !namespaceName.MatchString(h.object) && len(h.object) < 64 || len(h.object) > 253 {
				t.Fatalf("%q goes to an object named %q", key, h.object)
			}
			if was, ok := homes[h]; ok && was != key {
				t.Fatalf("%q and %q share %v", was, key, h)
			}
			if was, ok := names[h.object]; ok && was != h.path {
				t.Fatalf("%q and %q share the object %s", was, h.path, h.object)
			}
			homes[h], names[h.object] = key, h.path
			if back := (object{path: h.path}).key(h.name); back != key {
				t.Fatalf("%q comes back as %q", key, back)
			}
		}
	})
	for key, want := range map[string]string{"confd/cpu": "datakit-confd", "pipeline/metric/cpu.p": "datakit-pipeline-metric"} {
		if h, err := placeOf(key); err != nil || h.object != want {
			t.Errorf("%s goes to %v, %v", key, h, err)
		}
	}
	for _, key := range []string{"confd/a b", "confd/ü", "confd/..a", "confd/" + strings.Repeat("n", 254), strings.Repeat("p/", 40<<10) + "a"} {
		if h, err := placeOf(key); err == nil {
			t.Errorf("%.40q goes to %v", key, h)
		}
	}
}

const goodObject = `{"kind":"ConfigMap","metadata":{"name":"a","namespace":"web","resourceVersion":"7"},"data":{"x":"1"}}`

// What no Kubernetes says is taken for nothing: it could look like an empty tree.
func TestForeignAnswers(t *testing.T) {
	for _, text := range []string{
		``, `null`, `[]`, `{}`, `<html>`, `{"kind":"ConfigMapList"}`, `{"kind":"ConfigMapList","metadata":{"resourceVersion":"7"}}`,
		`{"kind":"ConfigMapList","metadata":{"resourceVersion":"0"},"items":[]}`, `{"kind":"ConfigMapList","metadata":{"resourceVersion":"x"},"items":[]}`,
		`{"kind":"SecretList","metadata":{"resourceVersion":"7"},"items":[]}`, `{"kind":"ConfigMapList","metadata":{"resourceVersion":"7"},"items":{}}`,
		`{"kind":"PodList","metadata":{"resourceVersion":"7"},"items":null}`,
	} {
		if p, err := parsePage(configMaps, []byte(text), false); !errors.Is(err, errForeign) || !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("%s: %v, %v", text, p, err)
		}
	}
	for _, text := range []string{
		``, `null`, `{}`, `{"metadata":{"name":"a","namespace":"web"}}`, strings.Replace(goodObject, `"web"`, `"other"`, 1), strings.Replace(goodObject, "ConfigMap", "Secret", 1),
		strings.Replace(goodObject, `"1"`, `{}`, 1), strings.Replace(goodObject, `"7"`, `"-7"`, 1), strings.Replace(goodObject, `"data"`, `"binaryData"`, 1),
	} {
		if o, err := testAPI().parse(configMaps, []byte(text)); !errors.Is(err, errForeign) {
			t.Errorf("%s: %v, %v", text, o, err)
		}
	}
	bad := `{"kind":"Secret","metadata":{"name":"a","namespace":"web","resourceVersion":"7"},"data":{"x":"hunter2!"}}`
	if _, err := testAPI().parse(secrets, []byte(bad)); !errors.Is(err, errForeign) || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("a Secret that is no base64: %v", err)
	}
	for _, p := range []string{`{"kind":"ConfigMapList","metadata":{"resourceVersion":"7"},"items":null}`, `{"kind":"ConfigMapList","metadata":{"resourceVersion":"7"},"items":[]}`} {
		if got, err := parsePage(configMaps, []byte(p), false); err != nil || got.version != 7 || got.items != nil {
			t.Errorf("an empty list: %v, %v", got, err)
		}
	}
}

// No event makes us panic or leaves the copy other than the tree.
func FuzzEvent(f *testing.F) {
	for _, seed := range []string{
		`{"type":"ADDED","object":` + goodObject + `}`, `{"type":"DELETED","object":` + goodObject + `}`, `{"type":"MODIFIED","object":{}}`, `{"type":"PARTY"}`, `{`,
		`{"type":"BOOKMARK","object":{"kind":"ConfigMap","metadata":{"resourceVersion":"9"}}}`, `{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"x"}}}`,
		`{"type":"ERROR","object":{"kind":"Status","code":410,"message":"too old resource version: 1 (2)"}}`, `{"type":"ERROR","object":{"kind":"Status","code":-1}}`, `{"type":"ERROR"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		s := newSource(testAPI(), slog.New(slog.DiscardHandler))
		s.tree, s.version = newTree(), map[kind]uint64{configMaps: 3}
		var e event
		if json.Unmarshal(line, &e) == nil && e.Type != "BOOKMARK" && e.Type != "ERROR" {
			if o, err := s.parse(configMaps, e.Object); err == nil {
				if _, err := s.tree.put(o); err == nil && len(s.tree.objects) != 1 {
					t.Errorf("%d objects", len(s.tree.objects))
				}
				for key, entry := range s.tree.all() {
					if entry.Key != key || entry.Revision == "" {
						t.Errorf("%q: %+v", key, entry)
					}
				}
				if s.tree.remove(o.ref); len(s.tree.holders) != 0 || s.tree.size != 0 || s.tree.entries != 0 {
					t.Errorf("an empty tree holds %+v", s.tree)
				}
			}
			return
		}
		if err := s.happened(nil, configMaps, line); err != nil && !utf8.ValidString(err.Error()) {
			t.Errorf("%q", err)
		}
	})
}

func FuzzPage(f *testing.F) {
	for _, seed := range []string{`{"kind":"ConfigMapList","metadata":{"resourceVersion":"7","continue":"x"},"items":[` + goodObject + `]}`, `{"kind":"ConfigMapList","items":[1,`, `[`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := parsePage(configMaps, text, false)
		if err == nil && p.version == 0 || err != nil && p.items != nil {
			t.Errorf("%+v, %v", p, err)
		}
	})
}

// An expired version begins anew; what else the server says has its own error.
func TestVerdicts(t *testing.T) {
	for code, want := range map[int]error{401: store.ErrDenied, 403: store.ErrDenied, 410: errExpired, 500: store.ErrUnavailable, 504: store.ErrUnavailable, 429: store.ErrUnavailable, 0: store.ErrUnavailable} {
		a := testAPI()
		a.token = "hunter2"
		line := fmt.Sprintf(`{"type":"ERROR","object":{"kind":"Status","code":%d,"message":"no: hunter2\n%s"}}`, code, strings.Repeat("x", 2000))
		err := newSource(a, slog.New(slog.DiscardHandler)).happened(nil, configMaps, []byte(line))
		if !errors.Is(err, want) || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "\n") || len(err.Error()) > 1000 {
			t.Errorf("%d: %v", code, err)
		}
	}
}

func podOf(t *testing.T) place {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"namespace": "web\n", "token": "t1\n", "ca.crt": ""} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return place{node: "https://10.0.0.1:443", dir: dir}
}

// A pod needs no option at all, and its token goes to its own cluster only.
func TestWhatAPodKnows(t *testing.T) {
	pod := podOf(t)
	for name, c := range map[string]struct {
		values                        spec.Values
		node, namespace, token, table string
	}{
		"nothing is said":      {spec.Values{}, "https://10.0.0.1:443", "web", "Bearer t1", "[Secret ConfigMap]"},
		"a namespace":          {spec.Values{"confd_namespace": "other"}, "https://10.0.0.1:443", "other", "Bearer t1", "[Secret ConfigMap]"},
		"a token":              {spec.Values{"auth_token": " t2 \n"}, "https://10.0.0.1:443", "web", "Bearer t2", "[Secret ConfigMap]"},
		"nodes of another":     {spec.Values{"nodes": []string{"other"}}, "https://other:6443", "web", "", "[Secret ConfigMap]"},
		"nodes and the file":   {spec.Values{"nodes": []string{"other"}, "file": []string{pod.dir + "/token"}}, "https://other:6443", "web", "Bearer t1", "[Secret ConfigMap]"},
		"one kind of objects":  {spec.Values{"table": "ConfigMaps"}, "https://10.0.0.1:443", "web", "Bearer t1", "[ConfigMap]"},
		"a client certificate": {spec.Values{"client_cert": "c", "client_key": "k"}, "https://10.0.0.1:443", "web", "", "[Secret ConfigMap]"},
		"a proxy of kubectl":   {spec.Values{"nodes": []string{"http://127.0.0.1:8001"}}, "http://127.0.0.1:8001", "web", "", "[Secret ConfigMap]"},
	} {
		before := fmt.Sprint(c.values)
		a, err := newAPI(c.values, pod)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		h, err := a.header("application/json")
		if err != nil || h.Get("Authorization") != c.token || a.namespace != c.namespace || !slices.Equal(a.client.Nodes(), []string{c.node}) || fmt.Sprintf("%v", a.kinds) != c.table {
			t.Errorf("%s: %v %q %q %v, %v", name, a.client.Nodes(), a.namespace, h.Get("Authorization"), a.kinds, err)
		}
		if fmt.Sprint(c.values) != before {
			t.Errorf("%s: the values became %v", name, c.values)
		}
	}
	if a, err := newAPI(spec.Values{"nodes": []string{"x"}}, place{}); err != nil || a.namespace != "default" {
		t.Errorf("outside of a cluster: %q, %v", a.namespace, err)
	}
}

func TestWhereThePodIs(t *testing.T) {
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	t.Setenv("KUBERNETES_SERVICE_PORT", "443")
	if p := inCluster(); p != (place{}) {
		t.Errorf("outside: %+v", p)
	}
	t.Setenv("KUBERNETES_SERVICE_HOST", "fd00::1")
	if p := inCluster(); p.node != "https://[fd00::1]:443" || p.dir != accountDir {
		t.Errorf("inside: %+v", p)
	}
}

func TestOptionsThatNeverWork(t *testing.T) {
	const secret = "hunter2"
	for name, c := range map[string]struct {
		values spec.Values
		pod    place
		want   string
	}{
		"no nodes outside of a cluster": {spec.Values{}, place{}, "needs nodes outside"},
		"a namespace that is none":      {spec.Values{"nodes": []string{"a"}, "confd_namespace": "a/b"}, place{}, "confd_namespace"},
		"a namespace above":             {spec.Values{"nodes": []string{"a"}, "confd_namespace": ".."}, place{}, "confd_namespace"},
		"a namespace that is not there": {spec.Values{}, place{node: "https://a:1", dir: "/no/such"}, "confd_namespace is not set"},
		"another kind":                  {spec.Values{"nodes": []string{"a"}, "table": "pods"}, place{}, "table: expected"},
		"a token of two lines":          {spec.Values{"nodes": []string{"a"}, "auth_token": secret + "\nX: 1"}, place{}, "auth_token"},
		"two tokens":                    {spec.Values{"nodes": []string{"a"}, "auth_token": secret, "file": []string{"b"}}, place{}, "set one"},
		"two files":                     {spec.Values{"nodes": []string{"a"}, "file": []string{"a", "b"}}, place{}, "one file"},
		"a selector of two lines":       {spec.Values{"nodes": []string{"a"}, "filter": "a\nb"}, place{}, "filter"},
		"a certificate, no key":         {spec.Values{"nodes": []string{"a"}, "client_cert": "c"}, place{}, "go together"},
		"a password in a node":          {spec.Values{"nodes": []string{"https://u:" + secret + "@a"}}, place{}, "number 1"},
	} {
		t.Run(name, func(t *testing.T) {
			st, err := open(store.Options{Values: c.values}, c.pod)
			if err == nil || st != nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), secret) {
				t.Fatalf("%v; want one about %q, without secrets", err, c.want)
			}
		})
	}
}

// A token file that cannot be one is told, and not sent.
func TestTokenFileThatIsNone(t *testing.T) {
	pod := podOf(t)
	for _, text := range []string{"two words", strings.Repeat("x", maxToken+1), "\x00"} {
		if err := os.WriteFile(filepath.Join(pod.dir, "token"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		a, err := newAPI(spec.Values{}, pod)
		if err != nil {
			t.Fatal(err)
		}
		if h, err := a.header("x"); !errors.Is(err, store.ErrUnavailable) || h != nil || strings.Contains(err.Error(), "words") {
			t.Errorf("%.20q: %v, %v", text, h, err)
		}
	}
}
