package aws_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
	"datakit.dev/internal/store/storetest"
	"datakit.dev/internal/stores/aws"
	"datakit.dev/internal/testserver"
)

func put(t testing.TB, st store.Store, key, value string, cond store.Cond) (store.Revision, error) {
	t.Helper()
	return st.(store.Writer).Put(storetest.Deadline(t, storetest.Patience), key, value, cond)
}

// The cases below share one server, each with a root of its own.
func TestTree(t *testing.T) {
	t.Parallel()
	m, n := testserver.StartMoto(t, nil), 0
	for name, run := range map[string]func(*testing.T, testserver.Moto, string){
		"every page of a tree is read":                       everyPage,
		"a binary secret is read and put":                    binary,
		"only what changed is fetched":                       onlyChanged,
		"a secret that waits to be deleted is gone":          scheduled,
		"a put brings a deleted secret back":                 broughtBack,
		"a delete can be taken back":                         takenBack,
		"a secret without a value is no key":                 withoutValue,
		"a version set back is the value again":              setBack,
		"a version that is pending is not shown":             pending,
		"one deleted between list and fetch is gone":         deletedMeanwhile,
		"one secret that is denied is no deletion":           deniedOne,
		"a name that differs in case is another":             otherCase,
		"a value of 64 kilobytes is taken":                   largest,
		"what a secret cannot hold is refused":               refused,
		"the next node is asked where one is away":           nextNode,
		"a broken answer is an error and no empty tree":      broken,
		"a list that runs behind does not undo a fresh read": behind,
	} {
		n++
		t.Run(name, func(t *testing.T) { run(t, m, fmt.Sprintf("/datakit/%d", n)) })
	}
}

func everyPage(t *testing.T, m testserver.Moto, root string) {
	want := ""
	for i := range 105 {
		m.PutSecret(t, fmt.Sprintf("%s/confd/%03d", root, i), fmt.Sprint(i))
		want += fmt.Sprintf("confd/%03d=%d ", i, i)
	}
	tap := m.NewTap(t, nil)
	storetest.ReadUntil(t, open(t, m, root, spec.Values{"nodes": []string{tap.URL}}, nil), want)
	if pages, reads := tap.Count("ListSecrets"), tap.Count("BatchGetSecretValue"); pages != 2 || reads != 6 {
		t.Errorf("105 secrets came in %d pages and %d fetches", pages, reads)
	}
}

func binary(t *testing.T, m testserver.Moto, root string) {
	m.PutSecret(t, root+"/confd/a", "\xff\x00a")
	st := open(t, m, root, nil, nil)
	if e, _ := storetest.ReadUntil(t, st, "confd/a=").Get("confd/a"); e.Value != "\xff\x00a" {
		t.Errorf("%q", e.Value)
	}
	if _, err := put(t, st, "confd/a", "\xfe", store.Cond{}); err != nil {
		t.Fatal(err)
	}
	if got := string(m.Secret(t, "GetSecretValue", map[string]any{"SecretId": root + "/confd/a"})); !strings.Contains(got, `"/g=="`) {
		t.Error(got)
	}
}

func onlyChanged(t *testing.T, m testserver.Moto, root string) {
	for _, key := range []string{"a", "b", "c"} {
		m.PutSecret(t, root+"/confd/"+key, "1")
	}
	tap := m.NewTap(t, nil)
	st := open(t, m, root, spec.Values{"nodes": []string{tap.URL}}, nil)
	for range 3 {
		storetest.ReadUntil(t, st, "confd/a=1 confd/b=1 confd/c=1")
	}
	m.PutSecret(t, root+"/confd/b", "2")
	storetest.ReadUntil(t, st, "confd/a=1 confd/b=2 confd/c=1")
	m.DeleteSecret(t, root+"/confd/a")
	storetest.ReadUntil(t, st, "confd/b=2 confd/c=1")
	if n := tap.Count("BatchGetSecretValue"); n != 2 {
		t.Errorf("three secrets and one change were fetched %d times", n)
	}
}

func scheduled(t *testing.T, m testserver.Moto, root string) {
	m.PutSecret(t, root+"/confd/a", "1")
	m.PutSecret(t, root+"/confd/b", "1")
	st := open(t, m, root, nil, nil)
	since := storetest.ReadUntil(t, st, "confd/a=1 confd/b=1").Revision
	m.Secret(t, "DeleteSecret", map[string]any{"SecretId": root + "/confd/a", "RecoveryWindowInDays": 30})
	storetest.Wait(t, st, since)
	storetest.ReadUntil(t, st, "confd/b=1")
	if err := st.(store.Writer).Delete(t.Context(), "confd/a", store.Cond{}); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("deleted once more: %v", err)
	}
	m.Secret(t, "RestoreSecret", map[string]any{"SecretId": root + "/confd/a"})
	storetest.ReadUntil(t, st, "confd/a=1 confd/b=1")
}

