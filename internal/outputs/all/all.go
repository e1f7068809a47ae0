// Package all lists every output that the agent is built with.
package all

import (
	"datakit.dev/internal/output"
	"datakit.dev/internal/outputs/dataway"
	"datakit.dev/internal/outputs/file"
)

// All returns every output, in the order of their names.
func All() []output.Plugin {
	return []output.Plugin{
		dataway.Plugin(),
		file.Plugin(),
	}
}
