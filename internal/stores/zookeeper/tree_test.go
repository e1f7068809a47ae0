package zookeeper_test

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/go-zookeeper/zk"
	"pgregory.net/rapid"

	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
	"datakit.dev/internal/store/storetest"
	"datakit.dev/internal/testserver"
)

// Every case about what a tree looks like has a root of its own on one server.
func TestTree(t *testing.T) {
	t.Parallel()
	onOneServer(t, map[string]func(*testing.T, *testserver.ZooKeeper, string){
		"a root comes and goes":                            rootComesAndGoes,
		"five writes may be one event":                     fiveWrites,
		"a node is deleted and made again":                 deletedAndMadeAgain,
		"nodes may be keys and folders":                    keysAndFolders,
		"a change costs its node only":                     changeCosts,
		"nodes that vanish while they are listed":          vanishWhileListed,
		"the copy follows any history":                     anyHistory,
		"the next of several nodes is used where one ends": nextNode,
	})
}

// A root that nobody has made is an empty tree and no error; that it is made is
// seen, as is every end and return of it.
func rootComesAndGoes(t *testing.T, z *testserver.ZooKeeper, root string) {
	deep := root + "/agents/datakit" // not even the folders above are there
	st := openRoot(t, z, deep)
	for i := range 3 {
		since := storetest.ReadUntil(t, st, "").Revision
		key := fmt.Sprintf("k%d", i)
		z.Put(t, deep+"/"+key, "1")
		wait(t, st, since)
		storetest.ReadUntil(t, st, key+"=1")
		z.Delete(t, deep+"/"+key)
		z.Delete(t, deep)
	}
	storetest.ReadUntil(t, st, "")
	z.Put(t, deep, "a value of the root is no key")
	z.Put(t, deep+"/a", "1")
	storetest.ReadUntil(t, st, "a=1")
}

// Watches fire once and know no values: many writes may be one event, and the
// one that counts is the last.
func fiveWrites(t *testing.T, z *testserver.ZooKeeper, root string) {
	z.Put(t, root+"/confd/a", "start")
	before := z.Watches(t)
	st := openRoot(t, z, root)
	since := storetest.ReadUntil(t, st, "confd/a=start").Revision
	for round := range 30 {
		for i := range 5 {
			z.Put(t, root+"/confd/a", fmt.Sprintf("%d.%d", round, i))
		}
		wait(t, st, since)
		since = storetest.ReadUntil(t, st, fmt.Sprintf("confd/a=%d.4", round)).Revision
	}
	// The watches that fired are set again, and no others pile up: root, confd and
	// a have two each.
	if n := z.Watches(t) - before; n != 6 {
		t.Errorf("the server holds %d watches for three nodes", n)
	}
}

// The list of children is the same when a node is deleted and made again: only
// its own watch tells, and has to be set again on the new node.
func deletedAndMadeAgain(t *testing.T, z *testserver.ZooKeeper, root string) {
	z.Put(t, root+"/confd/a", "first")
	st := openRoot(t, z, root)
	snap := storetest.ReadUntil(t, st, "confd/a=first")
	for i := range 20 {
		before, _ := snap.Get("confd/a")
		z.Delete(t, root+"/confd/a")
		// The value is the same, the key is another. Where both writes are seen as
		// one, no revision of the tree moves, and nobody is woken.
		z.Put(t, root+"/confd/a", "first")
		storetest.Until(t, "the new key", func() (err error) {
			if snap, err = st.Read(t.Context()); err != nil {
				return err
			}
			if e, ok := snap.Get("confd/a"); !ok || e.Revision == before.Revision {
				return fmt.Errorf("round %d: %v", i, snap.Entries)
			}
			return nil
		})
		z.Put(t, root+"/confd/a", strconv.Itoa(i))
		storetest.ReadUntil(t, st, fmt.Sprintf("confd/a=%d", i))
		z.Put(t, root+"/confd/a", "first")
		snap = storetest.ReadUntil(t, st, "confd/a=first")
	}
}

// A node may have both a value and children; without a value it is only their
// folder.
func keysAndFolders(t *testing.T, z *testserver.ZooKeeper, root string) {
	st := openRoot(t, z, root)
	z.Put(t, root+"/confd/a/b", "below")
	storetest.ReadUntil(t, st, "confd/a/b=below")
	z.Put(t, root+"/confd/a", "above")
	storetest.ReadUntil(t, st, "confd/a=above confd/a/b=below")
	z.Put(t, root+"/confd/a", "")
	storetest.ReadUntil(t, st, "confd/a/b=below")
	z.Delete(t, root+"/confd/a/b") // an empty leaf is an empty value
	snap := storetest.ReadUntil(t, st, "confd/a=")
	if e, _ := snap.Get("confd/a"); e.Value != "" {
		t.Errorf("confd/a is %q", e.Value)
	}
	z.Put(t, root+"/confd/a/c", "1")
	storetest.ReadUntil(t, st, "confd/a/c=1")
	// A node without any value, as the tools make folders, stays one when empty.
	if _, err := z.Client(t).Create(root+"/confd/folder", nil, 0, zk.WorldACL(zk.PermAll)); err != nil {
		t.Fatal(err)
	}
	z.Put(t, root+"/confd/z", "1")
	storetest.ReadUntil(t, st, "confd/a/c=1 confd/z=1")
}