func broughtBack(t *testing.T, m testserver.Moto, root string) {
	st := open(t, m, root, nil, nil)
	for i, cond := range []store.Cond{{Absent: true}, {Absent: true}, {}} {
		value := fmt.Sprint(i)
		rev, err := put(t, st, "confd/a", value, cond)
		if err != nil {
			t.Fatal(err)
		}
		if e, _ := storetest.ReadUntil(t, st, "confd/a="+value).Get("confd/a"); e.Revision != rev {
			t.Errorf("revision %s, put says %s", e.Revision, rev)
		}
		if err := st.(store.Writer).Delete(t.Context(), "confd/a", store.Cond{Revision: rev}); err != nil {
			t.Fatal(err)
		}
		storetest.ReadUntil(t, st, "")
		if _, err := put(t, st, "confd/a", "x", store.Cond{Revision: rev}); !errors.Is(err, store.ErrConflict) {
			t.Errorf("at the revision that was deleted: %v", err)
		}
	}
}

func takenBack(t *testing.T, m testserver.Moto, root string) {
	st := open(t, m, root, nil, nil)
	if _, err := put(t, st, "confd/a", "1", store.Cond{}); err != nil {
		t.Fatal(err)
	}
	if err := st.(store.Writer).Delete(t.Context(), "confd/a", store.Cond{}); err != nil {
		t.Fatal(err)
	}
	m.Secret(t, "RestoreSecret", map[string]any{"SecretId": root + "/confd/a"})
	storetest.ReadUntil(t, st, "confd/a=1")
}

func withoutValue(t *testing.T, m testserver.Moto, root string) {
	m.Secret(t, "CreateSecret", map[string]any{"Name": root + "/confd/a"})
	m.PutSecret(t, root+"/confd/b", "1")
	st := open(t, m, root, nil, nil)
	storetest.ReadUntil(t, st, "confd/b=1")
	if _, err := put(t, st, "confd/a", "1", store.Cond{Absent: true}); err != nil {
		t.Error(err)
	}
	storetest.ReadUntil(t, st, "confd/a=1 confd/b=1")
}

// The emulator fetches in batches what was put last, wherever the stage is: the
// tap asks it for the current version instead, as the service itself would.
func setBack(t *testing.T, m testserver.Moto, root string) {
	tap := m.NewTap(t, func(w http.ResponseWriter, operation string) bool {
		if operation != "BatchGetSecretValue" {
			return false
		}
		value := m.Secret(t, "GetSecretValue", map[string]any{"SecretId": root + "/confd/a", "VersionStage": "AWSCURRENT"})
		_, _ = fmt.Fprintf(w, `{"SecretValues":[%s]}`, value)
		return true
	})
	st := open(t, m, root, spec.Values{"nodes": []string{tap.URL}}, nil)
	old, err := put(t, st, "confd/a", "old", store.Cond{})
	if err != nil {
		t.Fatal(err)
	}
	storetest.ReadUntil(t, st, "confd/a=old")
	now, err := put(t, st, "confd/a", "new", store.Cond{Revision: old})
	if err != nil {
		t.Fatal(err)
	}
	storetest.ReadUntil(t, st, "confd/a=new")
	m.Secret(t, "UpdateSecretVersionStage", map[string]any{
		"SecretId": root + "/confd/a", "VersionStage": "AWSCURRENT", "MoveToVersionId": string(old), "RemoveFromVersionId": string(now),
	})
	if e, _ := storetest.ReadUntil(t, st, "confd/a=old").Get("confd/a"); e.Revision != old {
		t.Errorf("its revision is %s, was %s", e.Revision, old)
	}
}

func pending(t *testing.T, m testserver.Moto, root string) {
	m.PutSecret(t, root+"/confd/a", "1")
	m.Secret(t, "PutSecretValue", map[string]any{"SecretId": root + "/confd/a", "SecretString": "2", "VersionStages": []string{"AWSPENDING"}})
	storetest.ReadUntil(t, open(t, m, root, nil, nil), "confd/a=1")
}

func deletedMeanwhile(t *testing.T, m testserver.Moto, root string) {
	m.PutSecret(t, root+"/confd/a", "1")
	m.PutSecret(t, root+"/confd/b", "1")
	var done atomic.Bool
	tap := m.NewTap(t, func(_ http.ResponseWriter, operation string) bool {
		if operation == "BatchGetSecretValue" && done.CompareAndSwap(false, true) {
			m.DeleteSecret(t, root+"/confd/a")
		}
		return false
	})
	snap, err := open(t, m, root, spec.Values{"nodes": []string{tap.URL}}, nil).Read(t.Context())
	if err != nil || len(snap.Entries) != 1 || snap.Entries[0].Key != "confd/b" {
		t.Errorf("%v, %v", snap.Entries, err)
	}
}

