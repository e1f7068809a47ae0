package processes

import (
	"cmp"
	"context"
	"slices"
	"time"

	"datakit.dev/internal/point"
)

// A proc names a process for as long as it lives: a number is used again, with
// another start.
type proc struct {
	pid     int32
	started int64 // in the system's own unit
}

// A state is what a process does.
type state string

const (
	running  state = "running"
	sleeping state = "sleeping"
	blocked  state = "blocked"
	zombie   state = "zombie"
	stopped  state = "stopped"
	dead     state = "dead"
	idle     state = "idle"
	paging   state = "paging"
	unknown  state = "unknown"
)

// A process is what the list of all processes tells of one.
type process struct {
	proc
	name     string
	state    state
	threads  int64
	cpu      time.Duration
	start    time.Time
	rss, vms uint64
	faults   faults
}

// faults count the pages that were not in memory.
type faults struct{ minor, major, childMinor, childMajor uint64 }

// count returns the point of all processes by state.
func count(all []process) point.Point {
	n := map[state]int64{}
	threads := int64(0)
	for i := range all {
		n[all[i].state]++
		threads += all[i].threads
	}
	p := point.New(countMeasurement, 11)
	p.Add("total", point.IntOf(int64(len(all))))
	for _, s := range []state{running, sleeping, blocked, stopped, dead, idle, paging, unknown} {
		p.Add(string(s), point.IntOf(n[s]))
	}
	p.Add("zombies", point.IntOf(n[zombie]))
	p.Add("total_threads", point.IntOf(threads))
	return p
}

// remember keeps what the processes have used by now for the next round, and
// returns what they had used at the last one.
func (g *gatherer) remember(all []process, now time.Time) map[proc]sample {
	before := g.before
	g.before = make(map[proc]sample, len(all))
	known := make(map[proc]*identity, len(g.known))
	for i := range all {
		key := all[i].proc
		g.before[key] = sample{now, all[i].cpu}
		if id, ok := g.known[key]; ok {
			known[key] = id
		}
	}
	g.known = known
	return before
}

// A described process is one of which points are made.
type described struct {
	process
	*identity
	lately float64 // percent of a core since the last round
	isNew  bool    // no last round: lately means nothing
}

// choose returns the processes to describe: old enough, in a container where
// that is asked for, and among the first by processor time or memory.
func (g *gatherer) choose(ctx context.Context, all []process, before map[proc]sample, now time.Time) []described {
	var out []described
	for i := range all {
		p := all[i]
		if max(now.Sub(p.start), 0) < g.minRunTime { // a clock that was set back makes starts that lie ahead
			continue
		}
		d := described{process: p, isNew: true}
		if was, ok := before[p.proc]; ok && p.cpu >= was.cpu && now.After(was.at) {
			d.lately, d.isNew = 100*float64(p.cpu-was.cpu)/float64(now.Sub(was.at)), false
		}
		if g.contained {
			if d.identity = g.identify(ctx, p); d.containerID == "" {
				continue
			}
		}
		out = append(out, d)
	}
	out = first(out, g.top)
	for i := range out {
		out[i].identity = g.identify(ctx, out[i].process)
	}
	return out
}

// first returns the n processes with most processor time and the n with most
// memory; all where n is 0.
func first(all []described, n int) []described {
	if n == 0 || len(all) <= n {
		return all
	}
	slices.SortFunc(all, func(a, b described) int {
		return cmp.Or(cmp.Compare(b.lately, a.lately), cmp.Compare(b.cpu, a.cpu), cmp.Compare(a.pid, b.pid))
	})
	out := slices.Clone(all[:n])
	rest := all[n:]
	slices.SortFunc(rest, func(a, b described) int { return cmp.Or(cmp.Compare(b.rss, a.rss), cmp.Compare(a.pid, b.pid)) })
	// Of the n with most memory, those that are not in already.
	least := make([]uint64, len(all))
	for i := range all {
		least[i] = all[i].rss
	}
	slices.Sort(least)
	bound := least[len(least)-n]
	for _, d := range rest {
		if d.rss < bound || len(out) == 2*n {
			break
		}
		out = append(out, d)
	}
	return out
}
