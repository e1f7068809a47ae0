package cli_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"datakit.dev/internal/access"
	"datakit.dev/internal/api"
	"datakit.dev/internal/cli"
	"datakit.dev/internal/status"
	"datakit.dev/internal/status/changes"
)

// telling is the part of an agent that tells of itself.
type telling struct{ api.Agent }

func (telling) Info() api.Info        { return api.Info{Host: "web-1"} }
func (telling) Status() status.Status { return status.Status{Version: "1.2.3", Hostname: "web-1"} }

// remembering serves the API of an agent with the journal that *j is at the time,
// to who is let in by the gate.
func remembering(t *testing.T, j *atomic.Pointer[changes.Journal], gate *access.Gate) (addr string) {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		api.New(api.Options{Log: slog.New(slog.DiscardHandler), Agent: telling{}, Changes: j.Load(), Gate: gate}).ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	t.Cleanup(s.CloseClientConnections) // the streams first
	return strings.TrimPrefix(s.URL, "http://")
}

// monitored runs `datakit monitor --once` with look instead of its screen.
func monitored(t *testing.T, addr string, look func(ctx context.Context, o cli.MonitorOptions) error) {
	t.Helper()
	d := deps(strings.NewReader(""), io.Discard, io.Discard)
	called := false
	d.Monitor = func(ctx context.Context, o cli.MonitorOptions) error {
		called = true
		return look(ctx, o)
	}
	if code := cli.Execute(t.Context(), d, []string{"monitor", "--once", "--addr", addr, "--interval", "100ms"}); code != 0 || !called {
		t.Errorf("code %d, called %v", code, called)
	}
}

func put(key string) changes.Entry {
	return changes.Entry{Kind: changes.Key, Change: &changes.Change{
		Store: "etcdv3", Key: key, State: status.Applied, Steps: []changes.Step{{Verb: "start", Unit: "input/" + key, Nanoseconds: 5}},
	}}
}

// looked returns the keys of a look's changes.
func looked(t *testing.T, l cli.Look, err error) string {
	t.Helper()
	if err != nil || l.Untold != "" || l.Status.Version != "1.2.3" {
		t.Fatalf("%+v %v", l, err)
	}
	var keys []string
	for _, e := range l.Changes {
		if e.Time.IsZero() || e.ID == 0 || e.Kind != changes.Key || len(e.Change.Steps) != 1 {
			t.Errorf("%+v", e)
		}
		keys = append(keys, e.Change.Key)
	}
	return strings.Join(keys, " ")
}

// The monitor has what the agent remembers, and then what comes; after a restart
// of the agent, what that one remembers.
func TestTheMonitorFollowsTheAgentsChanges(t *testing.T) {
	var at atomic.Pointer[changes.Journal]
	at.Store(changes.New(time.Now()))
	at.Load().Add(time.Now(), put("a"), put("b"))
	monitored(t, remembering(t, &at, nil), func(ctx context.Context, o cli.MonitorOptions) error {
		l, err := o.Poll(ctx)
		if got := looked(t, l, err); got != "a b" {
			t.Errorf("at first: %s", got)
		}
		first := l.Changes
		at.Load().Add(time.Now(), put("c"))
		l, err = o.Poll(ctx)
		if got := looked(t, l, err); got != "a b c" {
			t.Errorf("then: %s", got)
		}
		for i := range 600 {
			at.Load().Add(time.Now(), put(fmt.Sprint("k", i)))
		}
		for range 2 { // as many as one answer has, and the rest
			l, err = o.Poll(ctx)
		}
		if got := looked(t, l, err); len(l.Changes) != 500 || !strings.HasSuffix(got, " k598 k599") {
			t.Errorf("%d changes, …%s", len(l.Changes), got[len(got)-20:])
		}
		at.Store(changes.New(time.Now().Add(time.Minute)))
		at.Load().Add(time.Now(), put("fresh"))
		l, err = o.Poll(ctx)
		if got := looked(t, l, err); got != "fresh" {
			t.Errorf("after a restart: %s", got)
		}
		if len(first) != 2 || first[0].Change.Key != "a" {
			t.Errorf("an earlier look has changed: %+v", first)
		}
		return nil
	})
}

