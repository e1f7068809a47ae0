package install

import (
	_ "embed"
	"path/filepath"
	"strings"

	"datakit.dev/internal/workdir"
)

//go:embed datakit.service
var unitTemplate string

// writable are the folders of a work directory that the agent itself writes.
func writable(dir workdir.Dir) []string {
	return []string{
		filepath.Join(string(dir), "data"), filepath.Join(string(dir), "cache"),
		filepath.Join(string(dir), "log"), dir.ScriptBackup(),
	}
}

// Unit returns the systemd unit of an agent that lives in dir.
func Unit(dir workdir.Dir) string {
	paths := writable(dir)
	for i := range paths {
		paths[i] = unitPath("-" + paths[i])
	}
	return strings.NewReplacer(
		"%PROGRAM%", unitPath(program(dir, "linux")), "%DIR%", unitWord(string(dir)), "%WRITABLE%", strings.Join(paths, " "),
	).Replace(unitTemplate)
}

// unitWord writes s as one argument in a unit; in the path of a program systemd
// looks for no variable.
func unitWord(s string) string { return strings.ReplaceAll(unitPath(s), "$", "$$") }

// unitPath writes s as one word of a setting in a unit.
func unitPath(s string) string {
	s = strings.ReplaceAll(s, "%", "%%")
	if !strings.ContainsAny(s, " \t\"'\\;") {
		return s
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}
