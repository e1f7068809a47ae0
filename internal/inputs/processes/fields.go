package processes

import (
	"slices"

	"datakit.dev/internal/input"
	"datakit.dev/internal/point"
)

func measurements() []input.Measurement {
	count := func(name, doc, docZH string) input.Field { return input.Int(name, "count", doc, docZH) }
	tags := []input.Tag{
		input.Label("process_name", "Name of the program.", "进程名。"),
		input.Label("username", "Its user, where that can be told.", "所属用户（可获取时）。"),
		input.Label("container_id", "Its container, where it runs in one (Linux).", "所在容器 ID（Linux）。"),
	}
	return []input.Measurement{
		{
			Name: countMeasurement, Doc: "All processes, by state.", DocZH: "按状态统计的全部进程。",
			Fields: []input.Field{
				count("total", "All.", "总数。"),
				count("running", "That run or could.", "运行或可运行。"),
				count("sleeping", "That wait and can be woken.", "可中断睡眠。"),
				count("blocked", "That wait for a device and cannot be woken.", "不可中断睡眠（等待设备）。"),
				count("stopped", "That were stopped.", "已停止。"),
				count("dead", "That are being removed.", "正在被移除。"),
				count("idle", "Threads of the kernel that have nothing to do.", "空闲内核线程。"),
				count("paging", "That wait for a page (Linux before 2.6).", "换页中（Linux 2.6 之前）。"),
				count("unknown", "Whose state the system does not tell.", "状态未知。"),
				count("zombies", "That ended and were not waited for.", "僵尸进程。"),
				count("total_threads", "Threads of all of them.", "线程总数。"),
			},
		},
		{
			Name: measurement, Doc: "One process, where open_metric is on.", DocZH: "单个进程的指标（open_metric 开启时）。",
			Tags:   slices.Concat(tags, []input.Tag{input.Label("pid", "Its number.", "进程号。")}),
			Fields: useFields(),
		},
		{
			Name: measurement, Category: point.Object, Doc: "One process as an object.", DocZH: "进程对象。",
			Tags: slices.Concat(tags, []input.Tag{
				input.Label("name", "Name of the object: the host's name and the process's number.", "对象名：主机名_进程号。"),
				input.Label("state", "What it does.", "进程状态。"),
			}),
			Fields: slices.Concat(useFields(), []input.Field{
				input.Int("pid", "", "Its number.", "进程号。"),
				input.Text("cmdline", "Command line; what looks like a secret is hidden.", "命令行，疑似密钥的内容会被隐藏。"),
				input.Text("message", "Name, number, user and command line, for search.", "名称、进程号、用户与命令行，用于检索。"),
				input.Int("start_time", "ms", "When it started, since 1970.", "启动时间（1970 年以来毫秒数）。"),
				input.Int("started_duration", "s", "How long it has run.", "已运行时长。"),
				input.Bool("state_zombie", "Whether it is a zombie.", "是否为僵尸进程。"),
				input.Text("work_directory", "Its folder (Linux).", "工作目录（Linux）。"),
				input.Text("listen_ports", "Ports on which it listens, where enable_listen_ports is on.", "监听端口（enable_listen_ports 开启时）。"),
			}),
		},
	}
}

func useFields() []input.Field {
	count := func(name, doc, docZH string) input.Field { return input.Int(name, "count", doc, docZH) }
	return []input.Field{
		input.Float("cpu_usage", "percent", "Processor time since it started, of one core.", "自启动以来的 CPU 使用率（单核）。"),
		input.Float("cpu_usage_top", "percent", "Processor time since the last collection, of one core.", "自上次采集以来的 CPU 使用率（单核）。"),
		input.Float("mem_used_percent", "percent", "Share of the machine's memory.", "占主机内存的百分比。"),
		input.Int("rss", "bytes", "Memory that it holds.", "常驻内存。"),
		input.Int("vms", "bytes", "Memory that it has mapped.", "虚拟内存。"),
		count("threads", "Its threads.", "线程数。"),
		count("open_files", "Files that it has open, where enable_open_files is on (Linux).", "打开的文件数（enable_open_files 开启时，Linux）。"),
		count("voluntary_ctxt_switches", "Times that it gave the processor up (Linux).", "主动上下文切换次数（Linux）。"),
		count("nonvoluntary_ctxt_switches", "Times that the processor was taken from it (Linux).", "被动上下文切换次数（Linux）。"),
		count("proc_syscr", "Calls that read (Linux, Windows).", "读系统调用次数（Linux、Windows）。"),
		count("proc_syscw", "Calls that write (Linux, Windows).", "写系统调用次数（Linux、Windows）。"),
		input.Int("proc_read_bytes", "bytes", "Bytes read from devices (Linux, Windows).", "从磁盘读取的字节数（Linux、Windows）。"),
		input.Int("proc_write_bytes", "bytes", "Bytes written to devices (Linux, Windows).", "写入磁盘的字节数（Linux、Windows）。"),
		count("page_minor_faults", "Page faults that needed no device (Linux).", "次缺页次数（Linux）。"),
		count("page_major_faults", "Page faults that read from a device (Linux).", "主缺页次数（Linux）。"),
		count("page_children_minor_faults", "The same of its ended children, without a device (Linux).", "已结束子进程的次缺页次数（Linux）。"),
		count("page_children_major_faults", "The same of its ended children, with a device (Linux).", "已结束子进程的主缺页次数（Linux）。"),
	}
}
