package etcd_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"

	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
	"datakit.dev/internal/store/storetest"
	"datakit.dev/internal/stores/etcd"
	"datakit.dev/internal/testserver"
)

// A change is one event, and may take away much more than one key.
func TestChangesOfDirectories(t *testing.T) {
	t.Parallel()
	e := start(t)
	for name, c := range map[string]struct {
		change func(root string)
		want   string
	}{
		"a directory below the root":   {func(r string) { e.DeleteV2(t, r+"/confd") }, "pipeline/metric/a.p=1"},
		"the root itself":              {func(r string) { e.DeleteV2(t, r) }, ""},
		"a directory above the root":   {func(r string) { e.DeleteV2(t, r[:strings.LastIndex(r, "/")]) }, ""},
		"one whose name ours begins":   {func(r string) { e.MkdirV2(t, r[:len(r)-1]); e.DeleteV2(t, r[:len(r)-1]) }, "confd/a=1 confd/deep/b=1 pipeline/metric/a.p=1"},
		"an empty one is no key":       {func(r string) { e.MkdirV2(t, r+"/confd/new") }, "confd/a=1 confd/deep/b=1 pipeline/metric/a.p=1"},
		"one takes the place of a key": {func(r string) { e.MkdirV2(t, r+"/confd/a") }, "confd/deep/b=1 pipeline/metric/a.p=1"},
		"one with a time to live": {func(r string) {
			e.MkdirV2(t, r+"/confd/deep", "ttl", "1", "prevExist", "true")
		}, "confd/a=1 pipeline/metric/a.p=1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := "/" + strconv.Itoa(os.Getpid()) + strings.ReplaceAll(name, " ", "-") + "/datakit"
			for _, key := range []string{"confd/a", "confd/deep/b", "pipeline/metric/a.p"} {
				e.PutV2(t, root+"/"+key, "1")
			}
			st := openRoot(t, e, root)
			storetest.ReadUntil(t, st, "confd/a=1 confd/deep/b=1 pipeline/metric/a.p=1")
			c.change(root)
			storetest.ReadUntil(t, st, c.want)
			// The copy goes on from there, and is what a list shows.
			e.PutV2(t, root+"/confd/z", "2")
			got := storetest.ReadUntil(t, st, strings.TrimSpace(insert(c.want)))
			fresh := openRoot(t, e, root)
			if want, err := fresh.Read(t.Context()); err != nil || fmt.Sprint(want.Entries) != fmt.Sprint(got.Entries) {
				t.Errorf("the copy is %v, a list %v (%v)", got.Entries, want.Entries, err)
			}
		})
	}
}

