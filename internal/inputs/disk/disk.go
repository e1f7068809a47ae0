// Package disk collects how full the mounted file systems are.
package disk

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/shirou/gopsutil/v4/disk"

	"datakit.dev/internal/input"
	"datakit.dev/internal/point"
	"datakit.dev/internal/spec"
)

const measurement = "disk"

// Plugin returns the description of the input.
func Plugin() input.Plugin {
	return input.Plugin{
		Name:      measurement,
		Doc:       "Collects how full the mounted file systems are. File systems that exist in memory or in the kernel only are left out.",
		DocZH:     "采集已挂载文件系统的使用情况，忽略仅存在于内存或内核中的文件系统。",
		Singleton: true,
		Options:   options(),
		Measurements: []input.Measurement{{
			Name: measurement, Doc: "One file system. FAT and its like have no inodes.", DocZH: "单个文件系统。FAT 类文件系统没有 inode。",
			Tags: []input.Tag{
				input.Label("device", "The device, /dev/sda1.", "设备，如 /dev/sda1。"),
				input.Label("disk_name", "The device without its folder, sda1.", "不含目录的设备名，如 sda1。"),
				input.Label("fstype", "Type of the file system, ext4.", "文件系统类型，如 ext4。"),
				input.Label("mount_point", "The folder where it is mounted.", "挂载目录。"),
			},
			Fields: []input.Field{
				input.Int("total", "bytes", "Size.", "总容量。"),
				input.Int("free", "bytes", "Space that users can still fill.", "用户可用空间。"),
				input.Int("used", "bytes", "Space in use.", "已用空间。"),
				input.Float("used_percent", "percent", "Share in use, of what users can fill.", "已用占比（相对用户可用总量）。"),
				input.Int("inodes_total_mb", "million", "All inodes, in millions (Linux).", "inode 总数，单位百万（Linux）。"),
				input.Int("inodes_free_mb", "million", "Free inodes, in millions (Linux).", "空闲 inode 数，单位百万（Linux）。"),
				input.Int("inodes_used_mb", "million", "Inodes in use, in millions (Linux).", "已用 inode 数，单位百万（Linux）。"),
				input.Float("inodes_used_percent", "percent", "Share of inodes in use (Linux).", "inode 已用占比（Linux）。"),
			},
		}},
		NewGatherer: open,
	}
}

func options() []spec.Field {
	return []spec.Field{
		{
			Name: "only_physical_device", Type: spec.Bool, Default: false,
			Doc:   "Only devices that are hardware, as the system tells them apart.",
			DocZH: "仅采集系统认定的物理设备。",
		},
		{
			Name: "merge_on_device", Type: spec.Bool, Default: true,
			Doc:   "One point for a device that is mounted at several places: the first place.",
			DocZH: "同一设备挂载在多处时只输出一个数据点（取第一处）。",
		},
		{
			Name: "extra_device", Type: spec.Strings, Example: []string{"/nfsdata"},
			Doc:   "Devices to collect though their name does not begin with /dev: the beginnings of their names.",
			DocZH: "名称不以 /dev 开头但仍需采集的设备（按名称前缀）。",
		},
		{
			Name: "exclude_device", Type: spec.Strings, Example: []string{"/dev/loop0", "/dev/loop1"},
			Doc: "Devices to leave out, by their whole name.", DocZH: "不采集的设备（完整名称）。",
		},
		{
			Name: "ignore_fstypes", Type: spec.String,
			Default: `^(tmpfs|autofs|binfmt_misc|devpts|fuse.lxcfs|overlay|proc|squashfs|sysfs)$`,
			Doc:     "File system types to leave out, a regular expression.", DocZH: "不采集的文件系统类型（正则）。",
		},
		{
			Name: "ignore_mountpoints", Type: spec.String,
			Default: `^(/usr/local/datakit/.*|/run/containerd/.*)$`,
			Doc:     "Folders to leave out, a regular expression.", DocZH: "不采集的挂载目录（正则）。",
		},
		{
			Name: "timeout", Type: spec.Duration, Default: 3 * time.Second, Min: 10 * time.Millisecond, Max: time.Minute,
			Doc:   "How long a file system may take to answer; a server that hangs costs its own point only.",
			DocZH: "等待文件系统响应的最长时间；挂起的远程文件系统只影响其自身数据点。",
		},
	}
}

type gatherer struct {
	log       *slog.Logger
	physical  bool
	merge     bool
	extra     []string
	exclude   []string
	fstypes   *regexp.Regexp
	folders   *regexp.Regexp
	inquiries inquiries
}

