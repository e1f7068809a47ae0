package kubernetes_test

import (
	"errors"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
	"datakit.dev/internal/store/storetest"
	"datakit.dev/internal/stores/kubernetes"
	"datakit.dev/internal/testserver"
)

// cluster returns a server with the namespace web.
func cluster(t *testing.T) server {
	t.Helper()
	k := testserver.StartKubernetes(t)
	k.Namespace(t, "web")
	return server{Kubernetes: k, namespace: "web", endpoint: k.Endpoint}
}

// with returns the values of s with some set otherwise; an empty one is removed.
func (s server) with(pairs ...string) spec.Values {
	v := s.values()
	for i := 0; i < len(pairs); i += 2 {
		if v[pairs[i]] = any(pairs[i+1]); pairs[i+1] == "" {
			delete(v, pairs[i])
		}
	}
	return v
}

func path(folder string) map[string]string { return map[string]string{"datakit.dev/path": folder} }

// shows reads until the tree is want, each "key=value".
func shows(t *testing.T, st store.Store, want ...string) store.Snapshot {
	t.Helper()
	return storetest.ReadUntil(t, st, strings.Join(want, " "))
}

// One server goes through it all: starting one takes seconds.
func TestObjects(t *testing.T) {
	t.Parallel()
	s := cluster(t)
	for _, c := range []struct {
		name string
		run  func(*testing.T, server)
	}{
		{"entries of ConfigMaps and Secrets are keys", entriesAreKeys},
		{"an object that loses its label is gone", losesItsLabel},
		{"an annotation that changes moves the keys", movesItsKeys},
		{"of two objects with one key the first counts", conflict},
		{"kubectl writes what we read", kubectl},
		{"a selector of one's own", selector},
		{"only one kind", oneKind},
		{"what an account may do", mayDo},
		{"a token that is replaced", rotates},
		{"a Secret is written where it is", writesSecrets},
		{"a stranger's ConfigMap is not written", stranger},
		{"an immutable object says so", immutable},
		{"what was compacted is listed anew", compacted},
		{"a client certificate", clientCertificate},
		{"an authority's file that comes later", laterAuthority},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.namespace = "n" + storetestName(c.name)
			s.Namespace(t, s.namespace)
			c.run(t, s)
		})
	}
}

// storetestName makes the name of a namespace of a case's.
func storetestName(name string) string {
	return strings.Trim(strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' {
			return r
		}
		return '-'
	}, strings.ToLower(name)), "-")
}

func entriesAreKeys(t *testing.T, s server) {
	st := s.Open(t)
	t.Cleanup(func() { _ = st.Close() })
	s.ConfigMap(t, s.namespace, "one", label(), nil, map[string]string{"cpu.conf": "1", "mem": "2"})
	s.ConfigMap(t, s.namespace, "scripts", label(), path("/pipeline/metric/"), map[string]string{"cpu.p": "3"})
	s.ConfigMap(t, s.namespace, "top", label(), path(""), map[string]string{"swap": "4", "no-utf8": "\xff"})
	s.Secret(t, s.namespace, "two", label(), path("confd/db"), map[string]string{"mysql": "secret", "bin": "\x00\xff"})
	want := []string{"confd/cpu.conf=1", "confd/db/bin=\x00\xff", "confd/db/mysql=secret", "confd/mem=2", "no-utf8=\xff", "pipeline/metric/cpu.p=3", "swap=4"}
	shows(t, st, want...)
}

func losesItsLabel(t *testing.T, s server) {
	st := open(t, nil, s.values())
	s.ConfigMap(t, s.namespace, "one", label(), nil, map[string]string{"a": "1"})
	s.ConfigMap(t, s.namespace, "two", label(), nil, map[string]string{"b": "2"})
	since := shows(t, st, "confd/a=1", "confd/b=2").Revision
	s.ConfigMap(t, s.namespace, "one", map[string]string{"datakit.dev/config": "off"}, nil, map[string]string{"a": "1"})
	storetest.Wait(t, st, since)
	shows(t, st, "confd/b=2")
	s.ConfigMap(t, s.namespace, "one", label(), nil, map[string]string{"a": "3"})
	shows(t, st, "confd/a=3", "confd/b=2")
}

func movesItsKeys(t *testing.T, s server) {
	st := open(t, nil, s.values())
	s.ConfigMap(t, s.namespace, "one", label(), nil, map[string]string{"a.p": "1"})
	shows(t, st, "confd/a.p=1")
	s.ConfigMap(t, s.namespace, "one", label(), path("pipeline/logging"), map[string]string{"a.p": "1"})
	shows(t, st, "pipeline/logging/a.p=1")
	s.Remove(t, "/api/v1/namespaces/"+s.namespace+"/configmaps/one")
	shows(t, st)
}

