package dynamodb_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
	"datakit.dev/internal/store/storetest"
	"datakit.dev/internal/stores/dynamodb"
	"datakit.dev/internal/testserver"
)

func put(t testing.TB, st store.Store, key, value string, cond store.Cond) (store.Revision, error) {
	t.Helper()
	return st.(store.Writer).Put(storetest.Deadline(t, storetest.Patience), key, value, cond)
}

func read(t testing.TB, st store.Store) store.Snapshot {
	t.Helper()
	snap, err := st.Read(storetest.Deadline(t, storetest.Patience))
	if err != nil {
		t.Fatal(err)
	}
	return snap
}

// The cases below share one server, each with a table of its own.
func TestTable(t *testing.T) {
	t.Parallel()
	srv := testserver.StartDynalite(t)
	for name, run := range map[string]func(*testing.T, testserver.Table){
		"every page of a large table is read":             everyPage,
		"an item of an odd shape stays a key":             oddShapes,
		"other attributes of an item stay":                otherAttributes,
		"of many writers at one revision one wins":        oneWins,
		"what an item cannot hold is refused":             refused,
		"a table with another key is not taken":           otherKey,
		"items that are none of ours are passed over":     strangers,
		"the next node is asked where one is away":        nextNode,
		"the largest value that is promised can be put":   largest,
		"a value that is no text is stored as bytes":      bytesStay,
		"a delete at a revision that is gone takes none":  deleteConflict,
		"an item without value can be put at its version": putWithoutValue,
	} {
		t.Run(name, func(t *testing.T) {
			run(t, srv.NewTable(t, fmt.Sprintf("t%d", len(name))+strings.Map(letters, name)))
		})
	}
}

// letters keeps what the name of a table may hold.
func letters(r rune) rune {
	if r >= 'a' && r <= 'z' {
		return r
	}
	return '-'
}

func everyPage(t *testing.T, table testserver.Table) {
	want := ""
	for i := range 30 { // 3 MB, of which a page holds one
		table.Put(t, fmt.Sprintf("%s/confd/%02d", root, i), strings.Repeat("x", 100_000))
		want += fmt.Sprintf("confd/%02d= ", i)
	}
	tap := table.NewTap(t, nil)
	storetest.ReadUntil(t, open(t, table, root, spec.Values{"nodes": []string{tap.URL}}, nil), want)
	if n := tap.Count("Scan"); n < 3 {
		t.Errorf("3 MB came in %d pages", n)
	}
}

func oddShapes(t *testing.T, table testserver.Table) {
	type a = map[string]any
	key := func(name string) a { return a{"S": root + "/confd/" + name} }
	table.PutItem(t, a{"key": key("good"), "value": a{"S": "[[inputs.cpu]]"}})
	table.PutItem(t, a{"key": key("list"), "value": a{"L": []any{}}})
	table.PutItem(t, a{"key": key("none"), "other": a{"S": "x"}})
	table.PutItem(t, a{"key": key("number"), "value": a{"N": "7"}})
	st := open(t, table, root, nil, nil)
	snap := read(t, st)
	for name, says := range map[string]string{"good": "[[inputs.cpu]]", "list": `of the type "L"`, "none": "not there", "number": `of the type "N"`} {
		e, ok := snap.Get("confd/" + name)
		if !ok || !strings.Contains(e.Value, says) {
			t.Errorf("%s: %q; want %q", name, e.Value, says)
		}
		if _, err := put(t, st, e.Key, "right", store.Cond{Revision: e.Revision}); err != nil {
			t.Errorf("%s cannot be put right at its revision: %v", name, err)
		}
	}
	storetest.ReadUntil(t, st, "confd/good=right confd/list=right confd/none=right confd/number=right")
}

func otherAttributes(t *testing.T, table testserver.Table) {
	type a = map[string]any
	table.PutItem(t, a{"key": a{"S": root + "/confd/a"}, "value": a{"S": "1"}, "owner": a{"S": "ops"}})
	if _, err := put(t, open(t, table, root, nil, nil), "confd/a", "2", store.Cond{}); err != nil {
		t.Fatal(err)
	}
	if it := table.Get(t, root+"/confd/a"); it["owner"]["S"] != "ops" || it["value"]["S"] != "2" {
		t.Errorf("the item is now %v", it)
	}
}

