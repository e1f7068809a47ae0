// Command datakit is a telemetry agent whose configuration lives in the store
// that the operations team already runs.
package main

import (
	"os"

	"datakit.dev/internal/app"
)

func main() { os.Exit(app.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }
