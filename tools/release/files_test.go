package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// sourceWith is a source that holds only what stands beside a binary.
func sourceWith(t *testing.T, template string) *release {
	t.Helper()
	r := &release{src: t.TempDir()}
	path := filepath.Join(r.src, filepath.FromSlash(unitTemplate))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(template), 0o600); err != nil {
		t.Fatal(err)
	}
	return r
}

// The unit of a package starts what the package holds, and lets it write where
// the package made room.
func TestUnitIsFilledIn(t *testing.T) {
	files, err := sourceWith(t, "# of the installer\n[Unit]\nAfter=x\n[Service]\nExecStart=%PROGRAM% run --dir %DIR%\nReadWritePaths=%WRITABLE%\nExecReload=/bin/kill -HUP $MAINPID # %i\n").service()
	if err != nil || len(files) != 1 {
		t.Fatalf("%v, %v", files, err)
	}
	text := string(files[0].body)
	for _, want := range []string{
		"\n[Unit]\nAfter=x\n", "\nExecStart=/usr/local/datakit/datakit run --dir /usr/local/datakit\n",
		"\nReadWritePaths=-/usr/local/datakit/cache -/usr/local/datakit/data -/usr/local/datakit/log -/usr/local/datakit/pipeline_confd\n", "# %i",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if strings.Contains(text, "installer") {
		t.Error("it speaks of the installer")
	}
	for _, bad := range []string{"[Unit]\nUser=%USER%\n", "no unit"} {
		if _, err := sourceWith(t, bad).service(); err == nil || !strings.Contains(err.Error(), "filled in") {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if files, err := (&release{src: t.TempDir()}).service(); err != nil || files != nil {
		t.Errorf("a source without a unit: %v, %v", files, err)
	}
}

// systemd itself finds nothing wrong with the unit that is shipped.
func TestShippedUnit(t *testing.T) {
	path := filepath.Join(unpacked(t, built(t)), filepath.FromSlash(unit))
	if _, err := os.Stat(path); os.IsNotExist(err) {
		t.Skip("this source brings no unit")
	}
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Skip("no systemd-analyze here")
	}
	out, err := exec.CommandContext(t.Context(), "systemd-analyze", "verify", "--recursive-errors=no", path).CombinedOutput()
	for line := range strings.Lines(string(out)) {
		// The program is not installed on this machine.
		if !strings.Contains(line, "is not executable") && strings.Contains(line, "datakit.service") {
			t.Errorf("systemd says: %s (%v)", line, err)
		}
	}
}

// Windows has no manual pages and no systemd.
func TestOnlyWhatHasAUse(t *testing.T) {
	all := []file{{name: "LICENSE"}, {name: "man/man1/datakit.1"}, {name: unit}, {name: "completions/datakit.ps1"}}
	for system, want := range map[string][]string{
		"linux":   {"LICENSE", "man/man1/datakit.1", unit, "completions/datakit.ps1"},
		"darwin":  {"LICENSE", "man/man1/datakit.1", "completions/datakit.ps1"},
		"windows": {"LICENSE", "completions/datakit.ps1"},
	} {
		var got []string
		for _, f := range forSystem(all, system) {
			got = append(got, f.name)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s gets %v", system, got)
		}
	}
}
