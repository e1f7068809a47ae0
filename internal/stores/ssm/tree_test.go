package ssm_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
	"datakit.dev/internal/store/storetest"
	"datakit.dev/internal/stores/ssm"
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
		"every page of a tree is read":                  everyPage,
		"parameters of every type are read":             everyType,
		"a put keeps the type of a parameter":           keepsType,
		"a new parameter is encrypted":                  encrypted,
		"only what changed is decrypted":                onlyChanged,
		"a parameter made again is another":             madeAgain,
		"one deleted between list and read is gone":     deletedMeanwhile,
		"one changed between list and read is read":     changedMeanwhile,
		"a value of eight kilobytes is taken":           eightKilobytes,
		"what a parameter cannot hold is refused":       refused,
		"the next node is asked where one is away":      nextNode,
		"a broken answer is an error and no empty tree": broken,
	} {
		n++
		t.Run(name, func(t *testing.T) { run(t, m, fmt.Sprintf("/datakit/%d", n)) })
	}
}

func everyPage(t *testing.T, m testserver.Moto, root string) {
	want := ""
	for i := range 25 {
		m.PutParameter(t, fmt.Sprintf("%s/confd/deep/%02d", root, i), fmt.Sprint(i))
		want += fmt.Sprintf("confd/deep/%02d=%d ", i, i)
	}
	tap := m.NewTap(t, nil)
	storetest.ReadUntil(t, open(t, m, root, spec.Values{"nodes": []string{tap.URL}}, nil), want)
	if pages, reads := tap.Count("GetParametersByPath"), tap.Count("GetParameters"); pages != 3 || reads != 3 {
		t.Errorf("25 parameters came in %d pages and %d reads", pages, reads)
	}
}

func everyType(t *testing.T, m testserver.Moto, root string) {
	for _, kind := range []string{"SecureString", "String", "StringList"} {
		m.PutParameterAs(t, root+"/confd/"+kind, "a,b", kind)
	}
	storetest.ReadUntil(t, open(t, m, root, nil, nil), "confd/SecureString=a,b confd/String=a,b confd/StringList=a,b")
}

func keepsType(t *testing.T, m testserver.Moto, root string) {
	m.PutParameterAs(t, root+"/confd/a", "1", "String")
	st := open(t, m, root, nil, nil)
	if _, err := put(t, st, "confd/a", "2", store.Cond{}); err != nil {
		t.Fatal(err)
	}
	if p := parameter(t, m, root+"/confd/a"); !strings.Contains(p, `"Type":"String"`) || !strings.Contains(p, `"Value":"2"`) {
		t.Error(p)
	}
}

func encrypted(t *testing.T, m testserver.Moto, root string) {
	if _, err := put(t, open(t, m, root, nil, nil), "confd/a", "1", store.Cond{}); err != nil {
		t.Fatal(err)
	}
	if p := parameter(t, m, root+"/confd/a"); !strings.Contains(p, `"Type":"SecureString"`) {
		t.Error(p)
	}
}

// parameter returns what the service says of one, without spaces.
func parameter(t *testing.T, m testserver.Moto, name string) string {
	t.Helper()
	return strings.ReplaceAll(string(m.Call(t, "ssm", "AmazonSSM.GetParameter", map[string]any{"Name": name})), `": "`, `":"`)
}

func onlyChanged(t *testing.T, m testserver.Moto, root string) {
	for _, key := range []string{"a", "b", "c"} {
		m.PutParameter(t, root+"/confd/"+key, "1")
	}
	tap := m.NewTap(t, nil)
	st := open(t, m, root, spec.Values{"nodes": []string{tap.URL}}, nil)
	for range 3 {
		storetest.ReadUntil(t, st, "confd/a=1 confd/b=1 confd/c=1")
	}
	if n := tap.Count("GetParameters"); n != 1 {
		t.Errorf("what did not change was decrypted %d times", n)
	}
	m.PutParameter(t, root+"/confd/b", "2")
	storetest.ReadUntil(t, st, "confd/a=1 confd/b=2 confd/c=1")
	m.DeleteParameter(t, root+"/confd/a")
	storetest.ReadUntil(t, st, "confd/b=2 confd/c=1")
	if n := tap.Count("GetParameters"); n != 2 {
		t.Errorf("one change was decrypted %d times", n-1)
	}
}