// The emulator knows no permission for one secret: its answer is recorded.
func deniedOne(t *testing.T, m testserver.Moto, root string) {
	m.PutSecret(t, root+"/confd/a", "1")
	m.PutSecret(t, root+"/confd/b", "1")
	for code, want := range map[string]error{
		"AccessDeniedException": store.ErrDenied, "DecryptionFailure": store.ErrDenied, "InternalServiceError": store.ErrUnavailable,
	} {
		tap := m.NewTap(t, func(w http.ResponseWriter, operation string) bool {
			if operation != "BatchGetSecretValue" {
				return false
			}
			_ = json.NewEncoder(w).Encode(map[string]any{
				"SecretValues": []any{map[string]any{"Name": root + "/confd/a", "VersionId": "v", "SecretString": "1"}},
				"Errors":       []any{map[string]any{"SecretId": root + "/confd/b", "ErrorCode": code, "Message": "no"}},
			})
			return true
		})
		snap, err := open(t, m, root, spec.Values{"nodes": []string{tap.URL}}, nil).Read(t.Context())
		if !errors.Is(err, want) || !strings.Contains(err.Error(), "confd/b") {
			t.Errorf("%s: %v, %v", code, snap.Entries, err)
		}
	}
}

func otherCase(t *testing.T, m testserver.Moto, root string) {
	m.PutSecret(t, strings.ToUpper(root)+"/confd/a", "1")
	m.PutSecret(t, root+"/confd/a", "2")
	m.PutSecret(t, root+"X/confd/a", "3")
	storetest.ReadUntil(t, open(t, m, root, nil, nil), "confd/a=2")
}

func largest(t *testing.T, m testserver.Moto, root string) {
	st := open(t, m, root, nil, nil)
	value := strings.Repeat("x", aws.Backend().Traits.MaxValue)
	if _, err := put(t, st, "confd/a", value, store.Cond{}); err != nil {
		t.Fatal(err)
	}
	storetest.ReadUntil(t, st, "confd/a="+value)
}

func refused(t *testing.T, m testserver.Moto, root string) {
	tap := m.NewTap(t, nil)
	st := open(t, m, root, spec.Values{"nodes": []string{tap.URL}}, nil)
	for name, c := range map[string]struct{ key, value, says string }{
		"an empty value": {"confd/a", "", "delete the key instead"},
		"a large value":  {"confd/a", strings.Repeat("x", 64<<10+1), "65537 bytes"},
		"spaces":         {"confd/a b", "1", "letters, digits"},
		"a long name":    {"confd/" + strings.Repeat("n", 512), "1", "longer"},
	} {
		if _, err := put(t, st, c.key, c.value, store.Cond{}); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := tap.Count("CreateSecret") + tap.Count("DescribeSecret"); n != 0 {
		t.Errorf("%d were sent all the same", n)
	}
}

func nextNode(t *testing.T, m testserver.Moto, root string) {
	m.PutSecret(t, root+"/confd/a", "1")
	relay := testserver.StartRelay(t, m.Host())
	st := open(t, m, root, spec.Values{"nodes": []string{"127.0.0.1:1", relay.Address, m.Endpoint}}, nil)
	storetest.ReadUntil(t, st, "confd/a=1")
	relay.Cut()
	storetest.ReadUntil(t, st, "confd/a=1")
}

func broken(t *testing.T, m testserver.Moto, root string) {
	m.PutSecret(t, root+"/confd/a", "1")
	for _, answer := range []string{"", "[]", "<html>", `{"SecretList":{}}`, `{"SecretList":[{"Name":7}]}`} {
		tap := m.NewTap(t, func(w http.ResponseWriter, _ string) bool {
			_, _ = w.Write([]byte(answer))
			return true
		})
		snap, err := open(t, m, root, spec.Values{"nodes": []string{tap.URL}}, nil).Read(t.Context())
		if !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("%q: %v, %v", answer, snap, err)
		}
	}
}

// By Amazon's word a list may show the version of five minutes ago.
func behind(t *testing.T, m testserver.Moto, root string) {
	m.PutSecret(t, root+"/confd/a", "old")
	var stale atomic.Pointer[[]byte]
	tap := m.NewTap(t, func(w http.ResponseWriter, operation string) bool {
		if answer := stale.Load(); operation == "ListSecrets" && answer != nil {
			_, _ = w.Write(*answer)
			return true
		}
		return false
	})
	list := m.Secret(t, "ListSecrets", map[string]any{"Filters": []any{map[string]any{"Key": "name", "Values": []string{root + "/"}}}})
	m.PutSecret(t, root+"/confd/a", "new")
	stale.Store(&list)
	st := open(t, m, root, spec.Values{"nodes": []string{tap.URL}}, nil)
	one := storetest.ReadUntil(t, st, "confd/a=new")
	if two := storetest.ReadUntil(t, st, "confd/a=new"); one.Revision != two.Revision {
		t.Error("the revision moved with no write")
	}
	stale.Store(nil)
	storetest.ReadUntil(t, st, "confd/a=new")
}

