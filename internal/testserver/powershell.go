package testserver

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A PowerShell is what a grammar sees of a script. It stands in for PowerShell
// itself, which no package source has that every machine reaches.
type PowerShell struct {
	Errors    []string `json:"errors"` // what it cannot read: line and text
	Commands  []PowerShellCommand
	Functions []string
	Unset     []string // variables that nothing sets
}

// A PowerShellCommand is one call in a script.
type PowerShellCommand struct {
	Name       string
	Parameters []string // -Name
}

// ReadPowerShell reads a script.
func ReadPowerShell(tb testing.TB, script string) (p PowerShell) {
	tb.Helper()
	cmd := exec.CommandContext(context.Background(), tool(tb, "powershell-grammar"))
	cmd.Stdin = strings.NewReader(script)
	out, err := cmd.Output()
	if err == nil {
		err = json.Unmarshal(out, &p)
	}
	if err != nil {
		tb.Fatalf("powershell-grammar: %v\n%s", err, out)
	}
	return p
}

// RunPowerShell runs a script with an environment of its own. What runs it knows the
// part of PowerShell that our installation needs, and refuses the rest: see
// tools/powershell-grammar/run.py.
func RunPowerShell(tb testing.TB, file string, env ...string) (out string, err error) {
	tb.Helper()
	program := filepath.Join(filepath.Dir(tool(tb, "powershell-grammar")), "powershell-run")
	cmd := exec.CommandContext(context.Background(), program, file)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "TMPDIR=" + tb.TempDir()}, env...)
	text, err := cmd.CombinedOutput()
	return string(text), err
}
