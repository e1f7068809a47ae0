package vault_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
	"datakit.dev/internal/store/storetest"
	"datakit.dev/internal/testserver"
)

// What an operator does to secrets and mounts, on one server.
func TestSecrets(t *testing.T) {
	t.Parallel()
	v := testserver.StartVault(t)
	for name, run := range map[string]func(*testing.T, *site){
		"a deleted secret is gone, and back when it is undeleted":  undeleted,
		"a destroyed version is gone":                              destroyed,
		"a secret written anew after its metadata was deleted":     writtenAnew,
		"metadata alone is no key":                                 metadataAlone,
		"a version that is to be deleted later":                    deletedLater,
		"a put after a delete counts on":                           putAfterDelete,
		"a mount that wants every write to compare":                compareRequired,
		"a delete of one version leaves a newer one":               newerStays,
		"a mount of version 1 that becomes version 2":              upgraded,
		"a mount that is taken away and made anew":                 remounted,
		"a mount in a folder":                                      nestedMount,
		"a whole mount as the root":                                wholeMount,
		"no such mount":                                            noMount,
		"an engine that is none of ours":                           otherEngine,
		"a proxy that lets nothing of sys pass":                    withoutSys,
		"a policy to read, and nothing else":                       readPolicy,
		"a policy without the metadata of secrets":                 dataPolicy,
		"a policy for other secrets":                               otherPolicy,
		"a policy that is taken away is a denial, and no deletion": policyTakenAway,
		"the vendor's command line writes":                         commandLine,
		"a secret moved between keys loses nothing":                manyFields,
		"values that are no text are refused":                      noText,
	} {
		mount := strings.ToLower(strings.Map(func(r rune) rune {
			if r == ' ' || r == ',' || r == '\'' {
				return '-'
			}
			return r
		}, name))
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t, &site{server: server{Vault: v, mount: mount, folder: "datakit", version: 2}})
		})
	}
}

// A site is one mount on a Vault that is shared.
type site struct{ server }

// mounted mounts an engine of a version.
func (s *site) mounted(t *testing.T, version int) *site {
	t.Helper()
	s.version = version
	s.Mount(t, s.mount, version)
	return s
}

// open opens a store with the rights of rules, which name the mount by %[1]s and
// the folder by %[2]s.
func (s *site) open(t *testing.T, rules string) store.Store {
	t.Helper()
	s.Policy(t, s.mount, fmt.Sprintf(rules, s.mount, s.folder))
	return s.openToken(t, s.Token(t, map[string]any{"policies": []string{s.mount}}))
}

func (s *site) openToken(t *testing.T, token string) store.Store {
	t.Helper()
	return openStore(t, strings.TrimSuffix(s.root(), "/"), nil, spec.Values{"nodes": []string{s.Endpoint}, "auth_token": token, "circle_interval": int64(1)})
}

func (s *site) versions(t *testing.T, what, key string, versions ...int) {
	t.Helper()
	s.Call(t, http.MethodPut, s.path(what, key), map[string]any{"versions": versions})
}

func undeleted(t *testing.T, s *site) {
	st := s.mounted(t, 2).open(t, readWrite)
	s.Put(t, "confd/a", "1")
	storetest.ReadUntil(t, st, "confd/a=1")
	s.Delete(t, "confd/a")
	storetest.ReadUntil(t, st, "")
	since := storetest.ReadUntil(t, st, "").Revision
	s.versions(t, "undelete", "confd/a", 1)
	storetest.Wait(t, st, since)
	storetest.ReadUntil(t, st, "confd/a=1")
}

func destroyed(t *testing.T, s *site) {
	st := s.mounted(t, 2).open(t, readWrite)
	s.Put(t, "confd/a", "1")
	s.Put(t, "confd/a", "2")
	storetest.ReadUntil(t, st, "confd/a=2")
	s.versions(t, "destroy", "confd/a", 2)
	storetest.ReadUntil(t, st, "")
	s.Put(t, "confd/a", "3")
	storetest.ReadUntil(t, st, "confd/a=3")
}

// The new secret has the version that the old one had.
func writtenAnew(t *testing.T, s *site) {
	st := s.mounted(t, 2).open(t, readWrite)
	s.Put(t, "confd/a", "old")
	before := storetest.ReadUntil(t, st, "confd/a=old")
	s.Call(t, http.MethodDelete, s.path("metadata", "confd/a"), nil)
	s.Put(t, "confd/a", "new")
	after := storetest.ReadUntil(t, st, "confd/a=new")
	if before.Entries[0].Revision != after.Entries[0].Revision {
		t.Errorf("version %s is now %s: this test tests nothing", before.Entries[0].Revision, after.Entries[0].Revision)
	}
}