func open(env input.Env, v spec.Values) (input.Gatherer, error) {
	g := &gatherer{
		log:       env.Log,
		physical:  v.Bool("only_physical_device"),
		merge:     v.Bool("merge_on_device"),
		extra:     v.Strings("extra_device"),
		exclude:   v.Strings("exclude_device"),
		inquiries: inquiries{statfs: disk.UsageWithContext, timeout: v.Duration("timeout")},
	}
	var err error
	if g.fstypes, err = regexp.Compile(v.String("ignore_fstypes")); err != nil {
		return nil, fmt.Errorf("ignore_fstypes: %w", err)
	}
	if g.folders, err = regexp.Compile(v.String("ignore_mountpoints")); err != nil {
		return nil, fmt.Errorf("ignore_mountpoints: %w", err)
	}
	return g, nil
}

// Gather writes one point a file system. One that fails or hangs is named in the
// error; the others are written all the same.
func (g *gatherer) Gather(ctx context.Context, sink input.Sink) error {
	all, err := disk.PartitionsWithContext(ctx, !g.physical)
	if err != nil {
		return fmt.Errorf("list file systems: %w", err)
	}
	mounts := g.choose(all)
	paths := make([]string, len(mounts))
	for i, m := range mounts {
		paths[i] = hostPath(m.Mountpoint)
	}
	answers := g.inquiries.ask(ctx, paths)
	pts := make([]point.Point, 0, len(mounts))
	var failed []error
	for i, a := range answers {
		switch {
		case errors.Is(a.err, os.ErrNotExist) || errors.Is(a.err, os.ErrPermission):
			// Unmounted just now, or in a namespace that we cannot see into.
			g.log.Debug("file system left out", "mount_point", mounts[i].Mountpoint, "error", a.err)
		case a.err != nil:
			failed = append(failed, fmt.Errorf("%s: %w", mounts[i].Mountpoint, a.err))
		case a.usage.Total > 0:
			pts = append(pts, newPoint(mounts[i], a.usage))
		}
	}
	if len(pts) > 0 {
		failed = append(failed, sink.Write(ctx, point.Metric, pts))
	}
	return errors.Join(failed...)
}

// hostPath is where the agent sees a folder of the host: HOST_ROOT is set where
// it runs in a container.
func hostPath(folder string) string {
	if root := os.Getenv("HOST_ROOT"); root != "" {
		return filepath.Join(root, folder)
	}
	return folder
}

// choose applies the options, in the order in which the system lists mounts.
func (g *gatherer) choose(all []disk.PartitionStat) []disk.PartitionStat {
	var out []disk.PartitionStat
	seen := map[string]bool{}
	for _, m := range all {
		switch {
		case !g.wanted(m.Device):
		case g.fstypes.String() != "" && g.fstypes.MatchString(m.Fstype):
		case g.folders.String() != "" && g.folders.MatchString(m.Mountpoint):
		case g.merge && seen[m.Device]:
		default:
			seen[m.Device] = true
			out = append(out, m)
		}
	}
	return out
}

func (g *gatherer) wanted(device string) bool {
	if slices.Contains(g.exclude, device) {
		return false
	}
	return runtime.GOOS == "windows" || strings.HasPrefix(device, "/dev") ||
		slices.ContainsFunc(g.extra, func(start string) bool { return start != "" && strings.HasPrefix(device, start) })
}

func newPoint(m disk.PartitionStat, u *disk.UsageStat) point.Point {
	p := point.New(measurement, 8)
	p.Tags = []point.Tag{
		{Key: "device", Value: m.Device},
		{Key: "disk_name", Value: filepath.Base(m.Device)},
		{Key: "fstype", Value: m.Fstype},
		{Key: "mount_point", Value: m.Mountpoint},
	}
	p.Add("total", point.IntOf(int64(u.Total)))
	p.Add("free", point.IntOf(int64(u.Free)))
	p.Add("used", point.IntOf(int64(u.Used)))
	p.Add("used_percent", point.FloatOf(u.UsedPercent))
	if runtime.GOOS == "linux" && u.InodesTotal > 0 {
		const million = 1_000_000
		p.Add("inodes_total_mb", point.IntOf(int64(u.InodesTotal/million)))
		p.Add("inodes_free_mb", point.IntOf(int64(u.InodesFree/million)))
		p.Add("inodes_used_mb", point.IntOf(int64(u.InodesUsed/million)))
		p.Add("inodes_used_percent", point.FloatOf(u.InodesUsedPercent))
	}
	return p
}
