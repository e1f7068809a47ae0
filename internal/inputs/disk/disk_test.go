package disk

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shirou/gopsutil/v4/disk"

	"datakit.dev/internal/faketime"
	"datakit.dev/internal/input"
	"datakit.dev/internal/input/inputtest"
)

// A container may have its root on an overlay, and nothing under /dev.
func TestInput(t *testing.T) {
	inputtest.Run(t, inputtest.Case{Plugin: Plugin(), Config: "extra_device = ['overlay', 'tmpfs', '/']\nignore_fstypes = '^(proc|sysfs)$'"})
}

func BenchmarkGather(b *testing.B) { inputtest.Bench(b, Plugin(), "") }

// host is a machine whose mounts are folders of this one.
func host(t *testing.T) (h inputtest.Host, ctx context.Context) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("reads /proc")
	}
	h = inputtest.NewHost(t, map[string]string{"proc/filesystems": "\text4\nnodev\ttmpfs\n", "root/.keep": "", "var/.keep": "", "nfs/.keep": "", "odd name/.keep": ""})
	line := func(id int, device, fstype, folder string) string {
		folder = strings.ReplaceAll(filepath.Join(h.Dir, folder), " ", `\040`)
		return fmt.Sprintf("%d 1 254:%d / %s rw,relatime - %s %s rw\n", id, id, folder, fstype, device)
	}
	h.Put("proc/1/mountinfo", line(1, "/dev/vda1", "ext4", "root")+line(2, "/dev/vda1", "ext4", "var")+
		line(3, "tmpfs", "tmpfs", "run")+line(4, "/dev/loop0", "squashfs", "snap")+
		line(5, "filer:/export", "nfs4", "nfs")+line(6, "/dev/vdb", "xfs", "odd name")+line(7, "/dev/vdc", "xfs", "gone")+
		line(8, "/dev/vdd", "ext4", "run/containerd/x"))
	return h, h.Context(t.Context())
}

func mounts(t *testing.T, h inputtest.Host) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(h.Dir, "proc/1/mountinfo"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func mountPoints(h inputtest.Host, got []inputtest.Written) string {
	var names []string
	for _, w := range got {
		at, _ := w.Tag("mount_point")
		names = append(names, strings.TrimPrefix(at, h.Dir+"/"))
	}
	return strings.Join(names, ",")
}

func TestOptionsChooseFileSystems(t *testing.T) {
	h, ctx := host(t)
	for options, want := range map[string]string{
		"":                                    "root,odd name",
		"merge_on_device = false":             "root,var,odd name",
		"extra_device = 'filer:'":             "root,nfs,odd name",
		"exclude_device = '/dev/vda1'":        "odd name",
		"ignore_fstypes = '^xfs$'":            "root",
		"ignore_mountpoints = 'root|odd|var'": "",
	} {
		got := inputtest.Gather(t, ctx, inputtest.Start(t, Plugin(), options))
		if names := mountPoints(h, got); names != want {
			t.Errorf("%s: %s, want %s", options, names, want)
		}
	}
}

func TestTagsNameTheFileSystem(t *testing.T) {
	h, ctx := host(t)
	got := inputtest.Gather(t, ctx, inputtest.Start(t, Plugin(), ""))
	p := inputtest.Find(t, got, "disk", "device", "/dev/vda1", "disk_name", "vda1", "fstype", "ext4", "mount_point", filepath.Join(h.Dir, "root"))
	total, _ := p.Field("total")
	used, _ := p.Field("used_percent")
	if total.Int() <= 0 || used.Float() < 0 || used.Float() > 100 {
		t.Errorf("total %v, used_percent %v", total, used)
	}
}

func TestBadExpressionIsRefused(t *testing.T) {
	for _, options := range []string{"ignore_fstypes = '('", "ignore_mountpoints = '['"} {
		if _, err := Plugin().NewGatherer(input.Env{}, inputtest.Decode(t, Plugin(), options)); err == nil || !strings.Contains(err.Error(), strings.Fields(options)[0]) {
			t.Errorf("%s: %v", options, err)
		}
	}
}

// A hung server cannot be had in a test: its statfs is one that blocks.
func TestHungFileSystemCostsOnlyItsOwnPoint(t *testing.T) {
	faketime.Test(t, func(t *testing.T) {
		h, ctx := host(t)
		g := inputtest.Start(t, Plugin(), "extra_device = 'filer:'\ntimeout = '2s'").(*gatherer)
		back := make(chan struct{})
		var calls atomic.Int32
		g.inquiries.statfs = func(ctx context.Context, path string) (*disk.UsageStat, error) {
			if strings.HasSuffix(path, "nfs") {
				calls.Add(1)
				<-back
			}
			return disk.UsageWithContext(ctx, path)
		}
		whole := mounts(t, h)
		for round, want := range []time.Duration{2 * time.Second, 0, 0, 0} {
			if round == 2 { // unmounted by force, and mounted again
				h.Put("proc/1/mountinfo", strings.ReplaceAll(whole, "filer:", "other:"))
				_ = g.Gather(ctx, &inputtest.Sink{})
				h.Put("proc/1/mountinfo", whole)
			}
			var s inputtest.Sink
			start := time.Now()
			err := g.Gather(ctx, &s)
			if names := mountPoints(h, s.Take()); names != "root,odd name" || err == nil || !strings.Contains(err.Error(), "nfs") {
				t.Fatalf("round %d: %s, error %v", round, names, err)
			}
			if took := time.Since(start); took != want || calls.Load() != 1 {
				t.Errorf("round %d took %v with %d calls, want %v and one", round, took, calls.Load(), want)
			}
		}
		close(back)
		synctest.Wait()
		if names := mountPoints(h, inputtest.Gather(t, ctx, g)); names != "root,nfs,odd name" {
			t.Errorf("after the server came back: %s", names)
		}
	})
}

func TestFailingFileSystemIsNamed(t *testing.T) {
	h, ctx := host(t)
	g := inputtest.Start(t, Plugin(), "").(*gatherer)
	g.inquiries.statfs = func(ctx context.Context, path string) (*disk.UsageStat, error) {
		switch {
		case strings.HasSuffix(path, "root"):
			return nil, errors.New("input/output error")
		case strings.HasSuffix(path, "gone"):
			return nil, os.ErrPermission
		}
		return disk.UsageWithContext(ctx, path)
	}
	var s inputtest.Sink
	err := g.Gather(ctx, &s)
	if err == nil || !strings.Contains(err.Error(), "root: input/output error") || strings.Contains(err.Error(), "gone") {
		t.Errorf("error %v", err)
	}
	if names := mountPoints(h, s.Take()); names != "odd name" {
		t.Errorf("points of %s", names)
	}
}