func openRoot(t *testing.T, e *testserver.Etcd, root string) store.Store {
	t.Helper()
	st, err := etcd.Backend().Open(store.Options{Root: root, Values: spec.Values{"nodes": []string{e.Endpoint}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	return st
}

// insert puts the key confd/z into its place.
func insert(tree string) string {
	head, tail, found := strings.Cut(tree, "pipeline")
	if !found {
		return head + " confd/z=2"
	}
	return head + " confd/z=2 pipeline" + tail
}

// A key whose time is up is gone, and nobody has written anything.
func TestKeyExpires(t *testing.T) {
	t.Parallel()
	e := start(t)
	e.PutV2(t, root+"/confd/a", "1")
	e.PutV2(t, root+"/confd/b", "1", "ttl", "2")
	st := openNodes(t, e.Endpoint)
	since := storetest.ReadUntil(t, st, "confd/a=1 confd/b=1").Revision
	storetest.Wait(t, st, since)
	storetest.ReadUntil(t, st, "confd/a=1")
}

// The server hides names that begin with _ from every list, so nobody reads them.
func TestHiddenKeys(t *testing.T) {
	t.Parallel()
	e := start(t)
	e.PutV2(t, root+"/_hidden", "1")
	e.PutV2(t, root+"/confd/_hidden/a", "1")
	e.PutV2(t, root+"/confd/a", "1")
	st := openNodes(t, e.Endpoint)
	before := storetest.ReadUntil(t, st, "confd/a=1")
	e.PutV2(t, root+"/confd/_hidden/a", "2")
	if after := storetest.ReadUntil(t, st, "confd/a=1"); after.Revision != before.Revision {
		t.Error("a hidden key moves the revision")
	}
	for _, key := range []string{"_a", "confd/_a", "confd/_d/a"} {
		if _, err := st.(store.Writer).Put(t.Context(), key, "1", store.Cond{}); err == nil || !strings.Contains(err.Error(), "hides") {
			t.Errorf("%s was written, and nobody would see it: %v", key, err)
		}
	}
}

// Where a key stands in the place of the root, nothing is below it.
func TestRootIsAKey(t *testing.T) {
	t.Parallel()
	e := start(t)
	e.PutV2(t, root, "a value")
	st := openNodes(t, e.Endpoint)
	storetest.ReadUntil(t, st, "")
	if _, err := st.(store.Writer).Put(t.Context(), "confd/a", "1", store.Cond{}); err == nil || !strings.Contains(err.Error(), "Not a directory") {
		t.Errorf("Put: %v", err)
	}
}

// Conditions that the server would take for none at all.
func TestConditionsThatNeverHold(t *testing.T) {
	t.Parallel()
	e := start(t)
	e.PutV2(t, root+"/confd/a", "1")
	w := openNodes(t, e.Endpoint).(store.Writer)
	for _, rev := range []store.Revision{"0", "00", "-1", "x", "1.5", "99999999999999999999"} {
		for _, key := range []string{"confd/a", "confd/none"} {
			if _, err := w.Put(t.Context(), key, "2", store.Cond{Revision: rev}); !errors.Is(err, store.ErrConflict) {
				t.Errorf("Put of %s at %q: %v", key, rev, err)
			}
		}
		if err := w.Delete(t.Context(), "confd/a", store.Cond{Revision: rev}); !errors.Is(err, store.ErrConflict) {
			t.Errorf("Delete at %q: %v", rev, err)
		}
	}
	if err := w.Delete(t.Context(), "confd/a", store.Cond{Absent: true}); !errors.Is(err, store.ErrConflict) {
		t.Errorf("Delete of a key that must not be there: %v", err)
	}
	if err := w.Delete(t.Context(), "confd", store.Cond{}); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Delete of a directory: %v", err)
	}
	storetest.ReadUntil(t, openNodes(t, e.Endpoint), "confd/a=1")
}

// A value that is no text would come back as another one.
func TestValueOfBytes(t *testing.T) {
	t.Parallel()
	w := openNodes(t, "127.0.0.1:1").(store.Writer)
	if _, err := w.Put(t.Context(), "confd/a", "\xff", store.Cond{}); err == nil || !strings.Contains(err.Error(), "only text") {
		t.Errorf("Put: %v", err)
	}
}

// The vendor's own command writes, and we read.
func TestEtcdctlWrites(t *testing.T) {
	t.Parallel()
	e := start(t)
	st := openNodes(t, e.Endpoint)
	since := storetest.ReadUntil(t, st, "").Revision
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"set", root + "/confd/cpu", "[[inputs.cpu]]"}, "confd/cpu=[[inputs.cpu]]"},
		{[]string{"mk", root + "/confd/mem", "1"}, "confd/cpu= confd/mem=1"},
		{[]string{"update", root + "/confd/mem", "2"}, "confd/cpu= confd/mem=2"},
		{[]string{"rm", root + "/confd/cpu"}, "confd/mem=2"},
		{[]string{"rm", "--recursive", root}, ""},
	} {
		etcdctl(t, e, c.args...)
		storetest.Wait(t, st, since)
		since = storetest.ReadUntil(t, st, c.want).Revision
	}
}