func metadataAlone(t *testing.T, s *site) {
	st := s.mounted(t, 2).open(t, readWrite)
	s.Call(t, http.MethodPost, s.path("metadata", "confd/a"), map[string]int{"max_versions": 5})
	storetest.ReadUntil(t, st, "")
	if err := st.(store.Writer).Delete(t.Context(), "confd/a", store.Cond{}); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Delete: %v", err)
	}
	if _, err := st.(store.Writer).Put(t.Context(), "confd/a", "1", store.Cond{Absent: true}); err != nil {
		t.Error(err)
	}
	storetest.ReadUntil(t, st, "confd/a=1")
}

// Its metadata names the time from the beginning on, so that it alone does not
// tell when the secret is gone.
func deletedLater(t *testing.T, s *site) {
	st := s.mounted(t, 2).open(t, readWrite)
	s.Call(t, http.MethodPost, s.path("metadata", "confd/a"), map[string]string{"delete_version_after": "2s"})
	s.Put(t, "confd/a", "1")
	since := storetest.ReadUntil(t, st, "confd/a=1").Revision
	storetest.Wait(t, st, since)
	storetest.ReadUntil(t, st, "")
}

func putAfterDelete(t *testing.T, s *site) {
	st := s.mounted(t, 2).open(t, readWrite)
	w := st.(store.Writer)
	old, err := w.Put(t.Context(), "confd/a", "1", store.Cond{Absent: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Delete(t.Context(), "confd/a", store.Cond{}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Put(t.Context(), "confd/a", "2", store.Cond{Revision: old}); !errors.Is(err, store.ErrConflict) {
		t.Errorf("at the revision of what is deleted: %v", err)
	}
	if rev, err := w.Put(t.Context(), "confd/a", "2", store.Cond{Absent: true}); err != nil || rev != "2" {
		t.Errorf("revision %q, %v", rev, err)
	}
	storetest.ReadUntil(t, st, "confd/a=2")
}

func compareRequired(t *testing.T, s *site) {
	st := s.mounted(t, 2).open(t, readWrite)
	s.Call(t, http.MethodPost, s.mount+"/config", map[string]bool{"cas_required": true})
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			if _, err := st.(store.Writer).Put(t.Context(), "confd/a", fmt.Sprint(i), store.Cond{}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if e := storetest.ReadUntil(t, st, "confd/a=").Entries[0]; e.Revision != "4" {
		t.Errorf("revision %q after four puts", e.Revision)
	}
}

func newerStays(t *testing.T, s *site) {
	st := s.mounted(t, 2).open(t, readWrite)
	w := st.(store.Writer)
	rev, err := w.Put(t.Context(), "confd/a", "mine", store.Cond{})
	if err != nil {
		t.Fatal(err)
	}
	s.Put(t, "confd/a", "theirs")
	if err := w.Delete(t.Context(), "confd/a", store.Cond{Revision: rev}); !errors.Is(err, store.ErrConflict) {
		t.Errorf("Delete: %v", err)
	}
	storetest.ReadUntil(t, st, "confd/a=theirs")
}

// All paths of version 1 are a 404 afterwards, as if every key were deleted.
func upgraded(t *testing.T, s *site) {
	st := s.mounted(t, 1).open(t, readWriteOne+readWrite)
	s.Put(t, "confd/a", "1")
	before := storetest.ReadUntil(t, st, "confd/a=1")
	s.Call(t, http.MethodPost, "sys/mounts/"+s.mount+"/tune", map[string]any{"options": map[string]string{"version": "2"}})
	storetest.Until(t, "Read", func() error {
		snap, err := st.Read(t.Context())
		if err == nil && snap.Revision != before.Revision {
			t.Fatalf("the upgrade shows %v", snap.Entries)
		}
		if err == nil && snap.Entries[0].Revision == before.Entries[0].Revision {
			return errors.New("still version 1")
		}
		return err
	})
	s.version = 2
	s.Put(t, "confd/a", "2")
	storetest.ReadUntil(t, st, "confd/a=2")
}

func remounted(t *testing.T, s *site) {
	st := s.mounted(t, 2).open(t, readWrite)
	s.Put(t, "confd/a", "old")
	storetest.ReadUntil(t, st, "confd/a=old")
	s.Call(t, http.MethodDelete, "sys/mounts/"+s.mount, nil)
	if snap, err := st.Read(t.Context()); err == nil {
		t.Fatalf("without a mount Read shows %v", snap)
	}
	s.Mount(t, s.mount, 2)
	storetest.ReadUntil(t, st, "")
	s.Put(t, "confd/a", "new")
	storetest.ReadUntil(t, st, "confd/a=new")
}

func nestedMount(t *testing.T, s *site) {
	s.mount += "/kv"
	st := s.mounted(t, 2).open(t, readWrite)
	s.Put(t, "confd/a", "1")
	storetest.ReadUntil(t, st, "confd/a=1")
}

func wholeMount(t *testing.T, s *site) {
	s.folder = ""
	st := s.mounted(t, 2).open(t, readWrite)
	if _, err := st.(store.Writer).Put(t.Context(), "confd/a", "1", store.Cond{}); err != nil {
		t.Fatal(err)
	}
	s.Call(t, http.MethodPost, s.mount+"/data/confd/b", map[string]any{"data": map[string]string{"value": "2"}})
	storetest.ReadUntil(t, st, "confd/a=1 confd/b=2")
}

func noMount(t *testing.T, s *site) {
	st := s.open(t, readWrite)
	_, err := st.Read(t.Context())
	if !errors.Is(err, store.ErrDenied) && !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), "enable one, or set prefix") {
		t.Errorf("Read: %v", err)
	}
	if _, err := st.(store.Writer).Put(t.Context(), "confd/a", "1", store.Cond{}); err == nil {
		t.Error("Put wrote somewhere")
	}
}

func otherEngine(t *testing.T, s *site) {
	s.Call(t, http.MethodPost, "sys/mounts/"+s.mount, map[string]string{"type": "transit"})
	st := s.open(t, readWriteOne)
	if _, err := st.Read(t.Context()); !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), "transit") {
		t.Errorf("Read: %v", err)
	}
}