// Its versions begin anew: two contents must not share one.
func madeAgain(t *testing.T, m testserver.Moto, root string) {
	m.PutParameter(t, root+"/confd/a", "old")
	st := open(t, m, root, nil, nil)
	before, _ := storetest.ReadUntil(t, st, "confd/a=old").Get("confd/a")
	m.DeleteParameter(t, root+"/confd/a")
	m.PutParameter(t, root+"/confd/a", "new")
	after, _ := storetest.ReadUntil(t, st, "confd/a=new").Get("confd/a")
	if before.Revision == after.Revision {
		t.Errorf("revision %s stands for two values", after.Revision)
	}
	if _, err := put(t, st, "confd/a", "mine", store.Cond{Revision: before.Revision}); !errors.Is(err, store.ErrConflict) {
		t.Errorf("a put at the old one: %v", err)
	}
}

// between returns a store before whose first decryption do is called.
func between(t *testing.T, m testserver.Moto, root string, do func()) store.Store {
	t.Helper()
	var done atomic.Bool
	tap := m.NewTap(t, func(_ http.ResponseWriter, operation string) bool {
		if operation == "GetParameters" && done.CompareAndSwap(false, true) {
			do()
		}
		return false
	})
	return open(t, m, root, spec.Values{"nodes": []string{tap.URL}}, nil)
}

func deletedMeanwhile(t *testing.T, m testserver.Moto, root string) {
	m.PutParameter(t, root+"/confd/a", "1")
	m.PutParameter(t, root+"/confd/b", "1")
	st := between(t, m, root, func() { m.DeleteParameter(t, root+"/confd/a") })
	if snap, err := st.Read(t.Context()); err != nil || len(snap.Entries) != 1 || snap.Entries[0].Key != "confd/b" {
		t.Errorf("%v, %v", snap.Entries, err)
	}
}

func changedMeanwhile(t *testing.T, m testserver.Moto, root string) {
	m.PutParameter(t, root+"/confd/a", "1")
	st := between(t, m, root, func() { m.PutParameter(t, root+"/confd/a", "2") })
	storetest.ReadUntil(t, st, "confd/a=2")
	m.PutParameter(t, root+"/confd/a", "3")
	storetest.ReadUntil(t, st, "confd/a=3")
}

func eightKilobytes(t *testing.T, m testserver.Moto, root string) {
	st := open(t, m, root, nil, nil)
	value := strings.Repeat("x", ssm.Backend().Traits.MaxValue)
	if _, err := put(t, st, "confd/a", value, store.Cond{}); err != nil {
		t.Fatal(err)
	}
	storetest.ReadUntil(t, st, "confd/a="+value)
	if p := parameter(t, m, root+"/confd/a"); len(p) < len(value) {
		t.Errorf("the service holds %d bytes", len(p))
	}
}

