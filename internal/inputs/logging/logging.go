// Package logging follows log files: it finds them by glob patterns, reads each
// from where it stopped, joins the lines of one record, and writes a point a
// record.
//
// What it promises: a line is written at least once, in the order of its file,
// over rotation, restarts and changes of the configuration. An offset moves only
// when the flow has taken the points, so that a full flow slows reading down and
// loses nothing; a process that is killed reads at most the last second twice.
// What it cannot keep: lines of a file that was cut off or removed for good
// before they were read.
package logging

import (
	"time"

	"datakit.dev/internal/input"
	"datakit.dev/internal/point"
	"datakit.dev/internal/spec"
)

// defaultSource is the measurement where no source is set.
const defaultSource = "default"

// Plugin returns the description of the input.
func Plugin() input.Plugin { return plugin(newNotifier) }

// plugin is Plugin with the source of the file system's events, which a test
// takes away.
func plugin(notify func() *notifier) input.Plugin {
	running := &registry{}
	return input.Plugin{
		Name:    "logging",
		Aliases: []string{"tailf"},
		Doc: "Follows log files and writes a point for each line or record. " +
			"A file is read from where it was left, over rotation, restarts and changes of the configuration; " +
			"while the flow is full, reading waits. Each line is delivered at least once: after a crash the last second may come twice. " +
			"Lines of a file that was removed, compressed or cut off before they were read are lost.",
		DocZH: "跟踪日志文件，每行（或每条多行记录）输出一个数据点。文件轮转、重启或配置变更后均从上次位置继续读取；" +
			"数据通道已满时暂停读取，不丢数据。每行至少投递一次：异常终止后最后一秒的日志可能重复；" +
			"在读取之前就被删除、压缩或截断的内容无法恢复。",
		Options:      options(),
		Measurements: []input.Measurement{measurement()},
		Script:       func(v spec.Values) string { return scriptName(v.String("pipeline")) },
		NewRunner: func(env input.Env, v spec.Values) (input.Runner, error) {
			s, err := newSettings(v)
			if err != nil {
				return nil, err
			}
			return &runner{env: env, settings: s, running: running, notify: notify}, nil
		},
	}
}

func measurement() input.Measurement {
	return input.Measurement{
		Name: defaultSource, Category: point.Logging,
		Doc:   "One line, or one record of several. It goes by the name that source sets. Its time is when it was read; a script sets another.",
		DocZH: "一行日志或一条多行记录。指标集名为 source 的值；时间为读取时间，可由脚本设置。",
		Tags: []input.Tag{
			input.Label("filename", "Name of the file when it was first seen.", "首次发现时的文件名。"),
			input.Label("filepath", "Path of the file when it was first seen.", "首次发现时的文件路径。"),
			input.Label("service", "The service, or the source where that is not set.", "服务名；未设置时为 source。"),
		},
		Fields: []input.Field{
			input.Text("message", "The text, UTF-8, without its last line end.", "日志正文（UTF-8），不含末尾换行符。"),
			input.Text("status", "Always info; a script sets another.", "默认为 info，可由脚本设置。"),
			input.Int("log_read_lines", "count", "Lines read of this file, this one included.", "该文件已读取的行数（含本条）。"),
			input.Int("log_read_offset", "bytes", "Where in the file the text begins.", "正文在文件中的起始偏移。"),
			input.Int("log_part", "", "Which part of a text longer than maximum_length this is, from 1; missing on whole texts.", "超过 maximum_length 的日志被拆分后的序号，从 1 开始；完整日志无此字段。"),
		},
	}
}

func options() []spec.Field {
	return append(append(sources(), texts()...), bounds()...)
}

func sources() []spec.Field {
	return []spec.Field{
		{
			Name: "logfiles", Type: spec.Strings, Example: []string{"/var/log/syslog", "/var/log/app/**/*.log"},
			Doc: "Files to follow: absolute paths and glob patterns, where ** stands for folders of any depth.", DocZH: "要采集的文件：绝对路径或 glob 模式，** 匹配任意层目录。",
		},
		{
			Name: "ignore", Type: spec.Strings, Example: []string{"*.gz", "/var/log/private/**"},
			Doc: "Glob patterns of files to leave out; one without a slash is held against the name alone.", DocZH: "要忽略的文件的 glob 模式；不含斜杠时仅匹配文件名。",
		},
		{
			Name: "source", Type: spec.String, Default: "",
			Doc: "Measurement of the points, and by default the name of their script; \"default\" where empty.", DocZH: "数据来源，即指标集名，默认也决定所用脚本；为空时为 default。",
		},
		{
			Name: "service", Type: spec.String, Default: "",
			Doc: "Tag service; the source where empty.", DocZH: "service 标签；为空时与 source 相同。",
		},
		{
			Name: "pipeline", Type: spec.String, Default: "",
			Doc: "Name of the script that the points run through instead of <source>.p; \"-\" for none.", DocZH: "处理脚本名；为空时使用 <source>.p，\"-\" 表示不使用脚本。",
		},
		{
			Name: "from_beginning", Type: spec.Bool, Default: false,
			Doc: "Read files that are there at the first start from their beginning, not from their end. Files that appear later are always read whole.", DocZH: "首次启动时已存在的文件从头读取（默认从末尾）。之后出现的文件总是完整读取。",
		},
		{
			Name: "blocking_mode", Type: spec.Bool, Default: true,
			Doc: "Deprecated, without effect: a full flow always blocks reading.", DocZH: "已废弃且无作用：数据通道已满时总是阻塞读取。",
		},
	}
}