func oneWins(t *testing.T, table testserver.Table) {
	st := open(t, table, root, nil, nil)
	rev, err := put(t, st, "confd/a", "0", store.Cond{Absent: true})
	if err != nil {
		t.Fatal(err)
	}
	var won atomic.Int64
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			switch _, err := put(t, st, "confd/a", fmt.Sprint(i+1), store.Cond{Revision: rev}); {
			case err == nil:
				won.Add(1)
			case !errors.Is(err, store.ErrConflict):
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 {
		t.Errorf("%d of 8 writers won", won.Load())
	}
}

func refused(t *testing.T, table testserver.Table) {
	st := open(t, table, root, nil, nil)
	for name, c := range map[string]struct{ key, value, says string }{
		"a long key":    {"confd/" + strings.Repeat("k", 2048), "1", "2048 bytes"},
		"a large value": {"confd/a", strings.Repeat("v", 400<<10), "a value of 409600 bytes"},
	} {
		if _, err := put(t, st, c.key, c.value, store.Cond{}); err == nil || !strings.Contains(err.Error(), c.says) || len(err.Error()) > 5000 {
			t.Errorf("%s: %v", name, err)
		}
	}
	if snap := read(t, st); len(snap.Entries) > 0 {
		t.Errorf("the table holds %v", snap.Entries)
	}
}

func otherKey(t *testing.T, table testserver.Table) {
	type pair map[string]string
	table.Call(t, "dynamodb", "DynamoDB_20120810.CreateTable", map[string]any{
		"TableName": "otherkey", "BillingMode": "PAY_PER_REQUEST",
		"AttributeDefinitions": []pair{{"AttributeName": "id", "AttributeType": "S"}}, "KeySchema": []pair{{"AttributeName": "id", "KeyType": "HASH"}},
	})
	table.Name = "otherkey"
	err := open(t, table, root, nil, nil).(store.Creator).Create(storetest.Deadline(t, storetest.Patience))
	if err == nil || !strings.Contains(err.Error(), `not the attribute "key" alone`) {
		t.Error(err)
	}
}

func strangers(t *testing.T, table testserver.Table) {
	for _, key := range []string{root, root + "/", root + "X/confd/a", "/other", "datakit/confd/a"} {
		table.Put(t, key, "1")
	}
	table.Put(t, root+"/confd/a", "1")
	storetest.ReadUntil(t, open(t, table, root, nil, nil), "confd/a=1")
}

func nextNode(t *testing.T, table testserver.Table) {
	table.Put(t, root+"/confd/a", "1")
	relay := testserver.StartRelay(t, table.Host())
	st := open(t, table, root, spec.Values{"nodes": []string{"127.0.0.1:1", relay.Address, table.Endpoint}}, nil)
	storetest.ReadUntil(t, st, "confd/a=1")
	relay.Cut()
	storetest.ReadUntil(t, st, "confd/a=1")
}

func largest(t *testing.T, table testserver.Table) {
	limit := dynamodb.Backend().Traits.MaxValue
	st := open(t, table, root, nil, nil)
	key := strings.Repeat("k", 2048-len(root)-1)
	if _, err := put(t, st, key, strings.Repeat("v", limit), store.Cond{}); err != nil {
		t.Fatal(err)
	}
	if e, ok := read(t, st).Get(key); !ok || len(e.Value) != limit {
		t.Errorf("it holds %d bytes of %d", len(e.Value), limit)
	}
}

func bytesStay(t *testing.T, table testserver.Table) {
	st := open(t, table, root, nil, nil)
	rev, err := put(t, st, "confd/a", "\xff\x00", store.Cond{})
	if err != nil {
		t.Fatal(err)
	}
	if it := table.Get(t, root+"/confd/a"); it["value"]["B"] != "/wA=" {
		t.Errorf("the item is %v", it)
	}
	if _, err := put(t, st, "confd/a", "text", store.Cond{Revision: rev}); err != nil {
		t.Error(err)
	}
	storetest.ReadUntil(t, st, "confd/a=text")
}

func deleteConflict(t *testing.T, table testserver.Table) {
	st := open(t, table, root, nil, nil)
	w := st.(store.Writer)
	if err := w.Delete(t.Context(), "confd/a", store.Cond{Revision: "x"}); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("of no key: %v", err)
	}
	table.Put(t, root+"/confd/a", "1")
	if err := w.Delete(t.Context(), "confd/a", store.Cond{Revision: "x"}); !errors.Is(err, store.ErrConflict) {
		t.Errorf("at no revision of it: %v", err)
	}
	storetest.ReadUntil(t, st, "confd/a=1")
}

