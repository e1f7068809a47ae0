package testserver

import (
	"context"
	"net"
	"os/exec"
	"testing"
)

// StartDynalite starts dynalite, a DynamoDB that keeps its data in a folder, and
// ends it with the test.
func StartDynalite(tb testing.TB) *AWS {
	tb.Helper()
	program := tool(tb, "dynalite")
	dir, address := tb.TempDir(), freeAddress(tb)
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		tb.Fatal(err)
	}
	return newAWS(tb, "http://"+address, nil, func() *process {
		return start(tb, exec.CommandContext(context.Background(), program, "--host", host, "--port", port, "--path", dir,
			"--createTableMs", "1", "--deleteTableMs", "1", "--updateTableMs", "1"))
	})
}
