package reconcile_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"datakit.dev/internal/backup"
	"datakit.dev/internal/reconcile"
	"datakit.dev/internal/store/memory"
)

func newStore() *memory.Store { return memory.New() }

func (w *world) setLocal(l reconcile.Local) {
	if w.local = l; w.loop != nil {
		w.loop.SetLocal(l)
	}
}

// backupHas TEXT… looks for texts in data/remote.conf, which must be whole.
func backupHas(ts *testscript.TestScript, neg bool, want []string) {
	w := of(ts)
	if _, err := backup.Read(w.path, w.scriptDir()); err != nil {
		ts.Fatalf("%v", err)
	}
	got, err := os.ReadFile(w.path)
	if err != nil && !neg {
		ts.Fatalf("%v", err)
	}
	for _, text := range want {
		if strings.Contains(string(got), text) == neg {
			ts.Fatalf("%q: want %t in\n%s", text, !neg, got)
		}
	}
}

// damage truncate|garble|block|unblock does to the backup what a disk may do.
func damage(ts *testscript.TestScript, _ bool, a []string) {
	path := of(ts).path
	switch a[0] {
	case "truncate":
		b, err := os.ReadFile(path)
		ts.Check(err)
		ts.Check(os.WriteFile(path, b[:len(b)-8], 0o600))
	case "garble":
		b, err := os.ReadFile(path)
		ts.Check(err)
		ts.Check(os.WriteFile(path, bytes.Replace(b, []byte("url"), []byte("lru"), 1), 0o600))
	case "block": // root may write where permissions say no: only a folder stops it
		ts.Check(os.MkdirAll(filepath.Join(filepath.Dir(path), ".remote.conf.tmp", "x"), 0o750))
	case "unblock":
		ts.Check(os.RemoveAll(filepath.Join(filepath.Dir(path), ".remote.conf.tmp")))
	default:
		ts.Fatalf("no damage %q", a[0])
	}
}

// logHas TEXT… looks for texts in the agent's log.
func logHas(ts *testscript.TestScript, neg bool, want []string) {
	for _, text := range want {
		if strings.Contains(of(ts).log.String(), text) == neg {
			ts.Fatalf("%q: want %t in\n%s", text, !neg, of(ts).log)
		}
	}
}
