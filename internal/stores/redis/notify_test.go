package redis_test

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
	. "datakit.dev/internal/store/storetest"
	"datakit.dev/internal/testserver"
)

// isPolling returns what the status would say.
func isPolling(st store.Store) bool { return st.(store.Poller).Polling() }

func logTo(l *Log) *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// waitFor waits for a change and reads it, as the agent does: nothing is read
// unless Wait says so.
func waitFor(t *testing.T, st store.Store, since store.Revision, want string) store.Revision {
	t.Helper()
	Wait(t, st, since)
	return ReadUntil(t, st, want).Revision
}

// Every way to change a key is told, and read.
func TestEveryKindOfChange(t *testing.T) {
	t.Parallel()
	r := testserver.StartRedis(t)
	st := open(t, at(r))
	since := ReadUntil(t, st, "").Revision
	for _, step := range []struct{ does, want string }{
		{"SET /datakit/confd/a 1", "confd/a=1"},
		{"APPEND /datakit/confd/a 2", "confd/a=12"},
		{"INCR /datakit/confd/a", "confd/a=13"},
		{"SETRANGE /datakit/confd/a 0 4", "confd/a=43"},
		{"MSET /datakit/confd/a 1 /datakit/confd/b 2", "confd/a=1 confd/b=2"},
		{"RENAME /datakit/confd/b /datakit/confd/c", "confd/a=1 confd/c=2"},
		{"RENAME /datakit/confd/c elsewhere", "confd/a=1"},
		{"RENAME elsewhere /datakit/confd/b", "confd/a=1 confd/b=2"},
		{"COPY /datakit/confd/b /datakit/confd/c", "confd/a=1 confd/b=2 confd/c=2"},
		{"MOVE /datakit/confd/c 1", "confd/a=1 confd/b=2"},
		{"UNLINK /datakit/confd/b", "confd/a=1"},
		{"HSET /datakit/pipeline metric/x.p y=1", "confd/a=1 pipeline/metric/x.p=y=1"},
		{"HSET /datakit/pipeline metric/x.p y=2 logging/z.p q", "confd/a=1 pipeline/logging/z.p=q pipeline/metric/x.p=y=2"},
		{"HDEL /datakit/pipeline metric/x.p", "confd/a=1 pipeline/logging/z.p=q"},
		{"DEL /datakit/pipeline", "confd/a=1"},
		{"EVAL redis.call('SET','/datakit/confd/a','9') 0", "confd/a=9"},
		{"PEXPIRE /datakit/confd/a 50", ""},
	} {
		r.Do(t, strings.Split(step.does, " ")...)
		since = waitFor(t, st, since, step.want)
	}
}

// Keys of a transaction change together.
func TestTransactionIsOneChange(t *testing.T) {
	t.Parallel()
	r := testserver.StartRedis(t)
	st := open(t, at(r))
	ReadUntil(t, st, "")
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			default:
				r.Do(t, "MSET", root+"/confd/a", strconv.Itoa(n), root+"/confd/b", strconv.Itoa(n))
			}
		}
	}()
	defer func() { close(stop); <-done }()
	seen := map[string]bool{}
	Until(t, "fifty states", func() error {
		snap, err := st.Read(t.Context())
		if err != nil {
			return err
		}
		a, _ := snap.Get("confd/a")
		b, _ := snap.Get("confd/b")
		if a.Value != b.Value {
			t.Fatalf("half a transaction: %q and %q", a.Value, b.Value)
		}
		if seen[a.Value] = true; len(seen) < 50 {
			return fmt.Errorf("only %d", len(seen))
		}
		return nil
	})
}

// Upstream missed twelve of twelve.
func TestMissesNoneOfAThousandChanges(t *testing.T) {
	t.Parallel()
	r := testserver.StartRedis(t)
	st := open(t, at(r))
	since := ReadUntil(t, st, "").Revision
	for n := range 1000 {
		r.Put(t, root+"/confd/a", strconv.Itoa(n))
		since = waitFor(t, st, since, fmt.Sprintf("confd/a=%d", n))
	}
}

