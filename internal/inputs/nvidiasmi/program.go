package nvidiasmi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"datakit.dev/internal/diag"
)

const (
	// maxOutput is many times what nvidia-smi prints of sixteen processors.
	maxOutput = 8 << 20
	maxErrors = 4 << 10
)

var errTooLong = errors.New("the program prints more than 8 MiB")

type program struct {
	path    string
	args    []string
	envs    []string
	timeout time.Duration
}

// run returns what a program prints. It ends the program, with all that it
// started, when the time is over, ctx ends, or it prints too much.
func run(ctx context.Context, p program) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	cmd := exec.CommandContext(ctx, p.path, p.args...)
	cmd.Env = append(os.Environ(), p.envs...)
	stdout := &limited{left: maxOutput, full: func() { stop(errTooLong) }}
	stderr := &limited{left: maxErrors, full: func() {}}
	cmd.Stdout, cmd.Stderr = stdout, stderr
	// A child that left the group may hold the pipes open.
	cmd.WaitDelay = time.Second
	endGroup(cmd)
	err := cmd.Run()
	switch {
	case errors.Is(context.Cause(ctx), errTooLong):
		return nil, fmt.Errorf("%s: %w", p.path, errTooLong)
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return nil, fmt.Errorf("%s: ended after %v without an answer", p.path, p.timeout)
	case err != nil:
		line, _, _ := strings.Cut(strings.TrimSpace(stderr.buf.String()), "\n")
		if line == "" {
			line = "it says no more: run it by hand"
		}
		return nil, fmt.Errorf("%s: %w: %s", p.path, err, diag.OneLine(line))
	}
	return stdout.buf.Bytes(), nil
}

// A limited writer keeps the beginning of what is written.
type limited struct {
	buf  bytes.Buffer
	left int
	full func()
}

// Write always takes all of b: an error would close the pipe, and a program that
// dies of that tells nothing.
func (l *limited) Write(b []byte) (int, error) {
	n := min(len(b), l.left)
	l.buf.Write(b[:n])
	l.left -= n
	if n < len(b) {
		l.full()
	}
	return len(b), nil
}
