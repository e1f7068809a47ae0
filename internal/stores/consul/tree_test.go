package consul_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"datakit.dev/internal/store"
	"datakit.dev/internal/store/storetest"
	"datakit.dev/internal/testserver"
)

// The vendor's command line writes, and we see it.
func TestConsulKV(t *testing.T) {
	t.Parallel()
	c := testserver.StartConsul(t, testserver.WithConsulACL("deny"))
	c.GrantToken(t, right, readRules)
	st := openToken(t, c, right)
	since := storetest.ReadUntil(t, st, "").Revision
	c.CLI(t, "kv", "put", "datakit/confd/cpu", "[[inputs.cpu]]")
	storetest.Wait(t, st, since)
	snap := storetest.ReadUntil(t, st, "confd/cpu=[[inputs.cpu]]")
	if got := strings.TrimSpace(c.CLI(t, "kv", "get", "datakit/confd/cpu")); got != snap.Entries[0].Value {
		t.Errorf("consul kv get shows %q", got)
	}
	c.CLI(t, "kv", "delete", "datakit/confd/cpu")
	storetest.Wait(t, st, snap.Revision)
	storetest.ReadUntil(t, st, "")
}

// These cases share a server, each with a root of its own.
func TestTree(t *testing.T) {
	t.Parallel()
	c := testserver.StartConsul(t)
	for name, run := range map[string]func(*testing.T, server){
		"folders are no keys":                            folders,
		"what a transaction wrote is never seen in part": transaction,
		"a key that Consul refuses":                      refusedKeys,
		"thousands of keys":                              manyKeys,
		"a change costs one answer":                      oneAnswer,
		"a busy neighbour costs little":                  busyNeighbour,
		"a busy key costs little":                        busyKey,
		"a proxy that asks for a password":               basicAuth,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t, server{Consul: c, root: "of " + name, endpoint: c.Endpoint})
		})
	}
}

// Keys that end in a slash are how the console of Consul makes folders.
func folders(t *testing.T, c server) {
	st := c.open(t)
	for _, name := range []string{"", "confd/", "confd/sub/", "pipeline/"} {
		c.Put(t, name, "")
	}
	c.Consul.Put(t, c.root, "the root itself is outside of it")
	c.PutBeside(t, "a", "1")
	empty := storetest.ReadUntil(t, st, "").Revision
	c.Put(t, "confd/sub/a", "1")
	storetest.Wait(t, st, empty)
	before := storetest.ReadUntil(t, st, "confd/sub/a=1")
	c.Put(t, "more/", "")
	c.DeleteTree(t, c.root+"/pipeline/")
	c.PutBeside(t, "a", "2")
	if after := storetest.ReadUntil(t, st, "confd/sub/a=1"); after.Revision != before.Revision {
		t.Errorf("a folder moved the revision from %s to %s", before.Revision, after.Revision)
	}
	c.Put(t, "confd/odd/", "no folder, for it has a value")
	storetest.Wait(t, st, before.Revision)
	storetest.ReadUntil(t, st, "confd/odd/= confd/sub/a=1")
}

// The whole tree is of one instant: what one transaction wrote is never seen in
// part.
func transaction(t *testing.T, c server) {
	st, dir := c.open(t), c.root+"/"
	since := storetest.ReadUntil(t, st, "").Revision
	for n := range 10 {
		value := fmt.Sprint(n)
		c.Txn(t, "set", map[string]string{dir + "confd/a": value, dir + "confd/b": value, dir + "pipeline/metric/c.p": value})
		storetest.Wait(t, st, since)
		snap, err := st.Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range snap.Entries {
			if e.Value != snap.Entries[0].Value || len(snap.Entries) != 3 {
				t.Fatalf("a mixture: %v", snap.Entries)
			}
		}
		since = snap.Revision
	}
}

// Consul takes 512 KiB and no more unless it is told to; what is larger was
// written to one that was.
func TestValueSizes(t *testing.T) {
	t.Parallel()
	c := testserver.StartConsul(t)
	st := openNodes(t, c.Endpoint)
	w := st.(store.Writer)
	full := strings.Repeat("x", 512<<10)
	if _, err := w.Put(t.Context(), "confd/full", full, store.Cond{}); err != nil {
		t.Fatal(err)
	}
	_, err := w.Put(t.Context(), "confd/over", full+"x", store.Cond{})
	if err == nil || errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), "kv_max_value_size") {
		t.Errorf("a byte more: %v", err)
	}
	snap := storetest.ReadUntil(t, st, "confd/full=")
	if snap.Entries[0].Value != full {
		t.Errorf("it has %d bytes", len(snap.Entries[0].Value))
	}
	large := testserver.StartConsul(t, testserver.WithConsulConfig("limits { kv_max_value_size = 4194304 }"))
	large.Put(t, dir+"confd/huge", strings.Repeat("x", 2<<20))
	snap = storetest.ReadUntil(t, openNodes(t, large.Endpoint), "confd/huge=")
	if e := snap.Entries[0]; e.TooLarge != 2<<20 || e.Value != "" {
		t.Errorf("TooLarge %d, %d bytes", e.TooLarge, len(e.Value))
	}
}

