package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// A release is one version of the source on its way to being published.
type release struct {
	src, out, version string
	made              time.Time // what every file is dated, so that the day of the build does not show
	targets           []target
	maintainer        string // whom a user of the packages writes to
	log               io.Writer
}

// A target is a platform that a binary is for.
type target struct{ os, arch string }

func (t target) String() string { return t.os + "/" + t.arch }

// exe returns what the names of programs end in.
func (t target) exe() string {
	if t.os == "windows" {
		return ".exe"
	}
	return ""
}

// host returns the platform of this machine.
func host() target { return target{runtime.GOOS, runtime.GOARCH} }

// goodVersion is what a version may be: it becomes a part of file names, of
// linker flags and of image names.
var goodVersion = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$`)

func newRelease(ctx context.Context, src, out, version string, log io.Writer) (*release, error) {
	src, err := filepath.Abs(src)
	if err != nil {
		return nil, fmt.Errorf("find the source: %w", err)
	}
	out, err = filepath.Abs(out)
	if err != nil {
		return nil, fmt.Errorf("find the output folder: %w", err)
	}
	if version == "" {
		if version, err = git(ctx, src, "describe", "--tags", "--always", "--dirty"); err != nil {
			return nil, fmt.Errorf("find the version, which -version also sets: %w", err)
		}
	}
	if !goodVersion.MatchString(version) {
		return nil, fmt.Errorf("the version %q has to be letters, digits, dots, dashes and underscores", version)
	}
	made, err := sourceDate(ctx, src, os.Getenv("SOURCE_DATE_EPOCH"))
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return nil, fmt.Errorf("make the output folder: %w", err)
	}
	return &release{src: src, out: out, version: version, made: made, log: log}, nil
}

// sourceDate returns the time of the source: epoch, which is the value of
// SOURCE_DATE_EPOCH, or that of the last commit.
func sourceDate(ctx context.Context, src, epoch string) (time.Time, error) {
	if epoch == "" {
		var err error
		if epoch, err = git(ctx, src, "log", "-1", "--format=%ct"); err != nil {
			return time.Time{}, fmt.Errorf("find the date of the source, which SOURCE_DATE_EPOCH also sets: %w", err)
		}
	}
	// A zip knows no time before 1980 and no archive one after 2106.
	n, err := strconv.ParseInt(epoch, 10, 64)
	if err != nil || n < 315619200 || n > 1<<32-1 {
		return time.Time{}, fmt.Errorf("SOURCE_DATE_EPOCH %q: expected seconds since 1970, after 1980", epoch)
	}
	return time.Unix(n, 0).UTC(), nil
}

func git(ctx context.Context, dir string, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, "git", append([]string{"-C", dir}, args...)...).Output()
	if err != nil {
		return "", failedCommand("git "+args[0], err)
	}
	return strings.TrimSpace(string(out)), nil
}

// failedCommand returns err with what the command wrote to standard error.
func failedCommand(name string, err error) error {
	if ee, ok := errors.AsType[*exec.ExitError](err); ok && len(ee.Stderr) > 0 {
		return fmt.Errorf("%s: %w: %s", name, err, strings.TrimSpace(string(ee.Stderr)))
	}
	return fmt.Errorf("%s: %w", name, err)
}

// compile builds the agent for t and returns the path of the binary.
func (r *release) compile(ctx context.Context, t target) (string, error) {
	path := filepath.Join(r.src, ".cache", "release", t.os+"-"+t.arch, "datakit"+t.exe())
	// What git says of the folder is left out: the same source outside of a
	// repository has to give the same binary, and -ldflags names the version.
	cmd := r.goCommand(ctx, t, "build", "-trimpath", "-buildvcs=false",
		"-ldflags", "-s -w -X datakit.dev/internal/app.Version="+r.version, "-o", path, "./cmd/datakit")
	cmd.Stderr = r.log
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("go build: %w", err)
	}
	return path, nil
}