// Both versions are told apart without being told, an empty mount as well as a
// full one, and by the least of rights.
func withoutSys(t *testing.T, s *site) {
	pass := s.proxy(t)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/v1/sys/") {
			http.Error(w, "not for you", http.StatusForbidden)
			return
		}
		pass.ServeHTTP(w, r)
	}))
	t.Cleanup(proxy.Close)
	base := s.mount
	for version, rules := range map[int]string{1: readWriteOne, 2: readWrite} {
		mine := *s
		mine.mount = fmt.Sprintf("%s-%d", base, version)
		mine.mounted(t, version)
		for _, all := range []bool{false, true} {
			if all {
				rules = `path "%[1]s/*" { capabilities = ["create", "read", "update", "delete", "list"] }`
			}
			mine.Policy(t, mine.mount, fmt.Sprintf(rules, mine.mount, mine.folder))
			st := openStore(t, mine.root(), nil, spec.Values{
				"nodes": []string{proxy.URL}, "auth_token": mine.Token(t, map[string]any{"policies": []string{mine.mount}}), "circle_interval": int64(1),
			})
			storetest.ReadUntil(t, st, "")
			if _, err := st.(store.Writer).Put(t.Context(), "confd/a", "1", store.Cond{Absent: true}); err != nil {
				t.Fatal(err)
			}
			storetest.ReadUntil(t, st, "confd/a=1")
			if err := st.(store.Writer).Delete(t.Context(), "confd/a", store.Cond{}); err != nil {
				t.Fatal(err)
			}
			storetest.ReadUntil(t, st, "")
		}
	}
}

// proxy passes requests on to the server.
func (s *site) proxy(t *testing.T) http.Handler {
	t.Helper()
	target, err := url.Parse(s.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	return &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }}
}

func readPolicy(t *testing.T, s *site) {
	st := s.mounted(t, 2).open(t, readOnly)
	s.Put(t, "confd/a", "1")
	storetest.ReadUntil(t, st, "confd/a=1")
	s.Put(t, "confd/a", "2")
	storetest.ReadUntil(t, st, "confd/a=2")
	if _, err := st.(store.Writer).Put(t.Context(), "confd/a", "3", store.Cond{}); !errors.Is(err, store.ErrDenied) {
		t.Errorf("Put: %v", err)
	}
	if err := st.(store.Writer).Delete(t.Context(), "confd/a", store.Cond{}); !errors.Is(err, store.ErrDenied) {
		t.Errorf("Delete: %v", err)
	}
}

func dataPolicy(t *testing.T, s *site) {
	st := s.mounted(t, 2).open(t, `
path "%[1]s/data/%[2]s*"     { capabilities = ["read"] }
path "%[1]s/metadata/%[2]s*" { capabilities = ["list"] }
`)
	s.Put(t, "confd/a", "1")
	s.Put(t, "confd/b", "1")
	storetest.ReadUntil(t, st, "confd/a=1 confd/b=1")
	s.Put(t, "confd/a", "2")
	s.Delete(t, "confd/b")
	storetest.ReadUntil(t, st, "confd/a=2")
}