// A key that Consul refuses is named as such, and is no outage.
func refusedKeys(t *testing.T, c server) {
	w := c.open(t).(store.Writer)
	for _, key := range []string{"confd/%2e%2e", "confd/a%20b", "confd/ends with a space "} {
		if _, err := w.Put(t.Context(), key, "1", store.Cond{}); err == nil || !strings.Contains(err.Error(), "invalid key name") {
			t.Errorf("%q: %v", key, err)
		}
	}
}

func manyKeys(t *testing.T, c server) {
	const keys, batch = 5000, 64 // more operations no transaction takes
	for i := 0; i < keys; i += batch {
		pairs := map[string]string{}
		for n := i; n < min(i+batch, keys); n++ {
			pairs[fmt.Sprintf("%s/confd/n%05d", c.root, n)] = fmt.Sprint(n)
		}
		c.Txn(t, "set", pairs)
	}
	snap, err := c.open(t).Read(t.Context())
	if err != nil || len(snap.Entries) != keys {
		t.Fatalf("%d keys, %v", len(snap.Entries), err)
	}
	for i, e := range snap.Entries {
		if e.Key != fmt.Sprintf("confd/n%05d", i) || e.Value != fmt.Sprint(i) {
			t.Fatalf("number %d is %q = %q", i, e.Key, e.Value)
		}
	}
}

// A counter stands before a real server and counts what an agent asks of it.
type counter struct {
	server

	lists, others atomic.Int64
}

func count(t *testing.T, c server) *counter {
	t.Helper()
	out, proxy := &counter{server: c}, before(t, c)
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("recurse") {
			out.lists.Add(1)
		} else {
			out.others.Add(1)
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(front.Close)
	out.endpoint = front.URL
	return out
}

// before returns what passes requests on to the server.
func before(t *testing.T, c server) http.Handler {
	t.Helper()
	target, err := url.Parse(c.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) }
	return proxy
}

// What a change costs the server is one answer an agent.
func oneAnswer(t *testing.T, c server) {
	c.Put(t, "confd/a", "0")
	front := count(t, c)
	st := front.open(t)
	since := storetest.ReadUntil(t, st, "confd/a=0").Revision
	settled(t, front, 2) // the list, and the query that waits
	for n := 1; n <= 10; n++ {
		// Only a burst of changes is paced, and ends with a list.
		<-storetest.Deadline(t, 100*time.Millisecond).Done()
		c.Put(t, "confd/a", fmt.Sprint(n))
		storetest.Wait(t, st, since)
		since = storetest.ReadUntil(t, st, fmt.Sprintf("confd/a=%d", n)).Revision
		settled(t, front, int64(2+n))
	}
	if n := front.others.Load(); n > 0 {
		t.Errorf("%d requests beside the queries", n)
	}
}

// settled waits until the agent has sent a number of queries, the last of which
// is then held.
func settled(t *testing.T, front *counter, queries int64) {
	t.Helper()
	storetest.Until(t, "the queries", func() error {
		if n := front.lists.Load(); n != queries {
			return fmt.Errorf("%d queries, not %d", n, queries)
		}
		return nil
	})
}

// Thousands of writes to the keys of others: where our root has a key they cost
// nothing, and where it has none Consul answers to each, which is bounded.
func busyNeighbour(t *testing.T, c server) {
	front := count(t, c)
	st := front.open(t)
	before := storetest.ReadUntil(t, st, "")
	const writes = 500
	took := busy(t, server{Consul: c.Consul, root: c.root + "X"}, writes)
	if n := front.lists.Load(); n > 20+2*int64(took/time.Second) {
		t.Errorf("an empty root: %d queries for %d writes of others in %s", n, writes, took)
	}
	if after := storetest.ReadUntil(t, st, ""); after.Revision != before.Revision {
		t.Errorf("the revision moved from %s to %s", before.Revision, after.Revision)
	}
	c.Put(t, "confd/a", "1")
	storetest.Wait(t, st, before.Revision)
	before = storetest.ReadUntil(t, st, "confd/a=1")
	queries := front.lists.Load()
	busy(t, server{Consul: c.Consul, root: c.root + "X"}, writes)
	if n := front.lists.Load() - queries; n > 2 { // those of our own change may come late
		t.Errorf("a root with a key: %d queries for %d writes of others", n, writes)
	}
	if after := storetest.ReadUntil(t, st, "confd/a=1"); after.Revision != before.Revision {
		t.Errorf("the revision moved from %s to %s", before.Revision, after.Revision)
	}
}

// A key that is written without end is not an answer each.
func busyKey(t *testing.T, c server) {
	front := count(t, c)
	st := front.open(t)
	storetest.ReadUntil(t, st, "")
	const writes = 500
	took := busy(t, c, writes)
	if n := front.lists.Load(); n > 8+int64(took/(50*time.Millisecond)) {
		t.Errorf("%d queries for %d writes in %s", n, writes, took)
	}
	storetest.ReadUntil(t, st, fmt.Sprintf("confd/a=%d", writes-1))
}

// busy writes a key as often as it can, with the last value last, and returns how
// long that took.
func busy(t *testing.T, c server, writes int) time.Duration {
	t.Helper()
	began := time.Now()
	var group sync.WaitGroup
	for n := range 4 {
		group.Go(func() {
			for i := n; i < writes-1; i += 4 {
				c.Put(t, "confd/a", fmt.Sprint(i))
			}
		})
	}
	group.Wait()
	c.Put(t, "confd/a", fmt.Sprint(writes-1))
	return time.Since(began)
}