func TestTenThousandKeysAndRapidChanges(t *testing.T) {
	t.Parallel()
	r := testserver.StartRedis(t)
	const keys = 10_000
	for i := 0; i < keys; i += 500 {
		set := []string{"MSET"}
		for j := range 500 {
			set = append(set, fmt.Sprintf("%s/confd/n%05d", root, i+j), strconv.Itoa(i+j))
		}
		r.Do(t, set...)
	}
	st := open(t, at(r))
	snap, err := st.Read(t.Context())
	if err != nil || len(snap.Entries) != keys {
		t.Fatalf("%d keys, %v", len(snap.Entries), err)
	}
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for n := range 200 {
				key := fmt.Sprintf("%s/confd/n%05d", root, (w*7+n)%50)
				if n%5 == 4 {
					r.Delete(t, key)
				} else {
					r.Put(t, key, fmt.Sprintf("%d of %d", n, w))
				}
			}
		})
	}
	wg.Wait()
	want, err := open(t, at(r)).Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	Until(t, "the copy", func() error {
		got, err := st.Read(t.Context())
		if err == nil && got.Revision != want.Revision {
			err = fmt.Errorf("it is at %s, a fresh list at %s", got.Revision, want.Revision)
		}
		return err
	})
}

// FLUSHALL tells nobody. It is noticed by whoever waits, and by whoever reads.
func TestFlushIsNoticed(t *testing.T) {
	t.Parallel()
	for _, command := range []string{"FLUSHALL", "FLUSHDB"} {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			r := testserver.StartRedis(t)
			r.Put(t, root+"/confd/a", "1")
			r.Put(t, root+"/confd/b", "1")
			st := open(t, at(r))
			since := ReadUntil(t, st, "confd/a=1 confd/b=1").Revision
			r.Do(t, command)
			r.Put(t, root+"/confd/a", "1") // comes back, and b does not
			waitFor(t, st, since, "confd/a=1")
		})
	}
}

func TestFlushIsNoticedByRead(t *testing.T) {
	t.Parallel()
	r := testserver.StartRedis(t)
	r.Put(t, root+"/confd/a", "1")
	st := open(t, at(r))
	ReadUntil(t, st, "confd/a=1")
	r.Do(t, "FLUSHALL")
	ReadUntil(t, st, "")
}

// A key with a time to live goes by itself, without anybody asking for it.
func TestKeyThatExpires(t *testing.T) {
	t.Parallel()
	r := testserver.StartRedis(t)
	r.Do(t, "SET", root+"/confd/a", "1", "PX", "300")
	r.Put(t, root+"/confd/b", "1")
	st := open(t, at(r))
	since := ReadUntil(t, st, "confd/a=1 confd/b=1").Revision
	waitFor(t, st, since, "confd/b=1")
}

// With notifications off the tree is read at intervals, and the status says so.
func TestNotificationsAreOff(t *testing.T) {
	t.Parallel()
	for name, flags := range map[string]string{"off": "", "by event only": "EA", "without hashes": "Kg$xe"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var logged Log
			r := testserver.StartRedis(t, testserver.WithRedisArgs("--notify-keyspace-events", flags))
			v := at(r)
			v["circle_interval"] = int64(1)
			st := openRoot(t, root, logTo(&logged), v)
			since := ReadUntil(t, st, "").Revision
			if !isPolling(st) {
				t.Error("it does not say that it polls")
			}
			for n := range 3 {
				r.Put(t, root+"/confd/a", strconv.Itoa(n))
				since = waitFor(t, st, since, fmt.Sprintf("confd/a=%d", n))
			}
			if told := logged.String(); strings.Count(told, "level=WARN") != 1 || !strings.Contains(told, "notify-keyspace-events") {
				t.Errorf("the log does not say once what to do: %s", told)
			}
		})
	}
}

