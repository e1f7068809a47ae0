package processes

import (
	"context"

	"github.com/shirou/gopsutil/v4/mem"
)

// memory returns the size of the machine's memory, 0 where it is not shown.
func memory(ctx context.Context) uint64 {
	m, err := mem.VirtualMemoryWithContext(ctx)
	if err != nil {
		return 0
	}
	return m.Total
}
