// Package mem collects how the machine's memory is used.
package mem

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"github.com/shirou/gopsutil/v4/mem"

	"datakit.dev/internal/input"
	"datakit.dev/internal/point"
	"datakit.dev/internal/spec"
)

const measurement = "mem"

// Plugin returns the description of the input.
func Plugin() input.Plugin {
	return input.Plugin{
		Name:         measurement,
		Doc:          "Collects how the machine's memory is used.",
		DocZH:        "采集主机内存使用情况。",
		Singleton:    true,
		Measurements: []input.Measurement{{Name: measurement, Doc: "Memory of the machine.", DocZH: "主机内存。", Fields: fields()}},
		NewGatherer: func(input.Env, spec.Values) (input.Gatherer, error) {
			return gatherer{}, nil
		},
	}
}

func fields() []input.Field {
	size := func(name, doc, docZH string) input.Field { return input.Int(name, "bytes", doc, docZH) }
	return []input.Field{
		size("total", "All memory.", "内存总量。"),
		size("available", "Memory that programs can still get without swapping.", "无需换页即可供程序使用的内存。"),
		size("used", "Memory in use, caches not counted.", "已用内存（不含缓存）。"),
		input.Float("available_percent", "percent", "Share that is available.", "可用内存占比。"),
		input.Float("used_percent", "percent", "Share that is in use.", "已用内存占比。"),
		size("free", "Memory that holds nothing at all (Linux, macOS).", "完全空闲的内存（Linux、macOS）。"),
		size("active", "Memory used of late (Linux, macOS).", "最近使用过的内存（Linux、macOS）。"),
		size("inactive", "Memory not used of late, first to be reclaimed (Linux, macOS).", "较久未使用、优先回收的内存（Linux、macOS）。"),
		size("wired", "Memory that is never paged out (macOS).", "不可换出的内存（macOS）。"),
		size("buffered", "Buffers of block devices (Linux).", "块设备缓冲（Linux）。"),
		size("cached", "Cache of files (Linux).", "文件缓存（Linux）。"),
		size("commit_limit", "How much may be promised to programs (Linux).", "系统允许承诺的内存上限（Linux）。"),
		size("committed_as", "How much is promised to programs (Linux).", "已承诺给程序的内存（Linux）。"),
		size("dirty", "Waiting to be written to disk (Linux).", "等待写回磁盘的内存（Linux）。"),
		size("high_free", "Free memory that the kernel cannot map directly (Linux, 32 bit).", "空闲高端内存（Linux 32 位）。"),
		size("high_total", "All memory that the kernel cannot map directly (Linux, 32 bit).", "高端内存总量（Linux 32 位）。"),
		input.Int("huge_pages_free", "count", "Huge pages of the pool that are free (Linux).", "大页池中空闲的大页数（Linux）。"),
		size("huge_pages_size", "Size of one huge page (Linux).", "单个大页大小（Linux）。"),
		input.Int("huge_page_total", "count", "Huge pages in the pool (Linux).", "大页池中大页总数（Linux）。"),
		size("low_free", "Free memory that the kernel maps directly (Linux, 32 bit).", "空闲低端内存（Linux 32 位）。"),
		size("low_total", "All memory that the kernel maps directly (Linux, 32 bit).", "低端内存总量（Linux 32 位）。"),
		size("mapped", "Files mapped into programs (Linux).", "映射到程序中的文件（Linux）。"),
		size("page_tables", "Page tables (Linux).", "页表（Linux）。"),
		size("shared", "Shared memory and tmpfs (Linux).", "共享内存与 tmpfs（Linux）。"),
		size("slab", "The kernel's own structures (Linux).", "内核数据结构缓存（Linux）。"),
		size("sreclaimable", "The part of slab that can be reclaimed (Linux).", "slab 中可回收部分（Linux）。"),
		size("sunreclaim", "The part of slab that cannot be reclaimed (Linux).", "slab 中不可回收部分（Linux）。"),
		size("swap_cached", "Swapped in again, yet still on the swap device too (Linux).", "已换入但仍保留在交换区的内存（Linux）。"),
		size("swap_free", "Free swap space (Linux).", "空闲交换空间（Linux）。"),
		size("swap_total", "All swap space (Linux).", "交换空间总量（Linux）。"),
		size("vmalloc_chunk", "Largest free block of the vmalloc area (Linux).", "vmalloc 区域最大连续空闲块（Linux）。"),
		size("vmalloc_total", "Size of the vmalloc area (Linux).", "vmalloc 区域总量（Linux）。"),
		size("vmalloc_used", "Used part of the vmalloc area (Linux).", "vmalloc 区域已用量（Linux）。"),
		size("write_back", "Being written to disk now (Linux).", "正在写回磁盘的内存（Linux）。"),
		size("write_back_tmp", "Buffers with which FUSE writes back (Linux).", "FUSE 写回所用的临时缓冲（Linux）。"),
	}
}

type gatherer struct{}

// Gather writes one point.
func (gatherer) Gather(ctx context.Context, sink input.Sink) error {
	m, err := mem.VirtualMemoryWithContext(ctx)
	if err != nil {
		return fmt.Errorf("read memory: %w", err)
	}
	if m.Total == 0 {
		return errors.New("the system shows no memory: is /proc/meminfo readable?")
	}
	p := point.New(measurement, 36)
	size := func(name string, v uint64) { p.Add(name, point.IntOf(int64(v))) }
	size("total", m.Total)
	size("available", m.Available)
	size("used", m.Used)
	p.Add("available_percent", point.FloatOf(100*float64(m.Available)/float64(m.Total)))
	p.Add("used_percent", point.FloatOf(100*float64(m.Used)/float64(m.Total)))
	switch runtime.GOOS {
	case "darwin":
		size("wired", m.Wired)
		unix(size, m)
	case "linux":
		unix(size, m)
		linux(size, m)
	}
	return sink.Write(ctx, point.Metric, []point.Point{p})
}

// unix adds what Linux and macOS both count.
func unix(size func(string, uint64), m *mem.VirtualMemoryStat) {
	size("free", m.Free)
	size("active", m.Active)
	size("inactive", m.Inactive)
}

func linux(size func(string, uint64), m *mem.VirtualMemoryStat) {
	size("buffered", m.Buffers)
	size("cached", m.Cached)
	size("commit_limit", m.CommitLimit)
	size("committed_as", m.CommittedAS)
	size("dirty", m.Dirty)
	size("high_free", m.HighFree)
	size("high_total", m.HighTotal)
	size("huge_pages_free", m.HugePagesFree)
	size("huge_pages_size", m.HugePageSize)
	size("huge_page_total", m.HugePagesTotal)
	size("low_free", m.LowFree)
	size("low_total", m.LowTotal)
	size("mapped", m.Mapped)
	size("page_tables", m.PageTables)
	size("shared", m.Shared)
	size("slab", m.Slab)
	size("sreclaimable", m.Sreclaimable)
	size("sunreclaim", m.Sunreclaim)
	size("swap_cached", m.SwapCached)
	size("swap_free", m.SwapFree)
	size("swap_total", m.SwapTotal)
	size("vmalloc_chunk", m.VmallocChunk)
	size("vmalloc_total", m.VmallocTotal)
	size("vmalloc_used", m.VmallocUsed)
	size("write_back", m.WriteBack)
	size("write_back_tmp", m.WriteBackTmp)
}