// Who is not let in sees the status, and why there is no more.
func TestTheMonitorSaysWhyTheAgentDoesNotTell(t *testing.T) {
	f := access.File(t.TempDir() + "/token")
	if _, err := f.Create(time.Now()); err != nil {
		t.Fatal(err)
	}
	var at atomic.Pointer[changes.Journal]
	at.Store(changes.New(time.Now()))
	monitored(t, remembering(t, &at, access.NewGate(f)), func(ctx context.Context, o cli.MonitorOptions) error {
		l, err := o.Poll(ctx)
		if err != nil || l.Changes != nil || !strings.Contains(l.Untold, "log in with the token of `datakit console token`") || l.Status.Hostname != "web-1" {
			t.Errorf("%+v %v", l, err)
		}
		if err := o.Await(ctx); err == nil || !strings.Contains(err.Error(), "401") {
			t.Errorf("events: %v", err)
		}
		return nil
	})
	old := answering(t, time.Now())
	monitored(t, old, func(ctx context.Context, o cli.MonitorOptions) error {
		l, err := o.Poll(ctx)
		if err != nil || l.Changes != nil || !strings.Contains(l.Untold, "an older one: 404") {
			t.Errorf("%+v %v", l, err)
		}
		return nil
	})
}

func TestTheMonitorHearsWhatHappens(t *testing.T) {
	var at atomic.Pointer[changes.Journal]
	at.Store(changes.New(time.Now()))
	monitored(t, remembering(t, &at, nil), func(ctx context.Context, o cli.MonitorOptions) error {
		ctx, end := context.WithCancel(ctx)
		defer end()
		heard := make(chan error)
		next := func() {
			go func() { heard <- o.Await(ctx) }()
		}
		// Nothing tells when it listens: something happens until it does.
		until := func(happens func(i int)) error {
			for i := 0; ; i++ {
				happens(i)
				select {
				case err := <-heard:
					return err
				case <-time.After(10 * time.Millisecond):
				}
			}
		}
		next()
		if err := until(func(int) { at.Load().Add(time.Now(), put("a")) }); err != nil {
			t.Error(err)
		}
		next()
		if err := until(func(int) {
			at.Load().Add(time.Now(), changes.Entry{Kind: changes.Unit, Unit: &changes.UnitState{ID: "input/cpu", Error: strings.Repeat("x", 2000)}})
		}); err != nil {
			t.Error(err)
		}
		next()
		end()
		for err := range heard { // one may be on its way
			if err != nil {
				break
			}
			next()
		}
		return nil
	})
}

// What a stranger sends as events neither keeps the monitor busy nor stops it.
func TestAStreamThatIsNone(t *testing.T) {
	for body, want := range map[string]string{
		"":                                    "EOF",
		"event: hello\ndata: {}\n\n":          "EOF",
		"event: hello\n\nevent: end\n\n":      "the stream of events is over",
		strings.Repeat("x", 1<<20):            "EOF",
		"event: change\ndata: {}\n\n":         "",
		strings.Repeat("event: hello\n", 999): "EOF",
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/v1/events" {
				_, _ = io.WriteString(w, body)
				return
			}
			_ = json.NewEncoder(w).Encode(status.Status{})
		}))
		monitored(t, strings.TrimPrefix(s.URL, "http://"), func(ctx context.Context, o cli.MonitorOptions) error {
			switch err := o.Await(ctx); {
			case err == nil && want != "", err != nil && (want == "" || !strings.Contains(err.Error(), want)):
				t.Errorf("%.40q: %v, want %q", body, err, want)
			}
			return nil
		})
		s.Close()
	}
}
