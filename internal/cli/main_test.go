package cli_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"datakit.dev/internal/cli"
	"datakit.dev/internal/config"
	"datakit.dev/internal/diag"
	funcs "datakit.dev/internal/funcs/all"
	"datakit.dev/internal/input"
	"datakit.dev/internal/inputs/mem"
	"datakit.dev/internal/point"
	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
	"datakit.dev/internal/stores/file"
)

// TestMain makes `datakit` a command of the scripts: the real command line over
// the real file store, the real mem input and the small inputs below.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"datakit": func() { os.Exit(execute()) }})
}

func execute() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return cli.Execute(ctx, deps(os.Stdin, os.Stdout, os.Stderr), os.Args[1:])
}

func deps(in io.Reader, out, errs io.Writer) cli.Deps {
	plugins := []input.Plugin{mem.Plugin(), tick(), stream(), broken()}
	parts := config.Parts{Backends: []store.Backend{file.Backend(), readOnly()}, Catalog: config.NewCatalog(plugins)}
	env := map[string]string{}
	for _, pair := range os.Environ() {
		k, v, _ := strings.Cut(pair, "=")
		env[k] = v
	}
	funcs, err := funcs.Table()
	if err != nil {
		panic(err)
	}
	return cli.Deps{
		Version: "1.2.3", Parts: parts, Inputs: plugins, Env: env, CheckScript: checkScript, Funcs: funcs,
		Run:     func(ctx context.Context, o cli.RunOptions) error { return runAgent(ctx, parts, env, o) },
		Monitor: func(ctx context.Context, o cli.MonitorOptions) error { return pollTwice(ctx, out, o) },
		Stdin:   in, Stdout: out, Stderr: errs,
	}
}

// checkScript stands for the compiler: a script is fine unless it says "bad".
func checkScript(_ point.Category, _, text string) diag.List {
	if i := strings.Index(text, "bad"); i >= 0 {
		return diag.List{{Pos: diag.At(text, i), Message: "expected a statement"}}
	}
	return nil
}

func option(name string, t spec.Type) spec.Field {
	return spec.Field{Name: name, Type: t, Doc: "An option.", DocZH: "选项。", Secret: name == "password"}
}

// tick writes one point a collection; its first one only takes a sample.
func tick() input.Plugin {
	return input.Plugin{
		Name: "tick", Doc: "Counts its collections.", DocZH: "计数。", Baseline: true,
		Options: []spec.Field{option("step", spec.Int), option("password", spec.String)},
		NewGatherer: func(_ input.Env, v spec.Values) (input.Gatherer, error) {
			if v.Int("step") < 0 {
				return nil, errors.New("step is negative: count upwards")
			}
			return &ticker{step: v.Int("step")}, nil
		},
	}
}

type ticker struct{ n, step int64 }

func (t *ticker) Gather(ctx context.Context, sink input.Sink) error {
	if t.n++; t.n == 1 {
		return nil
	}
	p := point.New("tick", 2)
	p.Add("n", point.IntOf(t.n))
	p.Add("step", point.IntOf(t.step))
	return sink.Write(ctx, point.Metric, []point.Point{p})
}

// stream paces itself.
func stream() input.Plugin {
	return input.Plugin{
		Name: "stream", Doc: "Writes on its own.", DocZH: "自行写入。",
		NewRunner: func(input.Env, spec.Values) (input.Runner, error) { return streamer{}, nil },
	}
}

type streamer struct{}

func (streamer) Run(ctx context.Context, sink input.Sink) error {
	p := point.New("stream", 1)
	p.Add("n", point.IntOf(1))
	if err := sink.Write(ctx, point.Metric, []point.Point{p}); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

// broken fails by panic.
func broken() input.Plugin {
	return input.Plugin{
		Name: "broken", Doc: "Fails.", DocZH: "失败。",
		NewGatherer: func(input.Env, spec.Values) (input.Gatherer, error) { return breaker{}, nil },
	}
}

type breaker struct{}

func (breaker) Gather(context.Context, input.Sink) error { panic("on purpose") }

// readOnly is the file store without its other half.
func readOnly() store.Backend {
	b := file.Backend()
	b.Name, b.Traits.Writes = "mounted", false
	open := b.Open
	b.Open = func(o store.Options) (store.Store, error) {
		s, err := open(o)
		return struct{ store.Store }{s}, err
	}
	return b
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"code": code, "until": until,
		},
		Setup: func(e *testscript.Env) error {
			e.Setenv("EDITOR", "")
			e.Setenv("VISUAL", "")
			e.Setenv("GORACE", "atexit_sleep_ms=0") // a second for each command otherwise
			e.Setenv("TMPDIR", e.WorkDir)
			return nil
		},
	})
}

// code runs a command that has to exit with the code that comes first, and where
// it fails checks that its error is one line.
func code(ts *testscript.TestScript, _ bool, args []string) {
	err := ts.Exec(args[1], args[2:]...)
	got := 0
	if ee, ok := errors.AsType[*exec.ExitError](err); ok {
		got = ee.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if strconv.Itoa(got) != args[0] {
		ts.Fatalf("exit code %d, expected %s\n%s", got, args[0], ts.ReadFile("stderr"))
	}
	if text := ts.ReadFile("stderr"); got != 0 && !isOneError(text) {
		ts.Fatalf("the error is not one line: %q", text)
	}
}

// isOneError reports whether text is one line of error, which only the
// differences that were shown may come before.
func isOneError(text string) bool {
	if strings.HasPrefix(text, "--- ") {
		text = text[strings.LastIndex(strings.TrimSuffix(text, "\n"), "\n")+1:]
	}
	return strings.Count(text, "\n") == 1 && strings.HasPrefix(text, "datakit: ")
}

// until runs a command again until its output matches the pattern that comes
// first.
func until(ts *testscript.TestScript, _ bool, args []string) {
	want := regexp.MustCompile("(?s)" + args[0])
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	limit := time.NewTimer(20 * time.Second)
	defer limit.Stop()
	for {
		var last string
		if err := ts.Exec(args[1], args[2:]...); err == nil {
			if last = ts.ReadFile("stdout"); want.MatchString(last) {
				return
			}
		}
		select {
		case <-again.C:
		case <-limit.C:
			ts.Fatalf("no output matched %q; the last was %s", args[0], last)
		}
	}
}

var discard = slog.New(slog.DiscardHandler)
