package testserver

import (
	"context"
	"encoding/json"
	"os/exec"
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
