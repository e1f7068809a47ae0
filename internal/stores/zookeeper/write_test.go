package zookeeper_test

import (
	"errors"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/go-zookeeper/zk"

	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
	"datakit.dev/internal/store/storetest"
	"datakit.dev/internal/stores/zookeeper"
	"datakit.dev/internal/testserver"
)

// Every case about writing has a root of its own on one server.
func TestWriting(t *testing.T) {
	t.Parallel()
	onOneServer(t, map[string]func(*testing.T, *testserver.ZooKeeper, string){
		"a folder takes a value and loses it again":              folderTakesValue,
		"an empty value would hide a key with keys below it":     emptyValueHides,
		"an absent key may be a folder":                          absentFolder,
		"of many writers at one revision one wins":               oneWins,
		"writers without a condition do not stand in the way":    nobodyFails,
		"a value that is too large is refused before it is sent": tooLarge,
		"names that no server takes are refused":                 oddNames,
		"a key deleted and made again is another":                madeAgain,
		"zkCli is the writer":                                    zkCliWrites,
	})
}

// onOneServer runs each case with a root of its own on the server they share.
func onOneServer(t *testing.T, cases map[string]func(*testing.T, *testserver.ZooKeeper, string)) {
	t.Helper()
	z := testserver.StartZooKeeper(t)
	for name, run := range cases {
		t.Run(name, func(t *testing.T) { run(t, z, "/"+strings.ReplaceAll(name, " ", "-")) })
	}
}

func openRoot(t *testing.T, z *testserver.ZooKeeper, root string) store.Store {
	t.Helper()
	return openValues(t, nil, root, spec.Values{"nodes": []string{z.Address}})
}

func folderTakesValue(t *testing.T, z *testserver.ZooKeeper, root string) {
	st := openRoot(t, z, root)
	put(t, st, "confd/a/b", "below", store.Cond{})
	rev := put(t, st, "confd/a", "above", store.Cond{})
	storetest.ReadUntil(t, st, "confd/a=above confd/a/b=below")
	if err := st.(store.Writer).Delete(t.Context(), "confd/a", store.Cond{Revision: rev}); err != nil {
		t.Fatal(err)
	}
	storetest.ReadUntil(t, st, "confd/a/b=below")
	for _, folder := range []string{"confd", "confd/a"} {
		if err := st.(store.Writer).Delete(t.Context(), folder, store.Cond{}); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("delete of the folder %s: %v", folder, err)
		}
	}
}

func emptyValueHides(t *testing.T, z *testserver.ZooKeeper, root string) {
	st := openRoot(t, z, root)
	put(t, st, "confd/a", "1", store.Cond{})
	put(t, st, "confd/a/b", "1", store.Cond{})
	_, err := st.(store.Writer).Put(t.Context(), "confd/a", "", store.Cond{})
	if err == nil || errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), "keys below it") {
		t.Fatalf("Put: %v", err)
	}
	storetest.ReadUntil(t, st, "confd/a=1 confd/a/b=1")
}

func absentFolder(t *testing.T, z *testserver.ZooKeeper, root string) {
	st := openRoot(t, z, root)
	put(t, st, "confd/a/b", "1", store.Cond{})
	put(t, st, "confd/a", "1", store.Cond{Absent: true})
	if _, err := st.(store.Writer).Put(t.Context(), "confd/a", "2", store.Cond{Absent: true}); !errors.Is(err, store.ErrConflict) {
		t.Fatalf("Put: %v", err)
	}
	if err := st.(store.Writer).Delete(t.Context(), "confd/a", store.Cond{Absent: true}); !errors.Is(err, store.ErrConflict) {
		t.Fatalf("Delete: %v", err)
	}
	storetest.ReadUntil(t, st, "confd/a=1 confd/a/b=1")
}

