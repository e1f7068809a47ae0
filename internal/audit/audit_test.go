package audit_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"datakit.dev/internal/audit"
)

func lines(t *testing.T, path string) (out []audit.Entry) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(text) {
		var e audit.Entry
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		out = append(out, e)
	}
	return out
}

func TestEveryLineIsOneEntry(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log", "audit.log")
	l := audit.New(path)
	defer l.Close()
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			err := l.Record(audit.Entry{
				Who: "local", From: "127.0.0.1:1\n{\"who\":\"forged\"}", Action: "PUT", Key: strings.Repeat("k", 1<<20),
				Outcome: audit.Done, Error: "no answer from http://u:hunter2@h",
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	got := lines(t, path)
	if len(got) != 20 || got[0].Time.IsZero() || got[0].Who != "local" || len(got[0].Key) > 1100 || strings.Contains(got[0].Error, "hunter2") {
		t.Errorf("%d lines, the first is %+.200v", len(got), got[0])
	}
}

func TestTheFileIsForItsOwnerOnly(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("modes are those of unix")
	}
	path := filepath.Join(t.TempDir(), "audit.log")
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	l := audit.New(path)
	defer l.Close()
	for _, step := range []string{"open to all", "as it should be", "gone"} {
		if step == "gone" {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		}
		if err := l.Record(audit.Entry{Action: step, Outcome: audit.Begun}); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", step, info, err)
		}
	}
	if got := lines(t, path); len(got) != 1 || got[0].Action != "gone" {
		t.Errorf("after the file was taken away: %v", got)
	}
}

func TestItIsRotatedBySize(t *testing.T) {
	dir := t.TempDir()
	l := audit.New(filepath.Join(dir, "audit.log"))
	l.SetMaxMegabytes(1)
	defer l.Close()
	long := strings.Repeat("k", 1000)
	for range 300 {
		e := audit.Entry{Who: long, From: long, Store: long, Key: long, Error: long, Outcome: audit.Done}
		if err := l.Record(e); err != nil {
			t.Fatal(err)
		}
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) != 2 {
		t.Errorf("%v, %v", files, err)
	}
	for _, f := range files {
		if info, err := os.Stat(f); err != nil || info.Size() > 1<<20 || info.Mode().Perm() != 0o600 && runtime.GOOS != "windows" {
			t.Errorf("%s: %v %v", f, info, err)
		}
	}
}

func TestAnAuditThatCannotBeWrittenIsAnError(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.log")
	if err := os.Mkdir(path, 0o750); err != nil {
		t.Fatal(err)
	}
	if err := audit.New(path).Record(audit.Entry{Outcome: audit.Begun}); err == nil {
		t.Error("a folder was written to")
	}
}
