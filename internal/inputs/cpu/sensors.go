package cpu

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"datakit.dev/internal/input"
)

// runLoad is the number of runnable tasks, each sample weighted less the older
// it is, with a time constant of five seconds.
type runLoad struct {
	value float64
	at    time.Time
	seen  bool
}

func (l *runLoad) add(ctx context.Context, now time.Time) {
	text, err := os.ReadFile(input.ProcPath(ctx, "loadavg"))
	if err != nil {
		l.seen = false
		return
	}
	n, ok := runnable(string(text))
	switch {
	case !ok:
		l.seen = false
		return
	case l.seen:
		keep := math.Exp(-now.Sub(l.at).Seconds() / 5)
		l.value = l.value*keep + n*(1-keep)
	default:
		l.value, l.seen = n, true
	}
	l.at = now
}

// runnable reads the fourth field of loadavg, "2/345", less the agent's own
// thread that is running just now to read it.
func runnable(loadavg string) (float64, bool) {
	fields := strings.Fields(loadavg)
	if len(fields) < 4 {
		return 0, false
	}
	running, _, ok := strings.Cut(fields[3], "/")
	n, err := strconv.ParseUint(running, 10, 31)
	if !ok || err != nil {
		return 0, false
	}
	return math.Max(float64(n)-1, 0), true
}

// coreSensors are the drivers whose temperatures are those of the processor.
var coreSensors = []string{"coretemp", "k10temp", "zenpower", "cpu_thermal", "cpu-thermal"} //nolint:gochecknoglobals // a list, never written

// coreTemperature returns the average of the cores. It reads the processor's
// sensors only: others sit behind slow buses and block for milliseconds.
func coreTemperature(ctx context.Context) (float64, bool) {
	names, _ := filepath.Glob(input.SysPath(ctx, "class", "hwmon", "hwmon*", "name"))
	sum, n := 0.0, 0
	for _, name := range names {
		driver, err := os.ReadFile(name)
		if err != nil || !slices.Contains(coreSensors, strings.TrimSpace(string(driver))) {
			continue
		}
		inputs, _ := filepath.Glob(filepath.Join(filepath.Dir(name), "temp*_input"))
		for _, file := range inputs {
			text, err := os.ReadFile(file)
			if err != nil {
				continue
			}
			if milli, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 32); err == nil {
				sum += float64(milli) / 1000
				n++
			}
		}
	}
	if n == 0 {
		return 0, false
	}
	return sum / float64(n), true
}
