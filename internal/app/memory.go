package app

import (
	"context"
	"runtime/metrics"
	"time"
)

// When memory that is free goes back to the system: a load leaves the heap twice as
// large as what is held, and an agent that idles would keep it for hours.
const (
	trimEvery = time.Minute
	trimFrom  = 8 << 20  // bytes that are free
	trimIdle  = 32 << 20 // bytes allocated since the last look: with more it is no idle agent, and needs them again
)

// A heap is what the runtime says of its heap, in bytes.
type heap struct {
	free      uint64 // neither used nor given back
	allocated uint64 // since the start
}

// trim gives memory back with release while the agent idles, until ctx ends.
func trim(ctx context.Context, read func() heap, release func()) {
	tick := time.NewTicker(trimEvery)
	defer tick.Stop()
	for last := read(); ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := read()
		if now.allocated-last.allocated < trimIdle && now.free >= trimFrom {
			release()
		}
		last = now
	}
}

// readHeap asks the runtime, which stops nothing for it.
func readHeap() heap {
	s := []metrics.Sample{{Name: "/memory/classes/heap/free:bytes"}, {Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(s)
	return heap{free: s[0].Value.Uint64(), allocated: s[1].Value.Uint64()}
}
