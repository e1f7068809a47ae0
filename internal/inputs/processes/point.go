package processes

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"time"

	gops "github.com/shirou/gopsutil/v4/process"

	"datakit.dev/internal/point"
)

func metricPoint(d *described, u use, now time.Time) point.Point {
	p := point.New(measurement, 20)
	addUse(&p, d, u, now)
	p.SetTag("pid", strconv.Itoa(int(d.pid)))
	addTags(&p, d)
	return p
}

func (g *gatherer) objectPoint(ctx context.Context, d *described, u use, now time.Time) point.Point {
	p := point.New(measurement, 28)
	addUse(&p, d, u, now)
	host, _ := os.Hostname()
	p.SetTag("name", fmt.Sprintf("%s_%d", host, d.pid))
	p.SetTag("state", string(d.state))
	addTags(&p, d)
	p.Add("pid", point.IntOf(int64(d.pid)))
	p.Add("cmdline", point.StringOf(d.command))
	p.Add("message", point.StringOf(fmt.Sprintf("%s[%d] %s: %s", d.name, d.pid, d.user, d.command)))
	p.Add("start_time", point.IntOf(d.start.UnixMilli()))
	p.Add("started_duration", point.IntOf(int64(max(now.Sub(d.start), 0)/time.Second)))
	p.Add("state_zombie", point.BoolOf(d.state == zombie))
	if d.folder != "" {
		p.Add("work_directory", point.StringOf(d.folder))
	}
	if g.ports {
		p.Add("listen_ports", point.StringOf(listenPorts(ctx, d.pid)))
	}
	return p
}

func addTags(p *point.Point, d *described) {
	p.SetTag("process_name", d.name)
	for key, value := range map[string]string{"username": d.user, "container_id": d.containerID} {
		if value != "" {
			p.SetTag(key, value)
		}
	}
}

// addUse adds the fields that the metric and the object share.
func addUse(p *point.Point, d *described, u use, now time.Time) {
	if age := now.Sub(d.start); age > 0 {
		p.Add("cpu_usage", point.FloatOf(100*float64(d.cpu)/float64(age)))
	}
	if !d.isNew {
		p.Add("cpu_usage_top", point.FloatOf(d.lately))
	}
	p.Add("mem_used_percent", point.FloatOf(u.memory))
	count := func(name string, v uint64) { p.Add(name, point.IntOf(int64(v))) }
	count("rss", d.rss)
	count("vms", d.vms)
	p.Add("threads", point.IntOf(d.threads))
	if u.openFiles != nil {
		p.Add("open_files", point.IntOf(*u.openFiles))
	}
	if u.switches != nil {
		p.Add("voluntary_ctxt_switches", point.IntOf(u.switches.Voluntary))
		p.Add("nonvoluntary_ctxt_switches", point.IntOf(u.switches.Involuntary))
	}
	if u.io != nil {
		count("proc_syscr", u.io.ReadCount)
		count("proc_syscw", u.io.WriteCount)
		read, written := u.io.ReadBytes, u.io.WriteBytes
		if runtime.GOOS == "linux" { // there the two are what read and write moved, from the cache too
			read, written = u.io.DiskReadBytes, u.io.DiskWriteBytes
		}
		count("proc_read_bytes", read)
		count("proc_write_bytes", written)
	}
	if runtime.GOOS == "linux" {
		count("page_minor_faults", d.faults.minor)
		count("page_major_faults", d.faults.major)
		count("page_children_minor_faults", d.faults.childMinor)
		count("page_children_major_faults", d.faults.childMajor)
	}
}

// listenPorts returns the ports as a list in JSON: "[80,443]".
func listenPorts(ctx context.Context, pid int32) string {
	ports := []uint32{}
	all, _ := (&gops.Process{Pid: pid}).ConnectionsWithContext(ctx) // none where we may not look
	for _, c := range all {
		if c.Status == "LISTEN" && !slices.Contains(ports, c.Laddr.Port) {
			ports = append(ports, c.Laddr.Port)
		}
	}
	slices.Sort(ports)
	text, _ := json.Marshal(ports) //nolint:errchkjson // numbers cannot fail
	return string(text)
}
