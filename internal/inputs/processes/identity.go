package processes

import (
	"context"
	"os"
	"regexp"
	"runtime"
	"strconv"
	"strings"

	gops "github.com/shirou/gopsutil/v4/process"

	"datakit.dev/internal/input"
	"datakit.dev/internal/spec"
)

// An identity is what stays the same while a process lives, so it is read once.
type identity struct {
	user, command, folder, containerID string
}

// containerName matches the name of a container in a control group: Docker,
// containerd, CRI-O and Podman all use 64 hexadecimal digits.
var containerName = regexp.MustCompile(`[0-9a-f]{64}`)

// secretArgument matches an argument that carries a secret, up to its value.
var secretArgument = regexp.MustCompile(`(?i)((?:^|\s)-{0,2}[\w.-]*(?:pass(?:word|wd|phrase)?|secret|token|api[-_]?key|access[-_]?key|credential)[\w.-]*[=\s]+)(\S+)`)

// maxCommand bounds a command line: Java's class paths run to kilobytes.
const maxCommand = 4096

func (g *gatherer) identify(ctx context.Context, p process) *identity {
	if id, ok := g.known[p.proc]; ok {
		return id
	}
	one := &gops.Process{Pid: p.pid}
	id := &identity{}
	// What may not be read, of another user's process, stays empty.
	id.user, _ = one.UsernameWithContext(ctx)
	command, _ := one.CmdlineWithContext(ctx)
	id.command = redact(command)
	if runtime.GOOS == "linux" {
		id.folder, _ = one.CwdWithContext(ctx)
		if groups, err := os.ReadFile(input.ProcPath(ctx, strconv.Itoa(int(p.pid)), "cgroup")); err == nil {
			id.containerID = containerName.FindString(string(groups))
		}
	}
	g.known[p.proc] = id
	return id
}

// redact hides what looks like a secret in a command line, and shortens it.
func redact(command string) string {
	command = secretArgument.ReplaceAllString(spec.RedactURL(command), "${1}"+spec.Hidden)
	if len(command) > maxCommand {
		command = command[:maxCommand]
	}
	return strings.ToValidUTF8(command, "")
}

// A use is what a process takes at the moment; nil parts are not to be had.
type use struct {
	memory    float64 // percent
	openFiles *int64
	switches  *gops.NumCtxSwitchesStat
	io        *gops.IOCountersStat
}

// use reads what changes from one collection to the next.
func (g *gatherer) use(ctx context.Context, d *described, total uint64) use {
	one := &gops.Process{Pid: d.pid}
	u := use{}
	if total > 0 {
		u.memory = 100 * float64(d.rss) / float64(total)
	}
	if runtime.GOOS == "linux" {
		u.switches, _ = one.NumCtxSwitchesWithContext(ctx)
		if g.files {
			u.openFiles = openFiles(ctx, d.pid)
		}
	}
	if runtime.GOOS != "darwin" {
		u.io, _ = one.IOCountersWithContext(ctx)
	}
	return u
}

// openFiles counts descriptors by their names alone.
func openFiles(ctx context.Context, pid int32) *int64 {
	dir, err := os.Open(input.ProcPath(ctx, strconv.Itoa(int(pid)), "fd"))
	if err != nil {
		return nil
	}
	defer dir.Close() //nolint:errcheck // nothing was written
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil
	}
	n := int64(len(names))
	return &n
}
