package etcdv3_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"

	"datakit.dev/internal/store"
	"datakit.dev/internal/store/storetest"
	"datakit.dev/internal/testserver"
)

func TestTenThousandKeys(t *testing.T) {
	t.Parallel()
	e := testserver.StartEtcd(t)
	cli := client(t, e.Endpoint)
	const keys, batch = 10_000, 100
	for i := 0; i < keys; i += batch {
		ops := make([]clientv3.Op, batch)
		for j := range ops {
			ops[j] = clientv3.OpPut(fmt.Sprintf("%s/confd/n%05d", root, i+j), strconv.Itoa(i+j))
		}
		if _, err := cli.Txn(t.Context()).Then(ops...).Commit(); err != nil {
			t.Fatal(err)
		}
	}
	st := openNodes(t, e.Endpoint)
	snap, err := st.Read(t.Context())
	if err != nil || len(snap.Entries) != keys {
		t.Fatalf("%d keys, %v", len(snap.Entries), err)
	}
	for i, entry := range snap.Entries {
		if entry.Key != fmt.Sprintf("confd/n%05d", i) || entry.Value != strconv.Itoa(i) {
			t.Fatalf("number %d is %q = %q", i, entry.Key, entry.Value)
		}
	}
}

// Large values make an answer too large for one message: the list asks for less
// at once, and still shows one revision.
func TestTreeLargerThanOneAnswer(t *testing.T) {
	t.Parallel()
	e := testserver.StartEtcd(t, testserver.WithEtcdArgs("--quota-backend-bytes", "1073741824"))
	value := strings.Repeat("x", store.MaxValue)
	cli := client(t, e.Endpoint)
	for i := range 80 {
		if _, err := cli.Put(t.Context(), fmt.Sprintf("%s/confd/n%02d", root, i), value); err != nil {
			t.Fatal(err)
		}
	}
	st := openNodes(t, e.Endpoint)
	snap, err := st.Read(t.Context())
	if err != nil || len(snap.Entries) != 80 {
		t.Fatalf("%d keys, %v", len(snap.Entries), err)
	}
}

func TestTwoMegabyteValue(t *testing.T) {
	t.Parallel()
	e := testserver.StartEtcd(t, testserver.WithEtcdArgs("--max-request-bytes", "8388608"))
	const size = 2 << 20
	e.Put(t, root+"/confd/a", "1")
	e.Put(t, root+"/confd/listed", strings.Repeat("x", size))
	st := openNodes(t, e.Endpoint)
	since := storetest.ReadUntil(t, st, "confd/a=1 confd/listed=").Revision
	e.Put(t, root+"/confd/watched", strings.Repeat("x", size))
	storetest.Wait(t, st, since)
	snap := storetest.ReadUntil(t, st, "confd/a=1 confd/listed= confd/watched=")
	for _, key := range []string{"confd/listed", "confd/watched"} {
		if entry, _ := snap.Get(key); entry.TooLarge != size || entry.Value != "" {
			t.Errorf("%s: TooLarge %d, %d bytes", key, entry.TooLarge, len(entry.Value))
		}
	}
}

// Keys are bytes to etcd. One that is no text is handed on as it is, for whoever
// reads the tree to refuse with a reason; the others go on.
func TestBinaryKeys(t *testing.T) {
	t.Parallel()
	e := testserver.StartEtcd(t)
	e.Put(t, root+"/confd/\xff\x00\xfe", "binary")
	e.Put(t, root+"/", "a key with an empty name")
	e.Put(t, root, "the root itself is outside of it")
	e.Put(t, root+"X/confd/a", "beside")
	e.Put(t, root+"0", "beside, and next to the end of the range")
	e.Put(t, root+"/confd/a", "1")
	snap, err := openNodes(t, e.Endpoint).Read(t.Context())
	if err != nil || len(snap.Entries) != 3 {
		t.Fatalf("%v, %v", snap, err)
	}
	if entry, ok := snap.Get("confd/\xff\x00\xfe"); !ok || entry.Value != "binary" {
		t.Errorf("the binary key is %+v", entry)
	}
	if entry, ok := snap.Get("confd/a"); !ok || entry.Value != "1" {
		t.Errorf("confd/a is %+v", entry)
	}
}

// Thousands of changes by several writers, with the readers at it: in the end
// the mirror is what a fresh list shows.
func TestRapidChanges(t *testing.T) {
	t.Parallel()
	e := testserver.StartEtcd(t)
	st := openNodes(t, e.Endpoint)
	storetest.ReadUntil(t, st, "")
	cli := client(t, e.Endpoint)
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for n := range 500 {
				key := fmt.Sprintf("%s/confd/k%d", root, (w*7+n)%50)
				var err error
				if n%5 == 4 {
					_, err = cli.Delete(t.Context(), key)
				} else {
					_, err = cli.Put(t.Context(), key, fmt.Sprintf("%d of %d", n, w))
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	want, err := openNodes(t, e.Endpoint).Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	storetest.Until(t, "the mirror", func() error {
		got, err := st.Read(t.Context())
		if err == nil && fmt.Sprint(got.Entries) != fmt.Sprint(want.Entries) {
			err = fmt.Errorf("it has %d keys, a fresh list %d, or other values", len(got.Entries), len(want.Entries))
		}
		return err
	})
}

// What a change costs the server: nothing. With ten thousand agents, one list
// each would be an outage.
func TestChangeCostsNoRead(t *testing.T) {
	t.Parallel()
	e := testserver.StartEtcd(t)
	st := openNodes(t, e.Endpoint)
	since := storetest.ReadUntil(t, st, "").Revision
	before := ranges(t, e)
	for n := range 20 {
		e.Put(t, root+"/confd/a", strconv.Itoa(n))
		storetest.Wait(t, st, since)
		since = storetest.ReadUntil(t, st, fmt.Sprintf("confd/a=%d", n)).Revision
	}
	if after := ranges(t, e); after != before {
		t.Errorf("%s reads before, %s after 20 changes", before, after)
	}
}

// ranges returns the server's own count of reads.
func ranges(t *testing.T, e *testserver.Etcd) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, e.Endpoint+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(body)) {
		if rest, ok := strings.CutPrefix(line, `grpc_server_handled_total{grpc_code="OK",grpc_method="Range"`); ok {
			return strings.TrimSpace(rest[strings.IndexByte(rest, '}')+1:])
		}
	}
	t.Fatal("the server does not count its reads")
	return ""
}

// BenchmarkPutToWait measures the way of a change: from before the put until
// Wait has returned and Read shows the new value.
func BenchmarkPutToWait(b *testing.B) {
	e := testserver.StartEtcd(b)
	st, cli := openNodes(b, e.Endpoint), client(b, e.Endpoint)
	snap, err := st.Read(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := cli.Put(context.Background(), root+"/confd/a", "1"); err != nil {
			b.Fatal(err)
		}
		storetest.Wait(b, st, snap.Revision)
		if snap, err = st.Read(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
}