func otherPolicy(t *testing.T, s *site) {
	st := s.mounted(t, 2).open(t, `path "%[1]s/data/other/*" { capabilities = ["read"] }`)
	if _, err := st.Read(t.Context()); !errors.Is(err, store.ErrDenied) {
		t.Errorf("Read: %v", err)
	}
}

func policyTakenAway(t *testing.T, s *site) {
	st := s.mounted(t, 2).open(t, readOnly)
	s.Put(t, "confd/a", "1")
	storetest.ReadUntil(t, st, "confd/a=1")
	for what, rules := range map[string]string{
		"all of it":    `path "elsewhere/*" { capabilities = ["read"] }`,
		"the list":     `path "%[1]s/data/%[2]s*" { capabilities = ["read"] }`,
		"the contents": `path "%[1]s/metadata/%[2]s*" { capabilities = ["list"] }`,
	} {
		if strings.Contains(rules, "%") {
			rules = fmt.Sprintf(rules, s.mount, s.folder)
		}
		s.Policy(t, s.mount, rules)
		if snap, err := st.Read(t.Context()); !errors.Is(err, store.ErrDenied) {
			t.Errorf("without %s: %v, %v", what, snap, err)
		}
	}
	s.Policy(t, s.mount, fmt.Sprintf(readOnly, s.mount, s.folder))
	storetest.ReadUntil(t, st, "confd/a=1")
}

func commandLine(t *testing.T, s *site) {
	for version, rules := range map[int]string{1: readWriteOne, 2: readWrite} {
		mine := *s
		mine.mount = fmt.Sprintf("%s-%d", s.mount, version)
		st := mine.mounted(t, version).open(t, rules)
		file := filepath.Join(t.TempDir(), "cpu.conf")
		if err := os.WriteFile(file, []byte("[[inputs.cpu]]\n  interval = '10s'\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		since := storetest.ReadUntil(t, st, "").Revision
		mine.Command(t, "kv", "put", "-mount="+mine.mount, "datakit/confd/cpu", "value=@"+file)
		storetest.Wait(t, st, since)
		snap := storetest.ReadUntil(t, st, "confd/cpu=")
		if v := snap.Entries[0].Value; v != "[[inputs.cpu]]\n  interval = '10s'\n" {
			t.Errorf("version %d: %q", version, v)
		}
		if _, err := st.(store.Writer).Put(t.Context(), "confd/cpu", "ours", store.Cond{Revision: snap.Entries[0].Revision}); err != nil {
			t.Fatal(err)
		}
		if got := mine.Command(t, "kv", "get", "-mount="+mine.mount, "-field=value", "datakit/confd/cpu"); strings.TrimSpace(got) != "ours" {
			t.Errorf("version %d: vault kv get shows %q", version, got)
		}
		mine.Command(t, "kv", "delete", "-mount="+mine.mount, "datakit/confd/cpu")
		storetest.ReadUntil(t, st, "")
	}
}

func manyFields(t *testing.T, s *site) {
	for version, rules := range map[int]string{1: readWriteOne, 2: readWrite} {
		mine := *s
		mine.mount = fmt.Sprintf("%s-%d", s.mount, version)
		st := mine.mounted(t, version).open(t, rules)
		var body any = map[string]string{"cpu": "1", "mem": "2"}
		if version == 2 {
			body = map[string]any{"data": body}
		}
		mine.Call(t, http.MethodPost, mine.path("data", "confd/host"), body)
		mine.Put(t, "confd/host/disk", "3")
		storetest.ReadUntil(t, st, "confd/host/cpu=1 confd/host/disk=3 confd/host/mem=2")
		if _, err := st.(store.Writer).Put(t.Context(), "confd/host", "all", store.Cond{Absent: true}); !errors.Is(err, store.ErrConflict) {
			t.Errorf("version %d: a put in the place of several fields: %v", version, err)
		}
		if err := st.(store.Writer).Delete(t.Context(), "confd/host", store.Cond{}); err != nil {
			t.Error(err)
		}
		storetest.ReadUntil(t, st, "confd/host/disk=3")
	}
}

func noText(t *testing.T, s *site) {
	st := s.mounted(t, 2).open(t, readWrite)
	w := st.(store.Writer)
	if _, err := w.Put(t.Context(), "confd/a", "\xff\xfe", store.Cond{}); err == nil || !strings.Contains(err.Error(), "UTF-8") {
		t.Errorf("Put: %v", err)
	}
	for _, key := range []string{"confd/a ", " confd/a", "confd/a..b", "confd/\u00a0", "confd/\u202e"} {
		if _, err := w.Put(t.Context(), key, "1", store.Cond{}); err == nil {
			t.Errorf("key %q was written", key)
		}
	}
	storetest.ReadUntil(t, st, "")
}
