//go:build !linux

package processes

import (
	"context"
	"time"

	gops "github.com/shirou/gopsutil/v4/process"
)

// list asks the system for every process, and passes over what it may not see.
func list(ctx context.Context, _ time.Time) ([]process, error) {
	all, err := gops.ProcessesWithContext(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]process, 0, len(all))
	for _, one := range all {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		name, err := one.NameWithContext(ctx)
		if err != nil {
			continue
		}
		out = append(out, read(ctx, one, name))
	}
	return out, nil
}

func read(ctx context.Context, one *gops.Process, name string) process {
	p := process{proc: proc{pid: one.Pid}, name: name, state: unknown}
	if created, err := one.CreateTimeWithContext(ctx); err == nil {
		p.started, p.start = created, time.UnixMilli(created)
	}
	if words, err := one.StatusWithContext(ctx); err == nil && len(words) > 0 {
		p.state = stateOf(words[0])
	}
	if n, err := one.NumThreadsWithContext(ctx); err == nil {
		p.threads = int64(n)
	}
	if t, err := one.TimesWithContext(ctx); err == nil {
		p.cpu = time.Duration((t.User + t.System) * float64(time.Second))
	}
	if m, err := one.MemoryInfoWithContext(ctx); err == nil {
		p.rss, p.vms = m.RSS, m.VMS
	}
	return p
}

func stateOf(word string) state {
	switch word {
	case gops.Running:
		return running
	case gops.Sleep, gops.Wait:
		return sleeping
	case gops.Blocked, gops.Lock:
		return blocked
	case gops.Zombie:
		return zombie
	case gops.Stop:
		return stopped
	case gops.Idle:
		return idle
	}
	return unknown
}