// conflict lets three objects hold a key, whose order is that of their kinds and
// names, and not of their coming.
func conflict(t *testing.T, s server) {
	var logged storetest.Log
	st := open(t, logged.Logger(), s.values())
	for _, name := range []string{"b", "a", "c"} {
		s.ConfigMap(t, s.namespace, name, label(), nil, map[string]string{"x": name})
	}
	shows(t, st, "confd/x=a")
	s.Secret(t, s.namespace, "z", label(), nil, map[string]string{"x": "secret"})
	shows(t, st, "confd/x=secret")
	if text := logged.String(); !strings.Contains(text, "confd/x") || !strings.Contains(text, "ConfigMap a") {
		t.Errorf("the log does not tell of the conflict: %s", text)
	}
	s.Remove(t, "/api/v1/namespaces/"+s.namespace+"/secrets/z")
	shows(t, st, "confd/x=a")
	if err := st.(store.Writer).Delete(t.Context(), "confd/x", store.Cond{}); err != nil {
		t.Fatal(err)
	}
	shows(t, st)
}

func kubectl(t *testing.T, s server) {
	st := open(t, nil, s.values())
	s.Kubectl(t, "[[inputs.cpu]]", "-n", s.namespace, "create", "configmap", "web", "--from-file=cpu.conf=/dev/stdin")
	s.Kubectl(t, "", "-n", s.namespace, "label", "configmap", "web", "datakit.dev/config=true")
	shows(t, st, "confd/cpu.conf=[[inputs.cpu]]")
	s.Kubectl(t, "", "-n", s.namespace, "annotate", "configmap", "web", "datakit.dev/path=confd/web")
	shows(t, st, "confd/web/cpu.conf=[[inputs.cpu]]")
	if _, err := st.(store.Writer).Put(t.Context(), "confd/web/cpu.conf", "new", store.Cond{}); err != nil {
		t.Fatal(err)
	}
	if out := s.Kubectl(t, "", "-n", s.namespace, "get", "configmap", "web", "-o", `jsonpath={.data.cpu\.conf}`); out != "new" {
		t.Errorf("kubectl shows %q", out)
	}
	s.Kubectl(t, "", "-n", s.namespace, "delete", "configmap", "web")
	shows(t, st)
}

func selector(t *testing.T, s server) {
	st := open(t, nil, s.with("filter", "team in (web, db), stage!=test"))
	s.ConfigMap(t, s.namespace, "one", map[string]string{"team": "web"}, nil, map[string]string{"a": "1"})
	s.ConfigMap(t, s.namespace, "two", map[string]string{"team": "web", "stage": "test"}, nil, map[string]string{"b": "1"})
	s.ConfigMap(t, s.namespace, "three", label(), nil, map[string]string{"c": "1"})
	shows(t, st, "confd/a=1")
	w := st.(store.Writer)
	if _, err := w.Put(t.Context(), "confd/new", "1", store.Cond{}); err == nil || !strings.Contains(err.Error(), "kubectl") {
		t.Errorf("Put of a new key: %v", err)
	}
	if _, err := w.Put(t.Context(), "confd/a", "2", store.Cond{}); err != nil {
		t.Error(err)
	}
	plain := open(t, nil, s.with("filter", "team = db,stage==live"))
	if _, err := plain.(store.Writer).Put(t.Context(), "confd/new", "3", store.Cond{}); err != nil {
		t.Fatal(err)
	}
	shows(t, plain, "confd/new=3")
	shows(t, st, "confd/a=2", "confd/new=3")
	bad := open(t, nil, s.with("filter", "team in ("))
	if _, err := bad.Read(storetest.Deadline(t, storetest.Patience)); err == nil || !strings.Contains(err.Error(), "unable to parse") {
		t.Errorf("a selector that is none: %v", err)
	}
}

func oneKind(t *testing.T, s server) {
	s.ConfigMap(t, s.namespace, "one", label(), nil, map[string]string{"a": "map"})
	s.Secret(t, s.namespace, "one", label(), nil, map[string]string{"b": "secret"})
	shows(t, open(t, nil, s.with("table", "configmaps")), "confd/a=map")
	only := open(t, nil, s.with("table", "secrets"))
	shows(t, only, "confd/b=secret")
	if _, err := only.(store.Writer).Put(t.Context(), "confd/new", "1", store.Cond{}); err == nil || !strings.Contains(err.Error(), "table") {
		t.Errorf("Put: %v", err)
	}
}

