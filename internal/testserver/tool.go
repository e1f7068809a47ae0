package testserver

import (
	"os"
	"path/filepath"
	"testing"
)

// isQuick reports whether scripts/test-deps installs name in a moment. The
// others have to be built, which only `make test-all` does.
func isQuick(name string) bool { return name == "dynalite" || name == "moto" }

// tool returns the program name/bin/name below the folder of the servers that
// no package manager of the system has. It skips the test where it is not
// there, and fails it where it has to be.
func tool(tb testing.TB, name string) string {
	tb.Helper()
	path := filepath.Join(toolDir(tb), name, "bin", name)
	if _, err := os.Stat(path); err == nil {
		return path
	}
	if os.Getenv("DATAKIT_TEST_ALL") != "" || os.Getenv("CI") != "" && isQuick(name) {
		tb.Fatalf("%s is missing: run scripts/servers/%s", name, name)
	}
	tb.Skipf("%s is missing, get it with: scripts/servers/%s", name, name)
	return ""
}

// toolDir is where scripts/servers installs to.
func toolDir(tb testing.TB) string {
	tb.Helper()
	if dir := os.Getenv("DATAKIT_SERVERS"); dir != "" {
		return dir
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		tb.Fatal(err)
	}
	return filepath.Join(cache, "datakit-servers")
}
