package app

import (
	"context"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"datakit.dev/internal/cli"
	"datakit.dev/internal/diag"
	"datakit.dev/internal/install"
	"datakit.dev/internal/pipeline"
	"datakit.dev/internal/pipeline/grok"
	"datakit.dev/internal/point"
	"datakit.dev/internal/workdir"
)

// Main runs the command line and returns the exit code: 0 done, 1 it failed,
// 2 wrong use.
func Main(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	env := environment(os.Environ())
	return cli.Execute(ctx, cli.Deps{
		Version: Version, Parts: parts(), Inputs: catalog(), Funcs: functions(), Env: env, CheckScript: checkScript,
		Stdin: stdin, Stdout: stdout, Stderr: stderr,
		Monitor: func(ctx context.Context, o cli.MonitorOptions) error { return watchAgent(ctx, o, stdin, stdout) },
		Extra:   install.Commands(install.Deps{Version: Version, Parts: parts(), Env: env, Stdin: stdin, Stdout: stdout}),
		Run: func(ctx context.Context, o cli.RunOptions) error {
			dir := workdir.Dir(o.Dir)
			if o.Dev {
				var err error
				if dir, err = prepareDev(o.Dir); err != nil {
					return err
				}
				greet(stderr, dir)
			}
			return underService(ctx, func(ctx context.Context) error { return run(ctx, dir, env, stdout, stderr) })
		},
	}, args)
}

// checkScript says what is wrong with a script, by the functions and patterns of
// this build: what runs on the agents may know more patterns.
func checkScript(_ point.Category, name, text string) diag.List {
	patterns, err := grok.NewSet(nil)
	if err != nil {
		return diag.List{{Message: err.Error()}}
	}
	return pipeline.Check(name, text, pipeline.Options{Funcs: functions(), Patterns: patterns})
}

func environment(list []string) map[string]string {
	env := make(map[string]string, len(list))
	for _, pair := range list {
		k, v, _ := strings.Cut(pair, "=")
		env[k] = v
	}
	return env
}