func texts() []spec.Field {
	return []spec.Field{
		{
			Name: "character_encoding", Type: spec.String, Default: "", OneOf: encodingNames(),
			Doc: "Encoding of the files; UTF-8 where empty. What does not decode becomes U+FFFD.", DocZH: "文件编码；为空时为 UTF-8。无法解码的内容替换为 U+FFFD。",
		},
		{
			Name: "multiline_match", Type: spec.String, Default: "", Example: `^\d{4}-\d{2}-\d{2}`,
			Doc: "Regular expression that the first line of a record matches: the lines behind it that do not match belong to it. Where empty each line is a record.", DocZH: "匹配多行记录首行的正则表达式，其后不匹配的行归入该记录；为空时每行一条。",
		},
		{
			Name: "auto_multiline_detection", Type: spec.Bool, Default: false,
			Doc: "Where multiline_match is empty, take lines that begin with a time for the first of a record. A file in which no such line was seen is read line by line.", DocZH: "multiline_match 为空时，将以时间开头的行视为记录首行；尚未出现此类行的文件按单行读取。",
		},
		{
			Name: "auto_multiline_extra_patterns", Type: spec.Strings, Example: []string{`^\[\d+\]`},
			Doc: "Regular expressions that auto_multiline_detection tries before its own.", DocZH: "auto_multiline_detection 优先尝试的附加正则表达式。",
		},
		{
			Name: "multiline_timeout", Type: spec.Duration, Default: 5 * time.Second, Min: 100 * time.Millisecond, Max: time.Hour,
			Doc: "How long the end of a file must have stood still before a record, or a line without its end, is taken for complete.", DocZH: "文件末尾静止多久后，将未结束的记录或未换行的行视为完整。",
		},
		{
			Name: "maximum_length", Type: spec.Int, Default: int64(1 << 20), Min: int64(1 << 10), Max: int64(32 << 20), Unit: "bytes",
			Doc: "Longest text of one point, as it lies in the file. A longer one is split, and the parts are numbered in log_part.", DocZH: "单条日志在文件中的最大长度；超出则拆分，并以 log_part 编号。",
		},
		{
			Name: "remove_ansi_escape_codes", Type: spec.Bool, Default: false,
			Doc: "Take the codes of terminal colours out of the text.", DocZH: "去除终端颜色等 ANSI 转义码。",
		},
	}
}

func bounds() []spec.Field {
	return []spec.Field{
		{
			Name: "ignore_dead_log", Type: spec.Duration, Default: 12 * time.Hour, Min: time.Duration(0),
			Doc: "A file that nobody wrote for this long is not started with until it is written again, and not held open; \"0s\" turns that off.", DocZH: "超过该时长未写入的文件暂不采集，也不保持打开，直到再次写入；\"0s\" 表示关闭。",
		},
		{
			Name: "max_open_files", Type: spec.Int, Default: int64(500), Min: int64(-1), Max: int64(100_000),
			Doc: "Most files that are held open; more are read in turn. -1 takes the bound away.", DocZH: "同时打开的最大文件数，超出部分轮流读取；-1 表示不限制。",
		},
		{
			Name: "ignore_status", Type: spec.Strings,
			Doc: "Must be empty: which status a log has is known only behind its script, where drop() leaves it out.", DocZH: "必须为空：日志状态在脚本处理后才确定，请在脚本中用 drop() 丢弃。",
		},
		{
			Name: "field_white_list", Type: spec.Strings,
			Doc: "Must be empty: a script chooses the fields, with drop_key().", DocZH: "必须为空：请在脚本中用 drop_key() 选择字段。",
		},
		{
			Name: "sockets", Type: spec.Strings,
			Doc: "Must be empty: logs are read from files only.", DocZH: "必须为空：仅支持从文件采集。",
		},
	}
}
