// Package nvidiasmi collects what nvidia-smi tells of NVIDIA's processors.
package nvidiasmi

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"time"

	"datakit.dev/internal/input"
	"datakit.dev/internal/point"
	"datakit.dev/internal/spec"
)

const measurement = "nvidia_smi"

// Plugin returns the description of the input.
func Plugin() input.Plugin {
	return input.Plugin{
		Name:         measurement,
		Aliases:      []string{"gpu_smi"},
		Doc:          "Collects use, memory, temperature, clocks and power of NVIDIA's graphics processors, from the program nvidia-smi.",
		DocZH:        "通过 nvidia-smi 采集 NVIDIA GPU 的利用率、显存、温度、频率与功耗。",
		Options:      options(),
		Measurements: []input.Measurement{{Name: measurement, Doc: "One graphics processor.", DocZH: "单个 GPU。", Tags: tags(), Fields: fields()}},
		NewGatherer:  open,
	}
}

func options() []spec.Field {
	return []spec.Field{
		{
			Name: "bin_path", Type: spec.String, Example: "/usr/bin/nvidia-smi",
			Doc: "Where nvidia-smi is; where empty, it is looked for in PATH.", DocZH: "nvidia-smi 路径；为空时在 PATH 中查找。",
		},
		{
			Name: "bin_paths", Type: spec.Strings, Example: []string{"/usr/bin/nvidia-smi"},
			Doc: "Several programs that print as nvidia-smi does, instead of bin_path; each is run.", DocZH: "多个输出格式与 nvidia-smi 相同的程序，取代 bin_path，逐个执行。",
		},
		{
			Name: "envs", Type: spec.Strings, Example: []string{"LD_LIBRARY_PATH=/usr/local/corex/lib/"},
			Doc: "Environment variables for the program, NAME=VALUE.", DocZH: "程序的环境变量，格式 NAME=VALUE。",
		},
		{
			Name: "timeout", Type: spec.Duration, Default: 5 * time.Second, Min: 10 * time.Millisecond, Max: 5 * time.Minute,
			Doc: "How long the program may run; then it is ended with all that it started.", DocZH: "程序运行超时时间，超时后连同其子进程一并终止。",
		},
	}
}

type gatherer struct {
	paths   []string
	envs    []string
	timeout time.Duration
}

func open(_ input.Env, v spec.Values) (input.Gatherer, error) {
	g := &gatherer{paths: v.Strings("bin_paths"), envs: v.Strings("envs"), timeout: v.Duration("timeout")}
	if len(g.paths) == 0 {
		path := v.String("bin_path")
		if path == "" {
			path = "nvidia-smi"
		}
		g.paths = []string{path}
	}
	return g, nil
}

// Gather runs the programs and writes one point a graphics processor.
func (g *gatherer) Gather(ctx context.Context, sink input.Sink) error {
	var pts []point.Point
	var failed []error
	for _, path := range g.paths {
		out, err := g.run(ctx, path)
		if err != nil {
			failed = append(failed, err)
			continue
		}
		got, err := parse(out)
		if err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", path, err))
		}
		pts = append(pts, got...)
	}
	if len(pts) > 0 {
		failed = append(failed, sink.Write(ctx, point.Metric, pts))
	}
	return errors.Join(failed...)
}

func (g *gatherer) run(ctx context.Context, path string) ([]byte, error) {
	found, err := exec.LookPath(path)
	if err != nil {
		return nil, fmt.Errorf("%w: set bin_path to where nvidia-smi is", err)
	}
	return run(ctx, program{path: found, args: []string{"-q", "-x"}, envs: g.envs, timeout: g.timeout})
}
