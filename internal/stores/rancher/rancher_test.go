package rancher_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
	"datakit.dev/internal/store/storetest"
	"datakit.dev/internal/stores/rancher"
	"datakit.dev/internal/testserver"
)

// place is where the keys of the default root are.
const place = "/self/service/metadata/datakit"

type server struct {
	*testserver.Rancher

	relay  *testserver.Relay // what the store under test connects to
	root   string
	backup *string
}

func (s server) Open(t *testing.T) store.Store {
	st, err := rancher.Backend().Open(store.Options{Root: s.root, Values: spec.Values{"nodes": []string{s.relay.Address}}})
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func (s server) Put(t *testing.T, key, value string) { s.Set(t, s.root+"/"+key, value) }

func (s server) Delete(t *testing.T, key string) { s.Rancher.Delete(t, s.root+"/"+key) }

func (s server) PutBeside(t *testing.T, key, value string) { s.Set(t, s.root+"X/"+key, value) }

func (s server) Stop(t *testing.T) { s.Rancher.Stop(t) }

func (s server) Start(t *testing.T) { s.Rancher.Start(t) }

func (s server) Pause(t *testing.T) { s.Rancher.Pause(t) }

func (s server) Resume(t *testing.T) { s.Rancher.Resume(t) }

func (s server) Cut(*testing.T) { s.relay.Cut() }

func (s server) Mend(*testing.T) { s.relay.Heal() }

func (s server) Save(t *testing.T) { *s.backup = s.Rancher.Save(t) }

func (s server) Rewind(t *testing.T) {
	s.Rancher.Stop(t)
	s.Restore(t, *s.backup)
	s.Rancher.Start(t)
}

// Takes leaves out what JSON cannot hold.
func (server) Takes(_, value string) bool { return utf8.ValidString(value) }

func TestConformance(t *testing.T) {
	r, cases := testserver.StartRancher(t, nil), 0
	relay := testserver.StartRelay(t, strings.TrimPrefix(r.Endpoint, "http://"))
	storetest.Run(t, rancher.Backend().Traits, func(*testing.T) storetest.Server {
		cases++
		return server{r, relay, fmt.Sprintf("%s/%d", place, cases), new(string)}
	})
}

func open(t testing.TB, log *slog.Logger, v spec.Values) store.Store {
	t.Helper()
	st, err := rancher.Backend().Open(store.Options{Root: store.RootOf(v), Values: v, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	return st
}

func nodes(n ...string) spec.Values { return spec.Values{"nodes": n} }

// What an operator writes into the compose file of the agent's service.
func TestMetadataOfTheService(t *testing.T) {
	t.Parallel()
	r := testserver.StartRancher(t, nil)
	r.Set(t, "/self/service/metadata/datakit", map[string]any{
		"confd":    map[string]any{"cpu": "[[inputs.cpu]]", "deep/er": "x", "number": 5, "yes": true, "nothing": nil},
		"pipeline": map[string]any{"metric": map[string]any{"cpu.p": "a=1"}, "logging": []any{}},
	})
	snap := storetest.ReadUntil(t, open(t, nil, nodes(r.Endpoint)),
		"confd/cpu=[[inputs.cpu]] confd/deep/er=x confd/nothing confd/number=5 confd/yes=true pipeline/metric/cpu.p=a=1")
	if e, _ := snap.Get("confd/nothing"); e.Value != "" {
		t.Errorf("null is %q", e.Value)
	}
}

func TestPrefix(t *testing.T) {
	t.Parallel()
	r := testserver.StartRancher(t, nil)
	r.Set(t, "/self/service/metadata/datakit/confd/a", "default")
	r.Set(t, "/self/service/metadata/team/a b+c/confd/a", "mine")
	r.Set(t, "/self/host/labels/confd/a", "host")
	r.Set(t, "/services", []any{map[string]any{"name": "web"}, map[string]any{"name": "other", "metadata": map[string]any{"confd": map[string]any{"a": "other"}}}})
	r.Set(t, "/top/confd/a", "top")
	for prefix, want := range map[string]string{
		"":                                 "default",
		"/datakit":                         "default",
		"/team/a b+c":                      "mine",
		"/self/host/labels":                "host",
		"/services/other/metadata":         "other",
		"/services/1/metadata":             "other",
		"/top":                             "top",
		"/latest/self/host/labels":         "host",
		"/2016-07-29/datakit":              "default",
		"/self/service/metadata/datakit/":  "default",
		"/Self/Service/Metadata/DataKit":   "default", // the service does not mind capitals
		"/services/web/metadata":           "",
		"/self/service/metadata/not-there": "",
	} {
		t.Run(prefix, func(t *testing.T) {
			t.Parallel()
			st := open(t, nil, spec.Values{"nodes": []string{r.Endpoint}, "prefix": prefix})
			if want != "" {
				want = "confd/a=" + want
			}
			storetest.ReadUntil(t, st, want)
		})
	}
}

// A node may name the version, as Rancher's own clients have it.
func TestVersionInTheNode(t *testing.T) {
	t.Parallel()
	r := testserver.StartRancher(t, nil)
	r.Set(t, place+"/confd/a", "1")
	for _, path := range []string{"", "/", "/latest", "/2016-07-29/"} {
		storetest.ReadUntil(t, open(t, nil, nodes(r.Endpoint+path)), "confd/a=1")
	}
	_, err := open(t, nil, nodes(r.Endpoint+"/2001-01-01")).Read(storetest.Deadline(t, storetest.Patience))
	if !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), "not in that version") {
		t.Errorf("Read of a version that is not there: %v", err)
	}
}

// The service knows a container by its address. Before it does, everything of
// its own is missing: that is no deletion.
func TestContainerIsNotKnown(t *testing.T) {
	t.Parallel()
	r := testserver.StartRancher(t, nil)
	r.Set(t, place+"/confd/a", "1")
	r.Forget(t, true)
	st := open(t, nil, nodes(r.Endpoint))
	_, err := st.Read(storetest.Deadline(t, storetest.Patience))
	if !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), "knows no service of this container") {
		t.Fatalf("Read: %v", err)
	}
	r.Forget(t, false)
	storetest.ReadUntil(t, st, "confd/a=1")
	r.Forget(t, true)
	storetest.ReadUntilAway(t, st)
	r.Forget(t, false)
	storetest.ReadUntil(t, st, "confd/a=1")
	r.Delete(t, place)
	storetest.ReadUntil(t, st, "")
}

