// Package all is the list of inputs: one line a plugin.
package all

import (
	"datakit.dev/internal/input"
	"datakit.dev/internal/inputs/cpu"
	"datakit.dev/internal/inputs/disk"
	"datakit.dev/internal/inputs/diskio"
	"datakit.dev/internal/inputs/logging"
	"datakit.dev/internal/inputs/mem"
	"datakit.dev/internal/inputs/net"
	"datakit.dev/internal/inputs/netstat"
	"datakit.dev/internal/inputs/null"
	"datakit.dev/internal/inputs/nvidiasmi"
	"datakit.dev/internal/inputs/processes"
	"datakit.dev/internal/inputs/swap"
	"datakit.dev/internal/inputs/system"
)

// All returns every input.
func All() []input.Plugin {
	return []input.Plugin{
		cpu.Plugin(),
		disk.Plugin(),
		diskio.Plugin(),
		logging.Plugin(),
		mem.Plugin(),
		net.Plugin(),
		netstat.Plugin(),
		null.Plugin(),
		nvidiasmi.Plugin(),
		processes.Plugin(),
		swap.Plugin(),
		system.Plugin(),
	}
}