// Whoever follows the advice in the log is told of changes from then on; and the
// other way round, nothing is missed. No interval of a test is that long.
func TestNotificationsAreSwitchedOnAndOff(t *testing.T) {
	t.Parallel()
	r := testserver.StartRedis(t, testserver.WithRedisArgs("--notify-keyspace-events", ""))
	v := at(r)
	v["circle_interval"] = int64(3600)
	st := open(t, v)
	since := ReadUntil(t, st, "").Revision
	r.Do(t, "CONFIG", "SET", "notify-keyspace-events", "Kg$hxe")
	Until(t, "watching", func() error { return says(st, false) })
	r.Put(t, root+"/confd/a", "1")
	since = waitFor(t, st, since, "confd/a=1")

	r.Do(t, "CONFIG", "SET", "notify-keyspace-events", "")
	r.Put(t, root+"/confd/a", "2") // told by nobody
	waitFor(t, st, since, "confd/a=2")
	if !isPolling(st) {
		t.Error("it does not say that it polls")
	}
}

func says(st store.Store, polling bool) error {
	if isPolling(st) != polling {
		return fmt.Errorf("polling is %t", !polling)
	}
	return nil
}

// Where CONFIG is forbidden or gone, as with many hosted servers, nobody knows
// until the first change is told; looking at intervals goes on.
func TestConfigIsForbidden(t *testing.T) {
	t.Parallel()
	r := testserver.StartRedis(t, testserver.WithRedisArgs("--rename-command", "CONFIG", ""))
	v := at(r)
	v["circle_interval"] = int64(3600)
	st := open(t, v)
	since := ReadUntil(t, st, "").Revision
	if !isPolling(st) {
		t.Error("nothing shows that changes are told, and it does not say that it polls")
	}
	for n := range 3 {
		r.Put(t, root+"/confd/a", strconv.Itoa(n))
		since = waitFor(t, st, since, fmt.Sprintf("confd/a=%d", n))
	}
	if isPolling(st) {
		t.Error("changes are told, and it says that it polls")
	}
}

func TestConfigIsForbiddenAndNothingIsTold(t *testing.T) {
	t.Parallel()
	r := testserver.StartRedis(t, testserver.WithRedisArgs("--rename-command", "CONFIG", "", "--notify-keyspace-events", ""))
	v := at(r)
	v["circle_interval"] = int64(1)
	st := open(t, v)
	since := ReadUntil(t, st, "").Revision
	r.Put(t, root+"/confd/a", "1")
	waitFor(t, st, since, "confd/a=1")
	if !isPolling(st) {
		t.Error("it does not say that it polls")
	}
}

// What is neither a string nor a hash is no configuration: it is named in the
// log, and the others go on.
func TestKeysOfOtherKinds(t *testing.T) {
	t.Parallel()
	var logged Log
	r := testserver.StartRedis(t)
	r.Do(t, "LPUSH", root+"/confd/list", "x")
	r.Do(t, "SADD", root+"/confd/set", "x")
	r.Put(t, root+"/confd/a", "1")
	st := openRoot(t, root, logTo(&logged), at(r))
	since := ReadUntil(t, st, "confd/a=1").Revision
	r.Delete(t, root+"/confd/list")
	r.Put(t, root+"/confd/list", "a string now")
	since = waitFor(t, st, since, "confd/a=1 confd/list=")
	r.Do(t, "RENAME", root+"/confd/set", root+"/confd/a") // over a string
	waitFor(t, st, since, "confd/list=")
	for _, key := range []string{"list", "set", "a"} {
		Until(t, "the log", func() error {
			if n := strings.Count(logged.String(), "key="+root+"/confd/"+key+" "); n != 1 {
				return fmt.Errorf("%s is in it %d times: %s", key, n, logged.String())
			}
			return nil
		})
	}
}

