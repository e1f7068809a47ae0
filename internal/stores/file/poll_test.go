package file

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"

	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
)

// Where the system's limit of watches is reached, changes are polled for, the
// log says why, and once there is room again they are watched for.
func TestPollsWhereItCannotWatch(t *testing.T) {
	var logged bytes.Buffer
	dir := t.TempDir()
	f, err := open(store.Options{
		Values: spec.Values{"file": []string{dir}, "circle_interval": int64(1)}, Log: slog.New(slog.NewTextHandler(&logged, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	f.interval = 20 * time.Millisecond
	limit := true
	f.notify.open = func() (*fsnotify.Watcher, error) {
		if limit {
			return nil, fmt.Errorf("inotify: %w", syscall.EMFILE)
		}
		return fsnotify.NewWatcher()
	}
	since := mustRead(t, f).Revision
	if !f.Polling() {
		t.Error("it does not say that it polls")
	}
	for n := range 3 {
		if err := os.WriteFile(filepath.Join(dir, "a.conf"), fmt.Append(nil, n), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := f.Wait(t.Context(), since); err != nil {
			t.Fatalf("Wait: %v", err)
		}
		since = mustRead(t, f).Revision
	}
	if n := strings.Count(logged.String(), "polling"); n != 1 {
		t.Errorf("polling is logged %d times: %s", n, logged.String())
	}
	limit = false
	if mustRead(t, f); f.Polling() {
		t.Error("it still polls though it could watch")
	}
}

func mustRead(t *testing.T, f *files) store.Snapshot {
	t.Helper()
	snap, err := f.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return snap
}

func TestIgnoredNames(t *testing.T) {
	for _, name := range []string{"cpu.conf", "cpu", "a~b", "#a", "a#", "49134", "a.swp.conf", "温度.conf"} {
		if ignored(name) {
			t.Errorf("%q is ignored", name)
		}
	}
}