// One change in a large tree costs one small read, not the tree.
func changeCosts(t *testing.T, z *testserver.ZooKeeper, root string) {
	want, value := map[string]string{}, strings.Repeat("x", 8<<10)
	for i := range 100 {
		key := fmt.Sprintf("confd/k%02d", i)
		want[key] = value
		z.Put(t, root+"/"+key, value)
	}
	relay := testserver.StartRelay(t, z.Address)
	st := openValues(t, nil, root, spec.Values{"nodes": []string{relay.Address}})
	since := readKeys(t, st, want).Revision
	listed := relay.Traffic()
	if listed.Down < 100*8<<10 {
		t.Fatalf("the tree came in %d bytes", listed.Down)
	}
	z.Put(t, root+"/confd/k50", "new")
	want["confd/k50"] = "new"
	wait(t, st, since)
	readKeys(t, st, want)
	if cost := relay.Traffic().Minus(listed); cost.Down > 2<<10 {
		t.Errorf("a change of 3 bytes cost %d", cost.Down)
	}
}

// Nodes come and go while the tree is read for the first time: that is neither
// an error nor a hole.
func vanishWhileListed(t *testing.T, z *testserver.ZooKeeper, root string) {
	for i := range 50 {
		z.Put(t, fmt.Sprintf("%s/confd/stays%02d", root, i), "1")
	}
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			path := fmt.Sprintf("%s/confd/goes%d/deep", root, i%5)
			z.Put(t, path, "1")
			z.Delete(t, path)
			z.Delete(t, strings.TrimSuffix(path, "/deep"))
		}
	}()
	defer func() { close(stop); <-done }()
	for range 10 {
		st := openRoot(t, z, root)
		snap, err := st.Read(storetest.Deadline(t, storetest.Patience))
		if err != nil {
			t.Fatal(err)
		}
		stays := 0
		for _, e := range snap.Entries {
			if strings.HasPrefix(e.Key, "confd/stays") {
				stays++
			}
		}
		if stays != 50 {
			t.Fatalf("%d of 50 keys", stays)
		}
		_ = st.Close()
	}
}

// A change is what an operator does to one node.
type change struct {
	path, value string
	verb        string
}

// Whatever is done to the tree, the copy that watches keep is in the end what
// the server holds.
func anyHistory(t *testing.T, z *testserver.ZooKeeper, root string) {
	z.Put(t, root+"/x", "")
	c := z.Client(t)
	below := []string{"", "/a", "/a/b", "/a/b/c", "/d", "/d/e"}
	changes := rapid.SliceOfN(rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) change {
		return change{
			rapid.SampledFrom(below).Draw(rt, "path"), rapid.SampledFrom([]string{"", "1", "2"}).Draw(rt, "value"),
			rapid.SampledFrom([]string{"delete", "clear", "put", "put"}).Draw(rt, "verb"),
		}
	}), 1, 12), 1, 4)
	for seed := range 25 {
		base := fmt.Sprintf("%s/%d", root, seed)
		st := openRoot(t, z, base)
		history := changes.Example(seed)
		for _, round := range history {
			for _, h := range round {
				h.do(c, base)
			}
			readKeys(t, st, keysOf(c, base, below))
		}
		_ = st.Close()
		if t.Failed() {
			t.Fatalf("seed %d: %v", seed, history)
		}
	}
}

// do does it; what cannot be done now changes nothing.
func (h change) do(c *zk.Conn, base string) {
	path := base + h.path
	switch h.verb {
	case "delete":
		_ = c.Delete(path, -1)
	case "clear":
		_, _ = c.Set(path, nil, -1)
	default:
		if _, err := c.Set(path, []byte(h.value), -1); err != nil {
			_, _ = c.Create(path, []byte(h.value), 0, zk.WorldACL(zk.PermAll))
		}
	}
}

// keysOf lists the keys with the client of the operator.
func keysOf(c *zk.Conn, base string, below []string) map[string]string {
	out := map[string]string{}
	for _, path := range below[1:] {
		value, stat, err := c.Get(base + path)
		if err != nil {
			continue // it is not there
		}
		if len(value) > 0 || value != nil && stat.NumChildren == 0 {
			out[path[1:]] = string(value)
		}
	}
	return out
}

// readKeys reads until the store shows just the wanted keys.
func readKeys(t *testing.T, st store.Store, want map[string]string) store.Snapshot {
	t.Helper()
	var snap store.Snapshot
	storetest.Until(t, "Read", func() (err error) {
		if snap, err = st.Read(storetest.Deadline(t, storetest.Patience)); err != nil {
			return err
		}
		got := map[string]string{}
		for _, e := range snap.Entries {
			got[e.Key] = e.Value
		}
		if !maps.Equal(got, want) {
			return fmt.Errorf("the keys are %v, want %v", slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
		}
		return nil
	})
	return snap
}