// Any web server answers 404. Only Rancher's own means that nothing is there.
func TestServerThatIsNotRancher(t *testing.T) {
	t.Parallel()
	e := testserver.StartEtcd(t)
	_, err := open(t, nil, nodes(e.Endpoint)).Read(storetest.Deadline(t, storetest.Patience))
	if !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), "not as Rancher's metadata does") {
		t.Errorf("Read: %v", err)
	}
}

// The version moves with everything in the environment, our revision only with
// what is ours. A quiet service costs no list.
func TestChangesOfOthers(t *testing.T) {
	t.Parallel()
	r := testserver.StartRancher(t, nil)
	r.Set(t, place+"/confd/a", "1")
	st := open(t, nil, nodes(r.Endpoint))
	before := storetest.ReadUntil(t, st, "confd/a=1")
	lists := r.Asked("/latest" + place)
	for i := range 20 {
		r.Set(t, "/hosts/busy", i)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := st.Wait(ctx, before.Revision); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Wait: %v", err)
	}
	if after := storetest.ReadUntil(t, st, "confd/a=1"); after.Revision != before.Revision {
		t.Errorf("the revision moved from %s to %s", before.Revision, after.Revision)
	}
	if n := r.Asked("/latest"+place) - lists; n == 0 || n > 21 {
		t.Errorf("%d lists for 20 changes of others", n)
	}
}

func TestQuietServiceIsNotListed(t *testing.T) {
	t.Parallel()
	r := testserver.StartRancher(t, nil)
	r.Set(t, place+"/confd/a", "1")
	st := open(t, nil, nodes(r.Endpoint))
	storetest.ReadUntil(t, st, "confd/a=1")
	lists := r.Asked("/latest" + place)
	<-storetest.Deadline(t, 1200*time.Millisecond).Done() // after a second, a read asks whether the copy still holds
	storetest.ReadUntil(t, st, "confd/a=1")
	if n := r.Asked("/latest" + place); n != lists {
		t.Errorf("%d lists, then %d", lists, n)
	}
}

// A frozen service keeps its connections open, and must not pass for a quiet one.
func TestFrozenServerIsNoticedByItself(t *testing.T) {
	t.Parallel()
	r := testserver.StartRancher(t, nil)
	r.Set(t, place+"/confd/a", "1")
	st, err := rancher.OpenHolding(store.Options{Root: "/datakit", Values: nodes(r.Endpoint)}, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = st.Close() }()
	since := storetest.ReadUntil(t, st, "confd/a=1").Revision
	r.Pause(t)
	if err := st.Wait(storetest.Deadline(t, storetest.Patience), since); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("Wait: %v, which is not store.ErrUnavailable", err)
	}
	storetest.ReadUntilAway(t, st)
	r.Resume(t)
	storetest.ReadUntil(t, st, "confd/a=1")
	r.Set(t, place+"/confd/a", "2")
	storetest.ReadUntil(t, st, "confd/a=2")
}

