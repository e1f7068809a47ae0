package processes

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"datakit.dev/internal/input"
)

// tick is the unit of times in /proc: USER_HZ, which is 100 on every
// architecture that Go runs on.
const tick = time.Second / 100

// list reads /proc/PID/stat of every process, one file at a time. A process that
// ends meanwhile, or that may not be seen, is passed over.
func list(ctx context.Context, now time.Time) ([]process, error) {
	boot, err := bootTime(ctx, now)
	if err != nil {
		return nil, err
	}
	dir, err := os.Open(input.ProcPath(ctx))
	if err != nil {
		return nil, err
	}
	names, err := dir.Readdirnames(-1)
	_ = dir.Close()
	if err != nil {
		return nil, err
	}
	out := make([]process, 0, len(names))
	buf := make([]byte, 2048)
	for _, name := range names {
		if name[0] < '1' || name[0] > '9' {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		text, err := read(input.ProcPath(ctx, name, "stat"), buf)
		if err != nil {
			continue
		}
		if p, ok := parseStat(text, boot); ok {
			out = append(out, p)
		}
	}
	if len(out) == 0 {
		return nil, errors.New("no process is shown: is /proc mounted?")
	}
	return out, nil
}

// read fills buf with a file of /proc, without what [os.ReadFile] does for files
// that may be large or slow.
func read(path string, buf []byte) ([]byte, error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd) //nolint:errcheck // nothing was written
	n, err := unix.Read(fd, buf)
	return buf[:max(n, 0)], err
}

// bootTime is when the machine started, from how long it has run: its wall clock
// may have been set since.
func bootTime(ctx context.Context, now time.Time) (time.Time, error) {
	text, err := os.ReadFile(input.ProcPath(ctx, "uptime"))
	if err != nil {
		return time.Time{}, err
	}
	up, _, _ := strings.Cut(string(text), " ")
	seconds, err := strconv.ParseFloat(strings.TrimSpace(up), 64)
	if err != nil || !(seconds >= 0 && seconds < 1e10) {
		return time.Time{}, fmt.Errorf("uptime: %q is no time", up)
	}
	return now.Add(-time.Duration(seconds * float64(time.Second))), nil
}

// parseStat reads "PID (NAME) STATE …". The name may hold anything, brackets and
// spaces too, so the fields are counted from its last bracket.
func parseStat(text []byte, boot time.Time) (process, bool) {
	left, right := bytes.IndexByte(text, '('), bytes.LastIndexByte(text, ')')
	if left < 1 || right < left {
		return process{}, false
	}
	pid, err := strconv.ParseInt(string(bytes.TrimSpace(text[:left])), 10, 32)
	words := bytes.Fields(text[right+1:])
	if err != nil || len(words) < 22 || len(words[0]) != 1 {
		return process{}, false
	}
	number := func(i int) uint64 {
		v, convErr := strconv.ParseUint(string(words[i]), 10, 63)
		if convErr != nil {
			return 0
		}
		return v
	}
	started := min(number(19), 1<<40)
	return process{
		proc:    proc{int32(pid), int64(started)},
		name:    strings.ToValidUTF8(string(text[left+1:right]), "?"),
		state:   stateOf(words[0][0]),
		threads: int64(number(17)),
		cpu:     time.Duration(min(number(11), 1<<38)+min(number(12), 1<<38)) * tick,
		start:   boot.Add(time.Duration(min(started, 1<<38)) * tick),
		vms:     number(20),
		rss:     min(number(21), 1<<48) * uint64(os.Getpagesize()),
		faults:  faults{minor: number(7), childMinor: number(8), major: number(9), childMajor: number(10)},
	}, true
}

func stateOf(letter byte) state {
	switch letter {
	case 'R':
		return running
	case 'S':
		return sleeping
	case 'D', 'U', 'L':
		return blocked
	case 'Z':
		return zombie
	case 'T', 't':
		return stopped
	case 'X', 'x':
		return dead
	case 'I':
		return idle
	case 'W':
		return paging
	}
	return unknown
}