// mayDo checks that a kind which may not be listed never looks empty.
func mayDo(t *testing.T, s server) {
	s.ConfigMap(t, s.namespace, "one", label(), nil, map[string]string{"a": "1"})
	rule := func(resources []string, verbs ...string) testserver.Object {
		return testserver.Object{"apiGroups": []string{""}, "resources": resources, "verbs": verbs}
	}
	both, maps := []string{"configmaps", "secrets"}, []string{"configmaps"}
	for i, c := range []struct {
		name, table   string
		rule          testserver.Object
		reads, writes bool
	}{
		{"nothing", "", rule(both, "get"), false, false},
		{"ConfigMaps only", "", rule(maps, "list", "watch"), false, false},
		{"ConfigMaps only, and said so", "configmaps", rule(maps, "list", "watch"), true, false},
		{"to list but not to watch", "", rule(both, "list"), false, false}, // nobody would be woken
		{"to read", "", rule(both, "list", "watch"), true, false},
		{"to write", "", rule(both, "list", "watch", "create", "patch"), true, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			token := s.Grant(t, s.namespace, "agent"+string(rune('a'+i)), c.rule)
			st := open(t, nil, s.with("auth_token", token, "table", c.table))
			_, err := st.Read(storetest.Deadline(t, storetest.Patience))
			if !c.reads {
				if !errors.Is(err, store.ErrDenied) || !strings.Contains(err.Error(), "Role") || strings.Contains(err.Error(), token) {
					t.Errorf("Read: %v", err)
				}
				return
			}
			if err != nil {
				t.Errorf("Read: %v", err)
			}
			_, err = st.(store.Writer).Put(t.Context(), "confd/b", "2", store.Cond{})
			if c.writes && err != nil || !c.writes && !errors.Is(err, store.ErrDenied) {
				t.Errorf("Put: %v", err)
			}
		})
	}
}