func TestTLS(t *testing.T) {
	t.Parallel()
	ca, stranger := testserver.NewCA(t), testserver.NewCA(t)
	m := testserver.StartMoto(t, ca)
	m.PutSecret(t, root+"/confd/a", "1")
	for name, c := range map[string]struct {
		options spec.Values
		works   bool
	}{
		"a known authority":            {spec.Values{"client_ca_keys": ca.File}, true},
		"without checking the server":  {spec.Values{"client_insecure": true}, true},
		"a server signed by who knows": {spec.Values{"client_ca_keys": stranger.File}, false},
		"the system's authorities":     {spec.Values{"scheme": "https"}, false},
		"a file that is missing":       {spec.Values{"client_ca_keys": "/no/such/ca.pem"}, false},
		"plain HTTP":                   {spec.Values{"scheme": "http"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			c.options["nodes"] = []string{m.Host()}
			st := open(t, m, root, c.options, nil)
			if c.works {
				storetest.ReadUntil(t, st, "confd/a=1")
				return
			}
			if snap, err := st.Read(t.Context()); !errors.Is(err, store.ErrUnavailable) {
				t.Errorf("Read: %v, %v", snap, err)
			}
		})
	}
}

func TestPermissions(t *testing.T) {
	t.Parallel()
	m := testserver.StartMoto(t, nil)
	m.PutSecret(t, root+"/confd/a", "1")
	lister, listerKey := m.NewUser(t, "lister", "secretsmanager:ListSecrets")
	reader, readerKey := m.NewUser(t, "reader", "secretsmanager:ListSecrets", "secretsmanager:BatchGetSecretValue", "secretsmanager:GetSecretValue")
	writer, writerKey := m.NewUser(t, "writer", "secretsmanager:ListSecrets", "secretsmanager:BatchGetSecretValue", "secretsmanager:GetSecretValue",
		"secretsmanager:DescribeSecret", "secretsmanager:CreateSecret", "secretsmanager:PutSecretValue", "secretsmanager:DeleteSecret", "secretsmanager:RestoreSecret")
	m.EnableAuth(t)
	as := func(access, secret string) store.Store {
		return open(t, m, root, spec.Values{"access_key": access, "secret_key": secret}, nil)
	}
	if snap, err := as(lister, listerKey).Read(t.Context()); !errors.Is(err, store.ErrDenied) {
		t.Errorf("who may only list reads %v, %v", snap.Entries, err)
	}
	st := as(reader, readerKey)
	storetest.ReadUntil(t, st, "confd/a=1")
	if _, err := put(t, st, "confd/a", "2", store.Cond{}); !errors.Is(err, store.ErrDenied) {
		t.Errorf("a reader writes: %v", err)
	}
	w := as(writer, writerKey)
	for _, key := range []string{"confd/a", "confd/new"} {
		if _, err := put(t, w, key, "2", store.Cond{}); err != nil {
			t.Errorf("a writer: %v", err)
		}
		if err := w.(store.Writer).Delete(t.Context(), key, store.Cond{}); err != nil {
			t.Errorf("a writer: %v", err)
		}
		if _, err := put(t, w, key, "3", store.Cond{}); err != nil {
			t.Errorf("a writer brings back: %v", err)
		}
	}
	m.DeleteKey(t, "reader", reader)
	if _, err := st.Read(t.Context()); !errors.Is(err, store.ErrDenied) {
		t.Errorf("with a key that was taken away: %v", err)
	}
}

func TestOptionsThatNeverWork(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		root, says string
		v          spec.Values
	}{
		"half a key":    {root, "go together", spec.Values{"access_key": "a"}},
		"an odd region": {root, "region", spec.Values{"region": "Mars!"}},
		"an odd prefix": {"/data kit", "prefix", nil},
		"a long prefix": {"/" + strings.Repeat("a", 512), "prefix", nil},
	} {
		if _, err := aws.Backend().Open(store.Options{Root: c.root, Values: c.v}); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	st, err := aws.Backend().Open(store.Options{Root: root, Values: spec.Values{}})
	if err != nil || !st.(store.Poller).Polling() {
		t.Errorf("no option is needed: %v", err)
	}
	_ = st.Close()
}
