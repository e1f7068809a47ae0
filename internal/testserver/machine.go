package testserver

import (
	"os"
	"path/filepath"
	"testing"
)

// A machine is what a server runs on: its process and the folder of its data,
// with what an operator, or a power cut, does to them. Every server embeds one.
type machine struct {
	DataDir string

	cmd *process
}

// Stop kills the server as a power cut would; what it holds stays.
func (m *machine) Stop(testing.TB) { m.cmd.kill() }

// Pause freezes the server: it keeps its connections and answers nothing.
func (m *machine) Pause(tb testing.TB) {
	tb.Helper()
	m.cmd.pause(tb)
}

// Resume ends Pause.
func (m *machine) Resume(tb testing.TB) {
	tb.Helper()
	m.cmd.resume(tb)
}

// Wipe removes the data of a stopped server.
func (m *machine) Wipe(tb testing.TB) {
	tb.Helper()
	if err := os.RemoveAll(m.DataDir); err != nil {
		tb.Fatal(err)
	}
}

// Save copies the data of a stopped server, as a backup.
func (m *machine) Save(tb testing.TB) (dir string) {
	tb.Helper()
	dir = filepath.Join(tb.TempDir(), "backup")
	if err := os.CopyFS(dir, os.DirFS(m.DataDir)); err != nil {
		tb.Fatal(err)
	}
	return dir
}

// Restore puts a backup in the place of the data of a stopped server.
func (m *machine) Restore(tb testing.TB, dir string) {
	tb.Helper()
	m.Wipe(tb)
	if err := os.CopyFS(m.DataDir, os.DirFS(dir)); err != nil {
		tb.Fatal(err)
	}
	if err := os.Chmod(m.DataDir, 0o700); err != nil { // some servers insist
		tb.Fatal(err)
	}
}
