package all

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"datakit.dev/internal/flow"
	"datakit.dev/internal/output"
	"datakit.dev/internal/point"
	"datakit.dev/internal/point/lineproto"
	"datakit.dev/internal/spec"
)

// opened opens the output called name with a few values changed.
func opened(t *testing.T, name string, set spec.Values) output.Output {
	t.Helper()
	i := slices.IndexFunc(All(), func(p output.Plugin) bool { return p.Name == name })
	p := All()[i]
	v := spec.Defaults(p.Spec.Fields)
	maps.Copy(v, set)
	out, err := p.Open(output.Env{Log: slog.New(slog.DiscardHandler)}, v)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// A remote is a real server that can go down and come back on its port.
type remote struct {
	addr string
	mu   sync.Mutex
	got  []string
	fail int // so many requests are answered 503 first
	srv  *http.Server
}

func (d *remote) up(t *testing.T) {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", d.addr)
	if err != nil {
		t.Fatal(err)
	}
	d.addr = l.Addr().String()
	d.srv = &http.Server{Handler: d, ReadHeaderTimeout: time.Second}
	go func(srv *http.Server) {
		if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	}(d.srv)
}

func (d *remote) down(t *testing.T) {
	t.Helper()
	if err := d.srv.Close(); err != nil {
		t.Error(err)
	}
}

// ServeHTTP implements [http.Handler].
func (d *remote) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fail > 0 {
		d.fail--
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	zip, err := gzip.NewReader(r.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	text, err := io.ReadAll(zip)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	pts, _ := lineproto.Decode(string(text), lineproto.Options{})
	for _, p := range pts {
		d.got = append(d.got, p.Name)
	}
}

func (d *remote) names() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.got)
}

// until polls what another process would look at, the statistics.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	limit, tick := time.NewTimer(20*time.Second), time.NewTicker(5*time.Millisecond)
	defer limit.Stop()
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-limit.C:
			t.Fatalf("still waiting for: %s", what)
		}
	}
}

// The server goes down and comes back: every point arrives, at least once and
// in order, and the file has them all meanwhile.
func TestAnOutageLosesNothing(t *testing.T) {
	const token = "tkn_0123456789abcdef"
	var server remote
	server.addr = "127.0.0.1:0"
	server.up(t)
	path := filepath.Join(t.TempDir(), "points.lp")
	posts := opened(t, "dataway", spec.Values{"urls": []string{"http://" + server.addr + "?token=" + token}})

	f := flow.New(flow.Options{Tags: map[string]string{"host": "h"}})
	if err := f.SetOutputs(
		flow.Output{Name: "dataway", Output: posts, Linger: time.Millisecond},
		flow.Output{Name: "file", Output: opened(t, "file", spec.Values{"output_file": path})},
	); err != nil {
		t.Fatal(err)
	}
	sink := f.Sink(nil)
	var want []string
	write := func(n int) {
		for range n {
			name := strconv.Itoa(len(want))
			want = append(want, name)
			p := point.Point{Name: name, Fields: []point.Field{{Key: "f", Value: point.IntOf(1)}}}
			if err := sink.Write(t.Context(), point.Logging, []point.Point{p}); err != nil {
				t.Fatal(err)
			}
		}
	}
	stats := func() flow.OutputStats { return f.Stats().Outputs[0] }

	write(50)
	// Not before the answers are here: what was not answered comes again.
	until(t, "the first points at the server", func() bool { return stats().Written == 50 })
	server.down(t)
	write(100)
	until(t, "a write that fails", func() bool { return stats().Failing })
	write(100)
	if st := stats(); st.QueuedPoints != 200 || strings.Contains(st.LastError, token) {
		t.Errorf("while the server is down: %+v", st)
	}
	until(t, "the file", func() bool { return f.Stats().Outputs[1].Written == 250 })
	server.mu.Lock()
	server.fail = 1
	server.mu.Unlock()
	server.up(t)
	write(50)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := f.Close(ctx); err != nil {
		t.Fatal(err)
	}
	server.down(t)

	if got := server.names(); !slices.Equal(got, want) {
		t.Errorf("the server got %d points, want %d in order", len(got), len(want))
	}
	if st := stats(); st.Written != 300 || st.Retries < 2 || st.Dropped+st.Rejected != 0 {
		t.Errorf("in the end: %+v", st)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	pts, l := lineproto.Decode(string(text), lineproto.Options{})
	if len(pts) != 300 || len(l) > 0 {
		t.Fatalf("the file has %d points, %v", len(pts), l)
	}
	for i, p := range pts {
		if host, _ := p.Tag("host"); p.Name != want[i] || host != "h" || p.Time == 0 {
			t.Fatalf("point %d of the file is %s", i, fmt.Sprint(p))
		}
	}
}