// oneWins has several stores count up one key: no step may be lost.
func oneWins(t *testing.T, z *testserver.ZooKeeper, root string) {
	const writers, steps = 4, 10
	var runs sync.WaitGroup
	for range writers {
		st := openRoot(t, z, root)
		runs.Go(func() {
			for done := 0; done < steps; {
				snap, err := st.Read(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				e, there := snap.Get("confd/count")
				n, _ := strconv.Atoi(e.Value) // 0 before the first
				_, err = st.(store.Writer).Put(t.Context(), "confd/count", strconv.Itoa(n+1), store.Cond{Absent: !there, Revision: e.Revision})
				switch {
				case err == nil:
					done++
				case !errors.Is(err, store.ErrConflict):
					t.Error(err)
					return
				}
			}
		})
	}
	runs.Wait()
	storetest.ReadUntil(t, openRoot(t, z, root), "confd/count="+strconv.Itoa(writers*steps))
}

func nobodyFails(t *testing.T, z *testserver.ZooKeeper, root string) {
	var runs sync.WaitGroup
	for range 3 {
		st := openRoot(t, z, root)
		runs.Go(func() {
			for i := range 20 {
				if _, err := st.(store.Writer).Put(t.Context(), "confd/deep/er/a", strconv.Itoa(i), store.Cond{}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	runs.Wait()
	storetest.ReadUntil(t, openRoot(t, z, root), "confd/deep/er/a=19")
}

func tooLarge(t *testing.T, z *testserver.ZooKeeper, root string) {
	st, limit := openRoot(t, z, root), zookeeper.Backend().Traits.MaxValue
	put(t, st, "confd/"+strings.Repeat("long", 4000), strings.Repeat("x", limit), store.Cond{})
	_, err := st.(store.Writer).Put(t.Context(), "confd/b", strings.Repeat("x", limit+1), store.Cond{})
	if err == nil || errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), "1000000") {
		t.Errorf("Put: %v", err)
	}
	snap, err := st.Read(t.Context())
	if err != nil || len(snap.Entries) != 1 || len(snap.Entries[0].Value) != limit {
		t.Errorf("Read: %d keys, %v", len(snap.Entries), err)
	}
}

func oddNames(t *testing.T, z *testserver.ZooKeeper, root string) {
	st := openRoot(t, z, root)
	for _, name := range []string{"\u0085", "\ue000", "\ufff9", "🌡", strings.Repeat("n", 40<<10)} {
		_, err := st.(store.Writer).Put(t.Context(), "confd/"+name, "1", store.Cond{})
		if err == nil || errors.Is(err, store.ErrUnavailable) {
			t.Errorf("%.20q: %v", name, err)
		}
		if err := st.(store.Writer).Delete(t.Context(), "confd/"+name, store.Cond{}); err == nil || errors.Is(err, store.ErrNotFound) {
			t.Errorf("delete of %.20q: %v", name, err)
		}
	}
	// The server's own word on what the client library does not know.
	if _, err := z.Client(t).Create(root+"🌡", nil, 0, zk.WorldACL(zk.PermAll)); err == nil {
		t.Error("the server takes supplementary characters")
	}
	put(t, st, "confd/\uf900 \u202e ok", "1", store.Cond{})
	snap, err := st.Read(t.Context())
	if _, ok := snap.Get("confd/\uf900 \u202e ok"); !ok || err != nil {
		t.Errorf("Read: %v, %v", snap.Entries, err)
	}
}

func madeAgain(t *testing.T, z *testserver.ZooKeeper, root string) {
	st := openRoot(t, z, root)
	old := put(t, st, "confd/a", "1", store.Cond{})
	z.Delete(t, root+"/confd/a")
	z.Put(t, root+"/confd/a", "1")
	z.Put(t, root+"/confd/a", "1") // the version is that of the old one
	if _, err := st.(store.Writer).Put(t.Context(), "confd/a", "2", store.Cond{Revision: old}); !errors.Is(err, store.ErrConflict) {
		t.Errorf("Put: %v", err)
	}
	if err := st.(store.Writer).Delete(t.Context(), "confd/a", store.Cond{Revision: old}); !errors.Is(err, store.ErrConflict) {
		t.Errorf("Delete: %v", err)
	}
	storetest.ReadUntil(t, st, "confd/a=1")
}

func serverWasAway(t *testing.T, z *testserver.ZooKeeper, root string) {
	st := openRoot(t, z, root)
	put(t, st, "confd/a", "1", store.Cond{})
	z.Stop(t)
	if _, err := st.(store.Writer).Put(t.Context(), "confd/a", "2", store.Cond{}); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("Put: %v", err)
	}
	z.Start(t)
	put(t, st, "confd/a", "3", store.Cond{})
	storetest.ReadUntil(t, st, "confd/a=3")
}

// The vendor's own tool is the writer.
func zkCliWrites(t *testing.T, z *testserver.ZooKeeper, root string) {
	z.Put(t, root+"/confd/b", "1")
	st := openRoot(t, z, root)
	since := storetest.ReadUntil(t, st, "confd/b=1").Revision
	z.RunZooKeeperCli(t, "create", root+"/confd/cpu", "[[inputs.cpu]]")
	wait(t, st, since)
	storetest.ReadUntil(t, st, "confd/b=1 confd/cpu=[[inputs.cpu]]")
}