// Fields of hashes are sub-keys, at any depth; a string comes first.
func TestHashesAreFolders(t *testing.T) {
	t.Parallel()
	r := testserver.StartRedis(t)
	r.Do(t, "HSET", root, "confd/a", "root", "confd/z", "root")
	r.Do(t, "HSET", root+"/confd", "a", "hash", "b", "hash", "c", "hash")
	r.Put(t, root+"/confd/b", "string")
	st := open(t, at(r))
	since := ReadUntil(t, st, "confd/a=hash confd/b=string confd/c=hash confd/z=root").Revision
	r.Delete(t, root+"/confd/b")
	since = waitFor(t, st, since, "confd/a=hash confd/b=hash confd/c=hash confd/z=root")
	r.Delete(t, root+"/confd")
	since = waitFor(t, st, since, "confd/a=root confd/z=root")
	r.Do(t, "HDEL", root, "confd/a")
	waitFor(t, st, since, "confd/z=root")
}

// A separator of upstream's configurations stands for / in names.
func TestSeparator(t *testing.T) {
	t.Parallel()
	r := testserver.StartRedis(t)
	v := at(r)
	v["separator"] = ":"
	r.Put(t, "datakit:confd:a", "1")
	r.Put(t, "datakit:confd:b/c", "has a slash in its name, and is no key of ours")
	r.Put(t, "/datakit/confd/d", "of another separator")
	r.Do(t, "HSET", "datakit:pipeline", "metric:x.p", "2")
	st := open(t, v)
	since := ReadUntil(t, st, "confd/a=1 pipeline/metric/x.p=2").Revision
	w := st.(store.Writer)
	if _, err := w.Put(t.Context(), "confd/e", "3", store.Cond{}); err != nil {
		t.Fatal(err)
	}
	waitFor(t, st, since, "confd/a=1 confd/e=3 pipeline/metric/x.p=2")
	if got := r.Do(t, "GET", "datakit:confd:e"); got != "3" {
		t.Errorf("it was written elsewhere: %q", got)
	}
	if _, err := w.Put(t.Context(), "confd/a:b", "1", store.Cond{}); err == nil || !strings.Contains(err.Error(), `":"`) {
		t.Errorf("a key that would be read as another: %v", err)
	}
}

func TestDatabase(t *testing.T) {
	t.Parallel()
	r := testserver.StartRedis(t)
	for name, v := range map[string]spec.Values{
		"in the node":      {"nodes": []string{r.Address + "/2"}},
		"in a URL":         {"nodes": []string{"redis://" + r.Address + "/2"}},
		"in the separator": {"nodes": []string{r.Address}, "separator": "2"},
		"in both":          {"nodes": []string{r.Address + "/2"}, "separator": "2"},
	} {
		t.Run(name, func(t *testing.T) {
			st := open(t, v)
			since := ReadUntil(t, st, "").Revision
			r.Put(t, root+"/confd/a", "of database 0")
			r.Do(t, "EVAL", "redis.call('SELECT','2') redis.call('SET','/datakit/confd/a','1')", "0")
			since = waitFor(t, st, since, "confd/a=1")
			if err := st.(store.Writer).Delete(t.Context(), "confd/a", store.Cond{}); err != nil {
				t.Fatal(err)
			}
			waitFor(t, st, since, "")
		})
	}
}

func TestUnixSocket(t *testing.T) {
	t.Parallel()
	socket := filepath.Join(t.TempDir(), "redis.sock")
	r := testserver.StartRedis(t, testserver.WithRedisArgs("--unixsocket", socket))
	st := open(t, spec.Values{"nodes": []string{socket}})
	since := ReadUntil(t, st, "").Revision
	r.Put(t, root+"/confd/a", "1")
	waitFor(t, st, since, "confd/a=1")
}

