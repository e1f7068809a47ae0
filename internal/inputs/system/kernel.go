package system

import (
	"context"
	"os"
	"runtime"
	"strconv"
	"strings"

	"github.com/shirou/gopsutil/v4/host"

	"datakit.dev/internal/input"
	"datakit.dev/internal/point"
)

// users counts login sessions. On Linux it looks first whether there is a list:
// without one the library would run loginctl at every collection.
func users(ctx context.Context) (int64, bool) {
	if runtime.GOOS == "linux" {
		if _, err := os.Stat(input.VarPath(ctx, "run", "utmp")); err != nil {
			return 0, false
		}
	}
	list, err := host.UsersWithContext(ctx)
	return int64(len(list)), err == nil
}

// processes counts the folders of /proc that are a process.
func processes(ctx context.Context) (int64, bool) {
	if runtime.GOOS != "linux" {
		return 0, false
	}
	dir, err := os.Open(input.ProcPath(ctx))
	if err != nil {
		return 0, false
	}
	defer dir.Close() //nolint:errcheck // nothing was written
	names, err := dir.Readdirnames(-1)
	n := int64(0)
	for _, name := range names {
		if name[0] >= '1' && name[0] <= '9' {
			n++
		}
	}
	return n, err == nil && n > 0
}

// kernelPoints returns what the Linux kernel counts, as far as it does.
func kernelPoints(ctx context.Context) []point.Point {
	var pts []point.Point
	track := point.New(conntrack, 10)
	if n, ok := number(input.ProcPath(ctx, "sys", "net", "netfilter", "nf_conntrack_count")); ok {
		track.Add("entries", point.IntOf(n))
	}
	if n, ok := number(input.ProcPath(ctx, "sys", "net", "netfilter", "nf_conntrack_max")); ok {
		track.Add("entries_limit", point.IntOf(n))
	}
	if text, err := os.ReadFile(input.ProcPath(ctx, "net", "stat", "nf_conntrack")); err == nil {
		conntrackStats(&track, string(text))
	}
	if len(track.Fields) > 0 {
		pts = append(pts, track)
	}
	if text, err := os.ReadFile(input.ProcPath(ctx, "sys", "fs", "file-nr")); err == nil {
		if p, ok := files(string(text)); ok {
			pts = append(pts, p)
		}
	}
	return pts
}

func number(path string) (int64, bool) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, false
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	return n, err == nil
}

// conntrackStats adds up a table that has one line a core, in hexadecimal, under
// a line of names.
func conntrackStats(p *point.Point, text string) {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	names := strings.Fields(lines[0])
	totals := make([]int64, len(names))
	for _, line := range lines[1:] {
		words := strings.Fields(line)
		for i := range min(len(words), len(names)) {
			if v, err := strconv.ParseUint(words[i], 16, 63); err == nil {
				totals[i] += int64(v)
			}
		}
	}
	for i, name := range names {
		switch name {
		case "found", "invalid", "ignore", "insert", "insert_failed", "drop", "early_drop", "search_restart":
			p.Set("stat_"+name, point.IntOf(totals[i]))
		}
	}
}

// files reads "allocated free maximum". The maximum is in millions since it is
// often the largest number there is.
func files(text string) (point.Point, bool) {
	words := strings.Fields(text)
	if len(words) < 3 {
		return point.Point{}, false
	}
	allocated, err := strconv.ParseInt(words[0], 10, 64)
	if err != nil {
		return point.Point{}, false
	}
	maximum, err := strconv.ParseUint(words[2], 10, 64)
	if err != nil {
		return point.Point{}, false
	}
	p := point.New(filefd, 2)
	p.Add("allocated", point.IntOf(allocated))
	p.Add("maximum_mega", point.FloatOf(float64(maximum)/1e6))
	return p, true
}