// Held requests come back without a change, and the next one goes on.
func TestQuietForLongerThanARequestIsHeld(t *testing.T) {
	t.Parallel() // the service looks at its clock every 5 s
	r := testserver.StartRancher(t, nil)
	r.Set(t, place+"/confd/a", "1")
	st, err := rancher.OpenHolding(store.Options{Root: "/datakit", Values: nodes(r.Endpoint)}, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = st.Close() }()
	since := storetest.ReadUntil(t, st, "confd/a=1").Revision
	asked := r.Asked("/latest/version")
	storetest.Until(t, "the next request", func() error {
		if r.Asked("/latest/version") < asked+2 {
			return errors.New("the first one is still held")
		}
		return nil
	})
	r.Set(t, place+"/confd/a", "2")
	storetest.Wait(t, st, since)
	storetest.ReadUntil(t, st, "confd/a=2")
	if n := r.Asked("/latest" + place); n != 2 {
		t.Errorf("%d lists for one change", n)
	}
}

func TestNextNodeIsUsed(t *testing.T) {
	t.Parallel()
	one, other := testserver.StartRancher(t, nil), testserver.StartRancher(t, nil)
	for _, r := range []*testserver.Rancher{one, other} {
		r.Set(t, place+"/confd/a", "1")
	}
	st := open(t, nil, nodes("127.0.0.1:1", one.Endpoint, other.Endpoint))
	since := storetest.ReadUntil(t, st, "confd/a=1").Revision
	one.Stop(t)
	other.Set(t, place+"/confd/a", "2")
	storetest.Until(t, "Wait", func() error { return st.Wait(storetest.Deadline(t, storetest.Patience), since) })
	storetest.ReadUntil(t, st, "confd/a=2")
}

func TestTLS(t *testing.T) {
	t.Parallel()
	ca, stranger := testserver.NewCA(t), testserver.NewCA(t)
	r := testserver.StartRancher(t, ca)
	r.Set(t, place+"/confd/a", "1")
	ours, host := ca.Issue(t, "agent"), strings.TrimPrefix(r.Endpoint, "https://")
	for name, c := range map[string]struct {
		options spec.Values
		works   bool
	}{
		"both sides known":             {spec.Values{"client_ca_keys": ca.File, "client_cert": ours.Cert, "client_key": ours.Key}, true},
		"without checking the server":  {spec.Values{"client_insecure": true, "client_cert": ours.Cert, "client_key": ours.Key}, true},
		"without a certificate":        {spec.Values{"client_ca_keys": ca.File}, false},
		"a server signed by who knows": {spec.Values{"client_ca_keys": stranger.File, "client_cert": ours.Cert, "client_key": ours.Key}, false},
		"plain HTTP":                   {spec.Values{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			c.options["nodes"] = []string{host}
			st := open(t, nil, c.options)
			if c.works {
				storetest.ReadUntil(t, st, "confd/a=1")
				return
			}
			if snap, err := st.Read(storetest.Deadline(t, storetest.Patience)); !errors.Is(err, store.ErrUnavailable) {
				t.Fatalf("Read: %v, %v", snap, err)
			}
		})
	}
}

func TestTenThousandKeys(t *testing.T) {
	t.Parallel()
	r := testserver.StartRancher(t, nil)
	tree := map[string]string{}
	for i := range 10_000 {
		tree[fmt.Sprintf("n%05d", i)] = strconv.Itoa(i)
	}
	r.Set(t, place+"/confd", tree)
	snap, err := open(t, nil, nodes(r.Endpoint)).Read(t.Context())
	if err != nil || len(snap.Entries) != len(tree) {
		t.Fatalf("%d keys, %v", len(snap.Entries), err)
	}
	for i, entry := range snap.Entries {
		if entry.Key != fmt.Sprintf("confd/n%05d", i) || entry.Value != strconv.Itoa(i) {
			t.Fatalf("number %d is %q = %q", i, entry.Key, entry.Value)
		}
	}
}

// A tree that no agent should hold is an error, and no part of it.
func TestTooManyKeys(t *testing.T) {
	t.Parallel()
	r := testserver.StartRancher(t, nil)
	r.Set(t, place+"/confd", make([]int, store.MaxEntries+1))
	_, err := open(t, nil, nodes(r.Endpoint)).Read(storetest.Deadline(t, storetest.Patience))
	if err == nil || !strings.Contains(err.Error(), "over 100000 keys") {
		t.Errorf("Read: %v", err)
	}
}

func TestNobodyWrites(t *testing.T) {
	if _, ok := open(t, nil, nil).(store.Writer); ok || rancher.Backend().Traits.Writes {
		t.Error("metadata cannot be written, and its store says it can")
	}
}