// Whatever is done to the keys, the copy is in the end what a fresh look shows.
func TestAnyChangesAreFollowed(t *testing.T) {
	t.Parallel()
	r := testserver.StartRedis(t)
	st := open(t, at(r))
	ReadUntil(t, st, "")
	name := rapid.SampledFrom([]string{root, root + "/a", root + "/a/b", root + "/a/c", root + "/d", "elsewhere"})
	field := rapid.SampledFrom([]string{"a", "b", "a/b", "c"})
	step := rapid.Custom(func(t *rapid.T) []string {
		one, other, sub := name.Draw(t, "name"), name.Draw(t, "other"), field.Draw(t, "field")
		n := strconv.Itoa(rapid.IntRange(0, 9).Draw(t, "value"))
		return rapid.SampledFrom([][]string{
			{"SET", one, n},
			{"SET", one, n, "PX", "20"},
			{"DEL", one},
			{"HSET", one, sub, n},
			{"HDEL", one, sub},
			{"RENAME", one, other},
			{"COPY", one, other, "REPLACE"},
			{"APPEND", one, n},
			{"GETDEL", one},
			{"LPUSH", one, n},
			{"MSET", one, n, other, n},
		}).Draw(t, "step")
	})
	steps := rapid.SliceOfN(step, 40, 40)
	for seed := range 8 {
		for _, s := range steps.Example(seed) {
			_ = r.Try(s...) // some cannot be done to what is there
		}
		Until(t, "the copy", func() error {
			want, err := open(t, at(r)).Read(t.Context())
			if err != nil {
				return err
			}
			got, err := st.Read(t.Context())
			if err == nil && got.Revision != want.Revision {
				err = fmt.Errorf("it is %v, a fresh look shows %v", got.Entries, want.Entries)
			}
			return err
		})
	}
}

// What a change costs is what has changed, whatever the size of the tree.
func TestChangeReadsOnlyWhatChanged(t *testing.T) {
	t.Parallel()
	r := testserver.StartRedis(t)
	for n := range 50 {
		r.Put(t, fmt.Sprintf("%s/confd/n%02d", root, n), strings.Repeat("x", 1<<10))
	}
	relay := testserver.StartRelay(t, r.Address)
	st := open(t, spec.Values{"nodes": []string{relay.Address}})
	snap, err := st.Read(t.Context())
	if err != nil || len(snap.Entries) != 50 {
		t.Fatalf("%d keys, %v", len(snap.Entries), err)
	}
	before := relay.Traffic()
	r.Put(t, root+"/confd/n07", "1")
	Wait(t, st, snap.Revision)
	if down := relay.Traffic().Minus(before).Down; down > 4<<10 {
		t.Errorf("one small change cost %d bytes", down)
	}
}

// BenchmarkPutToWait measures the way of a change: from before the put until
// Wait has returned and Read shows the new value.
func BenchmarkPutToWait(b *testing.B) {
	r := testserver.StartRedis(b)
	st := open(b, at(r))
	snap, err := st.Read(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	for n := 0; b.Loop(); n++ {
		r.Put(b, root+"/confd/a", strconv.Itoa(n))
		Wait(b, st, snap.Revision)
		if snap, err = st.Read(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

func TestRedisCLIIsTheWriter(t *testing.T) {
	t.Parallel()
	r := testserver.StartRedis(t)
	st := open(t, at(r))
	since := ReadUntil(t, st, "").Revision
	r.CLI(t, "SET", root+"/confd/cpu", "[[inputs.cpu]]\ninterval='10s'")
	Wait(t, st, since)
	snap, err := st.Read(t.Context())
	if e, ok := snap.Get("confd/cpu"); err != nil || !ok || e.Value != "[[inputs.cpu]]\ninterval='10s'" {
		t.Fatalf("%v, %v", snap, err)
	}
	r.CLI(t, "HSET", root+"/pipeline", "metric/cpu.p", "x=1")
	since = waitFor(t, st, snap.Revision, "confd/cpu= pipeline/metric/cpu.p=x=1")
	r.CLI(t, "DEL", root+"/confd/cpu")
	waitFor(t, st, since, "pipeline/metric/cpu.p=x=1")
}
