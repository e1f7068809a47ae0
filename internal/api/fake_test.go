package api_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"datakit.dev/internal/api"
	"datakit.dev/internal/point"
	"datakit.dev/internal/reconcile"
	"datakit.dev/internal/status"
	"datakit.dev/internal/store"
)

// fake is an agent that remembers what it was asked. The real one is driven
// through this API by the scripts of internal/cli.
type fake struct {
	mu      sync.Mutex
	status  status.Status
	written []point.Point
	into    point.Category
	tried   []store.Entry
	removed []string
	source  string
	reload  error
	block   bool
	panics  bool
}

func (f *fake) Info() api.Info {
	return api.Info{Version: "1.2.3", Host: "h", Started: time.Now().Add(-90 * time.Second)}
}

func (f *fake) Status() status.Status {
	if f.panics {
		panic("secret=hunter2")
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.status
}
func (f *fake) Reload(context.Context) error { return f.reload }
func (f *fake) Accept() int                  { return 2 }

func (f *fake) Try(source string, entries []store.Entry, removed ...string) reconcile.Trial {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.source, f.tried, f.removed = source, entries, removed
	return reconcile.Trial{Steps: []reconcile.TrialStep{{Verb: "start", Unit: "input/cpu"}}, Keys: []status.Key{}}
}

func (f *fake) Write(ctx context.Context, c point.Category, pts []point.Point) error {
	if f.block {
		<-ctx.Done()
		return errors.New("the flow is full, of http://u:hunter2@gateway")
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.into, f.written = c, append(f.written, pts...)
	return nil
}

func (f *fake) got() []point.Point {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.written
}

// serve returns the address of an API on the loopback address.
func serve(t *testing.T, f *fake, change ...func(*api.Options)) string {
	t.Helper()
	o := api.Options{Log: slog.New(slog.DiscardHandler), Agent: f}
	for _, c := range change {
		c(&o)
	}
	s := httptest.NewServer(api.New(o))
	t.Cleanup(s.Close)
	return s.URL
}

// reply is one answer, read.
type reply struct {
	code   int
	body   string
	header http.Header
}

func send(t *testing.T, method, url string, body io.Reader, headers ...string) reply {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i] == "Host" {
			req.Host = headers[i+1]
		}
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{resp.StatusCode, string(text), resp.Header}
}

func get(t *testing.T, url string, headers ...string) reply {
	t.Helper()
	return send(t, http.MethodGet, url, nil, headers...)
}

func post(t *testing.T, url, body string, headers ...string) reply {
	t.Helper()
	return send(t, http.MethodPost, url, strings.NewReader(body), headers...)
}

// expect checks the code, and that the body holds each of parts.
func (r reply) expect(t *testing.T, code int, parts ...string) {
	t.Helper()
	if r.code != code {
		t.Errorf("code %d, expected %d: %s", r.code, code, r.body)
	}
	for _, p := range parts {
		if !strings.Contains(r.body, p) {
			t.Errorf("the answer lacks %q: %s", p, r.body)
		}
	}
}