func refused(t *testing.T, m testserver.Moto, root string) {
	tap := m.NewTap(t, nil)
	st := open(t, m, root, spec.Values{"nodes": []string{tap.URL}}, nil)
	for name, c := range map[string]struct{ key, value, says string }{
		"an empty value": {"confd/a", "", "delete the key instead"},
		"a large value":  {"confd/a", strings.Repeat("x", 8<<10+1), "8193 bytes"},
		"bytes":          {"confd/a", "\xff", "no UTF-8"},
		"spaces":         {"confd/a b", "1", "letters, digits"},
		"many levels":    {strings.Repeat("a/", 15) + "b", "1", "15 levels"},
		"a long name":    {"confd/" + strings.Repeat("n", 1000), "1", "longer"},
	} {
		if _, err := put(t, st, c.key, c.value, store.Cond{}); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := tap.Count("PutParameter"); n != 0 {
		t.Errorf("%d were sent all the same", n)
	}
}

func nextNode(t *testing.T, m testserver.Moto, root string) {
	m.PutParameter(t, root+"/confd/a", "1")
	relay := testserver.StartRelay(t, m.Host())
	st := open(t, m, root, spec.Values{"nodes": []string{"127.0.0.1:1", relay.Address, m.Endpoint}}, nil)
	storetest.ReadUntil(t, st, "confd/a=1")
	relay.Cut()
	storetest.ReadUntil(t, st, "confd/a=1")
}

func broken(t *testing.T, m testserver.Moto, root string) {
	m.PutParameter(t, root+"/confd/a", "1")
	for _, answer := range []string{"", "[]", "<html>", `{"Parameters":{}}`, `{"Parameters":[{"Version":"x"}]}`} {
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

// A list that names no end is not read for ever.
func TestListWithoutEnd(t *testing.T) {
	t.Parallel()
	m := testserver.StartMoto(t, nil)
	tap := m.NewTap(t, func(w http.ResponseWriter, _ string) bool {
		many := strings.Repeat(`{"Name":"/datakit/a","Type":"String","Value":"1"},`, 5000)
		_, _ = w.Write([]byte(`{"NextToken":"more","Parameters":[` + strings.TrimSuffix(many, ",") + `]}`))
		return true
	})
	_, err := open(t, m, root, spec.Values{"nodes": []string{tap.URL}}, nil).Read(storetest.Deadline(t, storetest.Patience))
	if !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), "over 100000 parameters") {
		t.Error(err)
	}
}

// A tree that may be listed but not decrypted is denied as a whole: what is left
// out would look deleted.
func TestPermissions(t *testing.T) {
	t.Parallel()
	m := testserver.StartMoto(t, nil)
	m.PutParameter(t, root+"/confd/a", "1")
	m.PutParameterAs(t, root+"/confd/b", "1", "String")
	lister, listerKey := m.NewUser(t, "lister", "ssm:GetParametersByPath")
	reader, readerKey := m.NewUser(t, "reader", "ssm:GetParametersByPath", "ssm:GetParameters")
	writer, writerKey := m.NewUser(t, "writer", "ssm:GetParametersByPath", "ssm:GetParameters", "ssm:GetParameter", "ssm:PutParameter", "ssm:DeleteParameter")
	m.EnableAuth(t)
	as := func(access, secret string) store.Store {
		return open(t, m, root, spec.Values{"access_key": access, "secret_key": secret}, nil)
	}
	if snap, err := as(lister, listerKey).Read(t.Context()); !errors.Is(err, store.ErrDenied) {
		t.Errorf("who may only list reads %v, %v", snap.Entries, err)
	}
	st := as(reader, readerKey)
	storetest.ReadUntil(t, st, "confd/a=1 confd/b=1")
	if _, err := put(t, st, "confd/a", "2", store.Cond{}); !errors.Is(err, store.ErrDenied) {
		t.Errorf("a reader writes: %v", err)
	}
	w := as(writer, writerKey)
	if _, err := put(t, w, "confd/a", "2", store.Cond{}); err != nil {
		t.Errorf("a writer: %v", err)
	}
	if err := w.(store.Writer).Delete(t.Context(), "confd/b", store.Cond{}); err != nil {
		t.Errorf("a writer: %v", err)
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
		"half a key":        {root, "go together", spec.Values{"access_key": "a"}},
		"an odd region":     {root, "region", spec.Values{"region": "Mars!"}},
		"a reserved prefix": {"/aws/datakit", "prefix", nil},
		"an odd prefix":     {"/data kit", "prefix", nil},
		"a deep prefix":     {strings.Repeat("/a", 16), "prefix", nil},
	} {
		if _, err := ssm.Backend().Open(store.Options{Root: c.root, Values: c.v}); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	st, err := ssm.Backend().Open(store.Options{Root: root, Values: spec.Values{}})
	if err != nil || !st.(store.Poller).Polling() {
		t.Errorf("no option is needed: %v", err)
	}
	_ = st.Close()
}
