package file

import (
	"errors"
	"os"
	"path/filepath"
	"time"

	"datakit.dev/internal/output"
	"datakit.dev/internal/spec"
)

const mebibyte = 1 << 20

// Plugin returns the output.
func Plugin() output.Plugin {
	return output.Plugin{
		Name:  "file",
		Doc:   "Writes points as line protocol to a file, or to standard output.",
		DocZH: "将数据点以行协议写入文件或标准输出。",
		Spec:  Schema(),
		Open:  open,
	}
}

// Schema describes the table [io]: the file, and the queue before every output.
func Schema() spec.Schema {
	return spec.Schema{
		Name:  "io",
		Doc:   "The output file, and the queue before each output.",
		DocZH: "输出文件,以及每个输出之前的队列。",
		Open:  true, // upstream's table has more keys
		Fields: []spec.Field{
			{
				Name: "output_file", Type: spec.String, Example: "/var/log/datakit/points.lp",
				Doc:   `Also, or with no dataway only, write line protocol to this file; "-" is standard output.`,
				DocZH: `同时(无 Dataway 时仅)将行协议写入该文件;"-" 表示标准输出。`,
			},
			{
				Name: "rotate", Type: spec.Int, Default: int64(32), Min: int64(1), Max: int64(1 << 20), Unit: "MiB",
				Doc: "Size at which the output file is rotated.", DocZH: "输出文件的切割大小。",
			},
			{
				Name: "rotate_backups", Type: spec.Int, Default: int64(5), Min: int64(0), Max: int64(1000), Unit: "count",
				Doc: "Old output files that are kept.", DocZH: "保留的旧输出文件个数。",
			},
			{
				Name: "flush_interval", Type: spec.Duration, Default: time.Second, Min: time.Duration(0), Max: time.Minute,
				Doc:   "How long points gather before they are sent to a remote destination; a full batch goes at once.",
				DocZH: "发送到远端之前数据点的聚集时间;一批已满时立即发送。",
			},
			{
				Name: "max_queue", Type: spec.Int, Default: int64(16), Min: int64(1), Max: int64(16 << 10), Unit: "MiB",
				Doc:   "Memory that points may take while they wait for one output. Past it the oldest go, and log collection waits.",
				DocZH: "等待某个输出的数据点可占用的内存;超出后丢弃最旧的数据点,日志采集则等待。",
			},
		},
	}
}

var errNoPath = errors.New(`[io] output_file is empty: name a file, or "-" for standard output`)

func open(env output.Env, v spec.Values) (output.Output, error) {
	path := v.String("output_file")
	switch path {
	case "":
		return nil, errNoPath
	case "-":
		return &stream{to: os.Stdout}, nil
	}
	return &destination{
		path: filepath.Clean(path), maxSize: v.Int("rotate") * mebibyte, backups: int(v.Int("rotate_backups")), log: env.Log,
	}, nil
}