// rotates replaces the token file, as the kubelet does, and ends the old token.
func rotates(t *testing.T, s server) {
	var logged storetest.Log
	file := filepath.Join(t.TempDir(), "token")
	write := func(token string) {
		if err := os.WriteFile(file, []byte(token+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	old := s.Grant(t, s.namespace, "agent", reads)
	v := s.with("auth_token", "")
	v["file"] = []string{file}
	st := open(t, logged.Logger(), v)
	if _, err := st.Read(storetest.Deadline(t, storetest.Patience)); !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), "token") {
		t.Errorf("without the file: %v", err)
	}
	write(old)
	s.Put(t, "confd/a", "1")
	shows(t, st, "confd/a=1")
	s.Remove(t, "/api/v1/namespaces/"+s.namespace+"/secrets/agent-token")
	denied := open(t, logged.Logger(), s.with("auth_token", old))
	var err error
	storetest.Until(t, "the end of the token", func() error {
		if _, err = denied.Read(storetest.Deadline(t, storetest.Patience)); err == nil {
			return errors.New("it still works")
		}
		return nil
	})
	if !errors.Is(err, store.ErrDenied) {
		t.Errorf("an ended token: %v", err)
	}
	fresh := s.Issue(t, s.namespace, "agent", "again")
	write(fresh)
	s.Put(t, "confd/a", "2")
	shows(t, st, "confd/a=2")
	logged.Keeps(t, old, err)
	logged.Keeps(t, fresh, err)
}

func writesSecrets(t *testing.T, s server) {
	st := open(t, nil, s.values())
	s.Secret(t, s.namespace, "db", label(), nil, map[string]string{"mysql": "1", "redis": "1"})
	shows(t, st, "confd/mysql=1", "confd/redis=1")
	w := st.(store.Writer)
	if _, err := w.Put(t.Context(), "confd/mysql", "\xff2", store.Cond{Revision: store.RevisionOf("1")}); err != nil {
		t.Fatal(err)
	}
	shows(t, st, "confd/mysql=\xff2", "confd/redis=1")
	if err := w.Delete(t.Context(), "confd/redis", store.Cond{}); err != nil {
		t.Fatal(err)
	}
	shows(t, st, "confd/mysql=\xff2")
	if text := string(s.Get(t, "/api/v1/namespaces/"+s.namespace+"/configmaps")); strings.Contains(text, "mysql") {
		t.Error("a part of the Secret is in a ConfigMap")
	}
}

// stranger lets somebody else have a ConfigMap of the name that we would take.
func stranger(t *testing.T, s server) {
	theirs := map[string]string{"theirs": "1"}
	s.ConfigMap(t, s.namespace, "datakit-confd", nil, nil, theirs)
	st := open(t, nil, s.values())
	if _, err := st.(store.Writer).Put(t.Context(), "confd/a", "1", store.Cond{}); err == nil || !strings.Contains(err.Error(), "not ours") {
		t.Errorf("Put: %v", err)
	}
	if text := string(s.Get(t, "/api/v1/namespaces/"+s.namespace+"/configmaps/datakit-confd")); strings.Contains(text, `"a"`) || !strings.Contains(text, "theirs") {
		t.Errorf("it was written: %s", text)
	}
}

func immutable(t *testing.T, s server) {
	s.Apply(t, "/api/v1/namespaces/"+s.namespace+"/configmaps/fixed", testserver.Object{
		"apiVersion": "v1", "kind": "ConfigMap", "metadata": testserver.Object{"labels": label()}, "data": map[string]string{"a": "1"}, "immutable": true,
	})
	w := open(t, nil, s.values()).(store.Writer)
	if _, err := w.Put(t.Context(), "confd/a", "2", store.Cond{}); err == nil || !strings.Contains(err.Error(), "immutable") {
		t.Errorf("Put: %v", err)
	}
	big := strings.Repeat("x", 900<<10)
	if _, err := w.Put(t.Context(), "confd/b", big, store.Cond{}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Put(t.Context(), "confd/c", big, store.Cond{}); err == nil || !strings.Contains(err.Error(), "1048576") {
		t.Errorf("over what one object takes: %v", err)
	}
}

// compacted cuts the watch, and lets the server forget where it was.
func compacted(t *testing.T, s server) {
	relay := testserver.StartRelay(t, s.Address())
	v := s.values()
	v["nodes"] = []string{"https://" + relay.Address}
	st := open(t, nil, v)
	s.Put(t, "confd/a", "1")
	shows(t, st, "confd/a=1")
	relay.Cut()
	s.Put(t, "confd/b", "1")
	s.Delete(t, "confd/a")
	s.Compact(t)
	relay.Heal()
	shows(t, st, "confd/b=1")
}

func clientCertificate(t *testing.T, s server) {
	s.Put(t, "confd/a", "1")
	rbac := "/apis/rbac.authorization.k8s.io/v1/namespaces/" + s.namespace
	s.Grant(t, s.namespace, "agent", reads)
	s.Apply(t, rbac+"/rolebindings/certificate", testserver.Object{
		"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
		"roleRef":  testserver.Object{"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "agent"},
		"subjects": []testserver.Object{{"kind": "User", "name": "edge-1", "apiGroup": "rbac.authorization.k8s.io"}},
	})
	ours, strangers := s.CA.Issue(t, "edge-1"), testserver.NewCA(t)
	theirs := strangers.Issue(t, "edge-1")
	shows(t, open(t, nil, s.with("auth_token", "", "client_cert", ours.Cert, "client_key", ours.Key)), "confd/a=1")
	for name, v := range map[string]spec.Values{
		"another's certificate":   s.with("auth_token", "", "client_cert", theirs.Cert, "client_key", theirs.Key),
		"neither":                 s.with("auth_token", ""),
		"another's authority":     s.with("client_ca_keys", strangers.File),
		"the system's":            s.with("client_ca_keys", ""),
		"plain HTTP":              s.with("client_ca_keys", "", "scheme", "http"),
		"a token of another kind": s.with("auth_token", "hunter2-hunter2"),
	} {
		if name == "plain HTTP" {
			v["nodes"] = []string{s.Address()}
		}
		_, err := open(t, nil, v).Read(storetest.Deadline(t, storetest.Patience))
		if !errors.Is(err, store.ErrDenied) && !errors.Is(err, store.ErrUnavailable) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// laterAuthority reads the file anew after a failure, as it is replaced while a
// cluster changes its authority.
func laterAuthority(t *testing.T, s server) {
	s.Put(t, "confd/a", "1")
	file := filepath.Join(t.TempDir(), "ca.crt")
	write := func(from string) {
		text, err := os.ReadFile(from)
		if err == nil {
			err = os.WriteFile(file, text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	write(testserver.NewCA(t).File)
	st := open(t, slog.New(slog.DiscardHandler), s.with("client_ca_keys", file))
	if _, err := st.Read(storetest.Deadline(t, storetest.Patience)); !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("Read: %v", err)
	}
	write(s.CA.File)
	shows(t, st, "confd/a=1")
}

// The next node is used where one fails.
func TestFailover(t *testing.T) {
	t.Parallel()
	s := cluster(t)
	s.Put(t, "confd/a", "1")
	relay := testserver.StartRelay(t, s.Address())
	v := maps.Clone(s.values())
	v["nodes"] = []string{"127.0.0.1:1", "https://" + relay.Address, s.Address()}
	st, err := kubernetes.Backend().Open(store.Options{Values: v})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	shows(t, st, "confd/a=1")
	relay.Cut()
	s.Put(t, "confd/a", "2")
	shows(t, st, "confd/a=2")
}