func putWithoutValue(t *testing.T, table testserver.Table) {
	type a = map[string]any
	table.PutItem(t, a{"key": a{"S": root + "/confd/a"}})
	st := open(t, table, root, nil, nil)
	e, _ := read(t, st).Get("confd/a")
	table.Put(t, root+"/confd/a", "meanwhile")
	if _, err := put(t, st, "confd/a", "mine", store.Cond{Revision: e.Revision}); !errors.Is(err, store.ErrConflict) {
		t.Errorf("it was written meanwhile: %v", err)
	}
	storetest.ReadUntil(t, st, "confd/a=meanwhile")
}

// A table that is not there is no empty tree: what runs stays.
func TestTableIsMade(t *testing.T) {
	t.Parallel()
	srv := testserver.StartDynalite(t)
	st := open(t, testserver.Table{AWS: srv, Name: "not-there"}, root, nil, nil)
	_, err := st.Read(t.Context())
	_, err2 := put(t, st, "confd/a", "1", store.Cond{})
	for _, err := range []error{err, err2} {
		if !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), `no table "not-there"`) || !strings.Contains(err.Error(), "--create") {
			t.Errorf("without its table: %v", err)
		}
	}
	for range 2 {
		if err := st.(store.Creator).Create(storetest.Deadline(t, storetest.Patience)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := put(t, st, "confd/a", "1", store.Cond{Absent: true}); err != nil {
		t.Fatal(err)
	}
	storetest.ReadUntil(t, st, "confd/a=1")
}

// The permissions that the documentation names are enough, and each is needed.
func TestPermissions(t *testing.T) {
	t.Parallel()
	m := testserver.StartMoto(t, nil)
	table := m.NewTable(t, "confd")
	table.Put(t, root+"/confd/a", "1")
	reader, readerKey := m.NewUser(t, "reader", "dynamodb:Scan")
	writer, writerKey := m.NewUser(t, "writer", "dynamodb:Scan", "dynamodb:GetItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem")
	none, noneKey := m.NewUser(t, "none", "s3:*")
	m.EnableAuth(t)
	as := func(access, secret string) store.Store {
		return open(t, table, root, spec.Values{"access_key": access, "secret_key": secret}, nil)
	}
	st := as(reader, readerKey)
	storetest.ReadUntil(t, st, "confd/a=1")
	if _, err := put(t, st, "confd/a", "2", store.Cond{}); !errors.Is(err, store.ErrDenied) {
		t.Errorf("a reader writes: %v", err)
	}
	w := as(writer, writerKey)
	rev, err := put(t, w, "confd/a", "2", store.Cond{})
	if err == nil {
		err = w.(store.Writer).Delete(t.Context(), "confd/a", store.Cond{Revision: rev})
	}
	if err != nil {
		t.Errorf("a writer: %v", err)
	}
	if _, err := as(none, noneKey).Read(t.Context()); !errors.Is(err, store.ErrDenied) {
		t.Errorf("who may nothing reads: %v", err)
	}
	m.DeleteKey(t, "reader", reader)
	if _, err := st.Read(t.Context()); !errors.Is(err, store.ErrDenied) {
		t.Errorf("with a key that was taken away: %v", err)
	}
}

func TestOptionsThatNeverWork(t *testing.T) {
	t.Parallel()
	for says, v := range map[string]spec.Values{
		"needs table":  {},
		"go together":  {"table": "t", "access_key": "a"},
		"region":       {"table": "t", "region": "Mars!"},
		"nodes":        {"table": "t", "nodes": []string{"ftp://x"}},
		"client_cert ": {"table": "t", "client_cert": "/x"},
	} {
		if _, err := dynamodb.Backend().Open(store.Options{Root: root, Values: v}); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v: %v", v, err)
		}
	}
	st, err := dynamodb.Backend().Open(store.Options{Root: root, Values: spec.Values{"table": "t"}})
	if err != nil || !st.(store.Poller).Polling() {
		t.Errorf("no more is needed: %v", err)
	}
	_ = st.Close()
}
