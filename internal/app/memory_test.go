package app

import (
	"context"
	"runtime"
	"runtime/debug"
	"testing"
	"time"

	"datakit.dev/internal/faketime"
)

// An idle agent gives back what a load has left, once; a busy one keeps what it
// needs again.
func TestMemoryGoesBackWhileTheAgentIdles(t *testing.T) {
	for name, c := range map[string]struct {
		heaps []heap // at the start, and each minute
		want  int    // releases
	}{
		"nothing is free":     {[]heap{{1 << 20, 0}, {1 << 20, 1 << 20}, {1 << 20, 2 << 20}}, 0},
		"busy":                {[]heap{{64 << 20, 0}, {64 << 20, 1 << 30}, {64 << 20, 2 << 30}}, 0},
		"idle after the load": {[]heap{{64 << 20, 0}, {64 << 20, 1 << 30}, {64 << 20, 1<<30 + 1<<20}, {0, 1<<30 + 2<<20}}, 1},
		"idle, and free":      {[]heap{{64 << 20, 0}, {64 << 20, 1 << 20}}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			faketime.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				looks, releases := 0, 0
				done := make(chan struct{})
				go func() {
					defer close(done)
					trim(ctx, func() heap {
						looks++
						return c.heaps[looks-1]
					}, func() { releases++ })
				}()
				time.Sleep(time.Duration(len(c.heaps)-1)*trimEvery + time.Second)
				cancel()
				<-done
				if looks != len(c.heaps) || releases != c.want {
					t.Errorf("%d looks, %d releases, want %d", looks, releases, c.want)
				}
			})
		})
	}
}

// What the runtime calls free is what goes back.
func TestTheHeapThatIsFreeIsReleased(t *testing.T) {
	block := make([]byte, 64<<20)
	for i := 0; i < len(block); i += 4096 {
		block[i] = 1
	}
	if h := readHeap(); h.allocated < uint64(len(block)) {
		t.Errorf("%d bytes are allocated, and one block has %d", h.allocated, len(block))
	}
	runtime.KeepAlive(block)
	debug.FreeOSMemory()
	if h := readHeap(); h.free >= 32<<20 {
		t.Errorf("still %d bytes are free and not given back", h.free)
	}
}