func etcdctl(t *testing.T, e *testserver.Etcd, args ...string) {
	t.Helper()
	if _, err := exec.LookPath("etcdctl"); err != nil && os.Getenv("CI") == "" {
		t.Skip("etcdctl is missing, get it with: apt-get install etcd-client")
	}
	cmd := exec.CommandContext(t.Context(), "etcdctl", append([]string{"--endpoints", e.Endpoint}, args...)...)
	cmd.Env = append(os.Environ(), "ETCDCTL_API=2")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("etcdctl %v: %v\n%s", args, err, out)
	}
}

func TestTenThousandKeys(t *testing.T) {
	t.Parallel()
	e := start(t)
	const keys, writers = 10_000, 8
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			writer := openNodes(t, e.Endpoint).(store.Writer)
			for i := w; i < keys; i += writers {
				if _, err := writer.Put(t.Context(), fmt.Sprintf("confd/n%05d", i), strconv.Itoa(i), store.Cond{}); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	snap, err := openNodes(t, e.Endpoint).Read(t.Context())
	if err != nil || len(snap.Entries) != keys {
		t.Fatalf("%d keys, %v", len(snap.Entries), err)
	}
	for i, entry := range snap.Entries {
		if entry.Key != fmt.Sprintf("confd/n%05d", i) || entry.Value != strconv.Itoa(i) {
			t.Fatalf("number %d is %q = %q", i, entry.Key, entry.Value)
		}
	}
}

// Thousands of changes by several writers, with the reader at it: in the end
// the copy is what a fresh list shows.
func TestRapidChanges(t *testing.T) {
	t.Parallel()
	e := start(t)
	st := openNodes(t, e.Endpoint)
	storetest.ReadUntil(t, st, "")
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			writer := openNodes(t, e.Endpoint).(store.Writer)
			for n := range 250 {
				key := fmt.Sprintf("confd/k%d", (w*7+n)%50)
				var err error
				if n%5 == 4 {
					err = writer.Delete(t.Context(), key, store.Cond{})
				} else {
					_, err = writer.Put(t.Context(), key, fmt.Sprintf("%d of %d", n, w), store.Cond{})
				}
				if err != nil && !errors.Is(err, store.ErrNotFound) {
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
	storetest.Until(t, "the copy", func() error {
		got, err := st.Read(t.Context())
		if err == nil && fmt.Sprint(got.Entries) != fmt.Sprint(want.Entries) {
			err = fmt.Errorf("it has %d keys, a fresh list %d, or other values", len(got.Entries), len(want.Entries))
		}
		return err
	})
}

// What a change costs the server: the answer of a poll, and no list.
func TestChangeCostsNoList(t *testing.T) {
	t.Parallel()
	e := start(t)
	st := openNodes(t, e.Endpoint)
	since := storetest.ReadUntil(t, st, "").Revision
	before := lists(t, e)
	for n := range 20 {
		e.PutV2(t, root+"/confd/a", strconv.Itoa(n))
		storetest.Wait(t, st, since)
		since = storetest.ReadUntil(t, st, fmt.Sprintf("confd/a=%d", n)).Revision
	}
	if after := lists(t, e); after != before {
		t.Errorf("%s lists before, %s after 20 changes", before, after)
	}
}

// lists returns the server's own count of recursive reads.
func lists(t *testing.T, e *testserver.Etcd) string {
	t.Helper()
	for line := range strings.Lines(e.DoV2(t, "GET", "/metrics", nil).Body) {
		if n, ok := strings.CutPrefix(line, `etcd_debugging_store_reads_total{action="getRecursive"} `); ok {
			return strings.TrimSpace(n)
		}
	}
	t.Fatal("the server does not count its lists")
	return ""
}

// BenchmarkPutToWait measures the way of a change: from before the put until
// Wait has returned and Read shows the new value.
func BenchmarkPutToWait(b *testing.B) {
	e := start(b)
	st := openNodes(b, e.Endpoint)
	snap, err := st.Read(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		e.PutV2(b, root+"/confd/a", "1")
		storetest.Wait(b, st, snap.Revision)
		if snap, err = st.Read(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
}
