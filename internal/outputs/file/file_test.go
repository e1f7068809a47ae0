package file

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"datakit.dev/internal/output"
	"datakit.dev/internal/point"
	"datakit.dev/internal/spec"
)

func batch(names ...string) output.Batch {
	b := output.Batch{Category: point.Metric}
	for _, n := range names {
		b.Points = append(b.Points, point.Point{Name: n, Time: 1, Fields: []point.Field{{Key: "f", Value: point.IntOf(1)}}})
	}
	return b
}

func destinationAt(t *testing.T, path string, maxSize int64, backups int) *destination {
	t.Helper()
	d := &destination{path: path, maxSize: maxSize, backups: backups, log: slog.New(slog.DiscardHandler)}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

func write(t *testing.T, o output.Output, names ...string) {
	t.Helper()
	if err := o.Write(t.Context(), batch(names...)); err != nil {
		t.Fatal(err)
	}
}

func content(t *testing.T, path string) string {
	t.Helper()
	have, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(have)
}

func TestThePluginWritesWhereItsConfigurationSays(t *testing.T) {
	p := Plugin()
	if err := p.Spec.Check(); err != nil {
		t.Error(err)
	}
	path := filepath.Join(t.TempDir(), "new", "folder", "points.lp")
	v := spec.Defaults(p.Spec.Fields)
	if _, err := p.Open(output.Env{}, v); !errors.Is(err, errNoPath) {
		t.Errorf("no path: %v", err)
	}
	v["output_file"] = path
	out, err := p.Open(output.Env{Log: slog.New(slog.DiscardHandler)}, v)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Error("opening touches the file: an agent that only checks its configuration must not")
	}
	write(t, out, "a", "b")
	write(t, out) // no point, no line
	write(t, out, "c")
	if got := content(t, path); got != "a f=1i 1\nb f=1i 1\nc f=1i 1\n" {
		t.Errorf("got %q", got)
	}
	if info, _ := os.Stat(path); runtime.GOOS != "windows" && info.Mode().Perm() != fileMode {
		t.Errorf("mode %v", info.Mode())
	}
	if err := out.Close(); err != nil {
		t.Error(err)
	}
	v["output_file"] = "-"
	if out, err := p.Open(output.Env{}, v); err != nil || out.(*stream).to != os.Stdout {
		t.Errorf("standard output: %v, %v", out, err)
	}
}

func TestTheFileIsRotatedAndOldOnesGo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "p")
	d := destinationAt(t, path, 20, 2) // two lines of nine bytes a file
	for n := range strings.SplitSeq("abcdefghi", "") {
		write(t, d, n)
	}
	for suffix, want := range map[string]string{"": "i", ".1": "gh", ".2": "ef"} {
		if got := strings.ReplaceAll(content(t, path+suffix), " f=1i 1\n", ""); got != want {
			t.Errorf("%q holds %q, want %q", suffix, got, want)
		}
	}
	if _, err := os.Stat(path + ".3"); !errors.Is(err, fs.ErrNotExist) {
		t.Error("a third old file")
	}
	none := destinationAt(t, filepath.Join(t.TempDir(), "p"), 10, 0)
	write(t, none, "a")
	write(t, none, "b")
	if got := content(t, none.path); got != "b f=1i 1\n" {
		t.Errorf("with no backups: %q", got)
	}
}

// A rotation that fails is retried with the points, and costs none of them.
func TestARotationThatFailsLosesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "p")
	d := destinationAt(t, path, 10, 1)
	write(t, d, "a")
	if err := os.MkdirAll(filepath.Join(path+".1", "in the way"), 0o700); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := d.Write(t.Context(), batch("b")); err == nil || !strings.Contains(err.Error(), "rotate the output file") {
			t.Errorf("got %v", err)
		}
	}
	if err := os.RemoveAll(path + ".1"); err != nil {
		t.Fatal(err)
	}
	write(t, d, "b")
	if got := content(t, path+".1") + content(t, path); got != "a f=1i 1\nb f=1i 1\n" {
		t.Errorf("got %q", got)
	}
}

func TestABatchIsNotSplitOverFiles(t *testing.T) {
	d := destinationAt(t, filepath.Join(t.TempDir(), "p"), 10, 1)
	write(t, d, "a", "b", "c")
	if got := strings.Count(content(t, d.path), "\n"); got != 3 {
		t.Errorf("%d lines", got)
	}
}

func TestARemovedOrRenamedFileIsMadeAgain(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("an open file can be neither removed nor renamed there")
	}
	dir := t.TempDir()
	d := destinationAt(t, filepath.Join(dir, "sub", "p"), 0, 0)
	write(t, d, "a")
	if err := os.Rename(d.path, filepath.Join(dir, "moved")); err != nil {
		t.Fatal(err)
	}
	write(t, d, "b")
	if err := os.RemoveAll(filepath.Dir(d.path)); err != nil {
		t.Fatal(err)
	}
	write(t, d, "c")
	if err := os.Truncate(d.path, 0); err != nil {
		t.Fatal(err)
	}
	write(t, d, "d")
	if got, moved := content(t, d.path), content(t, filepath.Join(dir, "moved")); got != "d f=1i 1\n" || moved != "a f=1i 1\n" {
		t.Errorf("the file holds %q, the moved one %q", got, moved)
	}
}

func TestAHalfLineOfACrashIsEnded(t *testing.T) {
	d := destinationAt(t, filepath.Join(t.TempDir(), "p"), 0, 0)
	if err := os.WriteFile(d.path, []byte("a f=1i 1\nhalf f="), 0o600); err != nil {
		t.Fatal(err)
	}
	write(t, d, "b")
	write(t, d, "c")
	if got := content(t, d.path); got != "a f=1i 1\nhalf f=\nb f=1i 1\nc f=1i 1\n" {
		t.Errorf("got %q", got)
	}
}

func TestWhatCannotBeWrittenIsAnErrorToRetry(t *testing.T) {
	dir := t.TempDir()
	inTheWay := filepath.Join(dir, "file")
	if err := os.WriteFile(inTheWay, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{dir, filepath.Join(inTheWay, "p")} {
		err := destinationAt(t, path, 0, 0).Write(t.Context(), batch("a"))
		if err == nil || errors.Is(err, output.ErrRejected) || !strings.Contains(err.Error(), "output file") {
			t.Errorf("%s: %v", path, err)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	d := destinationAt(t, filepath.Join(dir, "p"), 0, 0)
	for _, o := range []output.Output{d, &stream{to: &bytes.Buffer{}}} {
		if err := o.Write(ended, batch("a")); !errors.Is(err, context.Canceled) {
			t.Errorf("an ended context: %v", err)
		}
	}
}

// shortWriter takes a few bytes of each write, then fails: a full disk behind
// standard output.
type shortWriter struct {
	bytes.Buffer
	take int
}

func (w *shortWriter) Write(p []byte) (int, error) {
	if w.take < len(p) {
		n, _ := w.Buffer.Write(p[:w.take])
		return n, errors.New("no space left on device")
	}
	return w.Buffer.Write(p)
}

func TestAStreamEndsTheLineThatWasCutShort(t *testing.T) {
	w := &shortWriter{take: 4}
	s := &stream{to: w}
	if err := s.Write(t.Context(), batch("a")); err == nil {
		t.Fatal("no error")
	}
	w.take = 1 << 20
	write(t, s, "a")
	write(t, s, "b")
	if got := w.String(); got != "a f=\na f=1i 1\nb f=1i 1\n" {
		t.Errorf("got %q", got)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
