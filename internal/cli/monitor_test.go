package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"datakit.dev/internal/cli"
	"datakit.dev/internal/status"
)

// pollTwice stands for the screen of the monitor, which its own package and the
// built program test: it asks twice and prints what came.
func pollTwice(ctx context.Context, out io.Writer, o cli.MonitorOptions) error {
	for range 2 {
		l, err := o.Poll(ctx)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%s on %s at %s, every %v, once %v, color %v\n", l.Status.Version, l.Status.Hostname, l.At.UTC().Format(time.DateOnly), o.Interval, o.Once, o.Color)
	}
	return nil
}

// monitor runs `datakit monitor --once` with the environment and the flags.
func monitor(t *testing.T, env map[string]string, args ...string) (code int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	d := deps(strings.NewReader(""), &o, &e)
	d.Env = env
	code = cli.Execute(t.Context(), d, append([]string{"monitor"}, args...))
	return code, o.String(), e.String()
}

// answering returns the address of an agent whose clock shows at.
func answering(t *testing.T, at time.Time) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v1/status" {
			http.NotFound(w, r) // an agent that is older
			return
		}
		w.Header().Set("Date", at.UTC().Format(http.TimeFormat))
		if err := json.NewEncoder(w).Encode(status.Status{Version: "1.2.3", Hostname: "web-1"}); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

// The ages on the screen are by the agent's clock, which another machine's may
// be far from.
func TestMonitorGoesByTheClockOfTheAgent(t *testing.T) {
	addr := answering(t, time.Date(2031, 5, 4, 12, 0, 0, 0, time.UTC))
	code, out, errs := monitor(t, nil, "--once", "--interval", "5s", "--addr", addr)
	want := strings.Repeat("1.2.3 on web-1 at 2031-05-04, every 5s, once true, color true\n", 2)
	if code != 0 || out != want {
		t.Errorf("code %d: %s%s", code, out, errs)
	}
	if _, out, _ := monitor(t, map[string]string{"NO_COLOR": "1"}, "--once", "--addr", addr); !strings.Contains(out, "color false") {
		t.Errorf("NO_COLOR: %s", out)
	}
}

func TestMonitorRefusesWhatCannotBe(t *testing.T) {
	for _, c := range []struct {
		code int
		says string
		args []string
	}{
		{2, "--interval 1ms: expected 100ms to 1m0s", []string{"--once", "--interval", "1ms"}},
		{2, "--interval 1h0m0s: expected", []string{"--once", "--interval", "1h"}},
		{2, "no terminal that can be drawn on: use --once", nil},
		{2, "wrong number of arguments", []string{"cpu"}},
		{1, "no agent answers on 127.0.0.1:1: ", []string{"--once", "--addr", "127.0.0.1:1"}},
	} {
		code, out, errs := monitor(t, nil, c.args...)
		if code != c.code || out != "" || !strings.Contains(errs, c.says) || strings.Count(errs, "\n") != 1 {
			t.Errorf("%v: code %d, %q %q", c.args, code, out, errs)
		}
	}
}

// The token comes from a file, since a command line can be read by all, and no
// error tells what a wrong file holds.
func TestMonitorShowsTheTokenOfAFile(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Values("Authorization"); len(got) != 1 || got[0] != "Bearer right" {
			t.Errorf("%s came with %q", r.URL.Path, got)
		}
		_, _ = io.WriteString(w, "{}")
	}))
	t.Cleanup(s.Close)
	for text, c := range map[string]struct {
		code int
		says string
	}{
		" right\n":                     {0, ""},
		"":                             {1, "holds no token"},
		"two secrets\n":                {1, "holds no token"},
		"secret\x00":                   {1, "holds no token"},
		strings.Repeat("secret", 1000): {1, "holds no token"},
	} {
		file := filepath.Join(t.TempDir(), "token")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		code, _, errs := monitor(t, nil, "--once", "--addr", strings.TrimPrefix(s.URL, "http://"), "--console-token-file", file)
		if code != c.code || !strings.Contains(errs, c.says) || strings.Contains(errs, "secret") {
			t.Errorf("%.10q: code %d, %q", text, code, errs)
		}
	}
	if code, _, errs := monitor(t, nil, "--once", "--console-token-file", "/nosuch"); code != 1 || !strings.Contains(errs, "/nosuch") {
		t.Errorf("code %d, %q", code, errs)
	}
}
