package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"

	"datakit.dev/internal/config"
	"datakit.dev/internal/input"
	"datakit.dev/internal/point"
	"datakit.dev/internal/point/lineproto"
)

// between is the time from an input's first sample to its second.
const between = time.Second

// testInput runs the instances of one input until each has collected.
func (p program) testInput(ctx context.Context, args []string) (err error) {
	in, err := p.plugin(args[0])
	if err != nil {
		return err
	}
	text, origin := "[[inputs."+in.Name+"]]\n", "the defaults"
	if len(args) > 1 {
		if text, err = p.readValue(args[1]); err != nil {
			return err
		}
		origin = args[1]
	}
	instances, bad := p.Parts.Catalog.Instances(text)
	if len(bad) > 0 {
		return bad.In(origin, "")
	}
	// A folder of its own: the running agent's notes of where it was must stay.
	dir, err := os.MkdirTemp("", "datakit-test-")
	if err != nil {
		return fmt.Errorf("make a folder for the input: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	env := input.Env{Log: slog.New(slog.NewTextHandler(p.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})), Dir: dir}
	n := 0
	for _, one := range instances {
		if one.Plugin.Name != in.Name {
			continue
		}
		out := &printer{out: p.Stdout, tags: one.Labels()}
		if err := collect(ctx, one, env, out); err != nil {
			return fmt.Errorf("input %s: %w", in.Name, err)
		}
		n += out.points()
	}
	if n == 0 {
		return fmt.Errorf("input %s: no point was collected: is there anything to collect, and does %s ask for it?", in.Name, origin)
	}
	return nil
}

// collect runs one instance until it has collected, and contains its panic.
func collect(ctx context.Context, one *config.Instance, env input.Env, out *printer) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	gatherer, runner, err := one.Make(env)
	if err != nil {
		return fmt.Errorf("start: %w", err)
	}
	defer func() {
		for _, v := range []any{gatherer, runner} {
			if c, ok := v.(input.Closer); ok {
				err = errors.Join(err, c.Close())
			}
		}
	}()
	if runner != nil {
		return first(ctx, runner, out)
	}
	if one.Baseline() {
		if err := gatherer.Gather(ctx, out); err != nil {
			return fmt.Errorf("collect: %w", err)
		}
		pause(ctx, between)
	}
	if err := gatherer.Gather(ctx, out); err != nil {
		return fmt.Errorf("collect: %w", err)
	}
	return nil
}

// first runs r until it has written points.
func first(ctx context.Context, r input.Runner, out *printer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	out.wrote = cancel
	if err := r.Run(ctx, out); err != nil && out.points() == 0 {
		return fmt.Errorf("run: %w", err)
	}
	return nil
}

// printer is a sink that prints.
type printer struct {
	out   io.Writer
	tags  map[string]string
	wrote func() // called after points came; may be nil

	mu sync.Mutex
	n  int
}

// Write implements [input.Sink].
func (p *printer) Write(_ context.Context, _ point.Category, pts []point.Point) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var line []byte
	for i := range pts {
		if pts[i].Time == 0 {
			pts[i].Time = time.Now().UnixNano()
		}
		for k, v := range p.tags {
			if _, ok := pts[i].Tag(k); !ok {
				pts[i].SetTag(k, v)
			}
		}
		line = lineproto.Append(line[:0], &pts[i])
		if _, err := p.out.Write(line); err != nil {
			return fmt.Errorf("print a point: %w", err)
		}
		p.n++
	}
	if p.wrote != nil && len(pts) > 0 {
		p.wrote()
	}
	return nil
}

func (p *printer) points() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.n
}
