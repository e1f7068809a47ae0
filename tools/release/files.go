package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// A file is one file of an archive, under its name there.
type file struct {
	name string
	mode fs.FileMode
	body []byte
}

// sampleConf is the datakit.conf that packages install.
//
//go:embed files/datakit.conf
var sampleConf []byte

// unit is the name of the systemd unit in an archive.
const unit = "systemd/datakit.service"

// commonFiles returns what stands beside the binary on every platform.
func (r *release) commonFiles(ctx context.Context) ([]file, error) {
	files := []file{{"datakit.conf.sample", 0o644, sampleConf}}
	for from, to := range map[string]string{
		"LICENSE": "LICENSE", "README.md": "README.md", "README.zh.md": "README.zh.md",
		"deploy/systemd/datakit.service": unit,
	} {
		body, err := os.ReadFile(filepath.Join(r.src, filepath.FromSlash(from)))
		if errors.Is(err, fs.ErrNotExist) && to == unit {
			continue // a source that brings none
		}
		if err != nil {
			return nil, fmt.Errorf("read what goes into the archives: %w", err)
		}
		files = append(files, file{to, 0o644, body})
	}
	written, err := r.written(ctx)
	if err != nil {
		return nil, err
	}
	files = append(files, written...)
	slices.SortFunc(files, func(a, b file) int { return strings.Compare(a.name, b.name) })
	return files, nil
}

// written returns what the agent itself writes: completions and manual pages.
func (r *release) written(ctx context.Context) (files []file, err error) {
	binary, err := r.compile(ctx, host())
	if err != nil {
		return nil, err
	}
	for shell, name := range map[string]string{
		"bash": "datakit.bash", "zsh": "_datakit", "fish": "datakit.fish", "powershell": "datakit.ps1",
	} {
		body, err := exec.CommandContext(ctx, binary, "completion", shell).Output()
		if err != nil {
			return nil, failedCommand("datakit completion", err)
		}
		files = append(files, file{"completions/" + name, 0o644, body})
	}
	dir, err := os.MkdirTemp("", "datakit-man-")
	if err != nil {
		return nil, fmt.Errorf("write the manual pages: %w", err)
	}
	defer os.RemoveAll(dir) //nolint:errcheck // the system clears what is left
	if _, err := exec.CommandContext(ctx, binary, "man", dir).Output(); err != nil {
		return nil, failedCommand("datakit man", err)
	}
	pages, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("read the manual pages: %w", err)
	}
	for _, p := range pages {
		body, err := os.ReadFile(filepath.Join(dir, p.Name()))
		if err != nil {
			return nil, fmt.Errorf("read the manual pages: %w", err)
		}
		files = append(files, file{path.Join("man", "man1", p.Name()), 0o644, body})
	}
	return files, nil
}

// forSystem returns the files that have a use on one operating system.
func forSystem(files []file, system string) (list []file) {
	for _, f := range files {
		switch {
		case f.name == unit && system != "linux":
		case strings.HasPrefix(f.name, "man/") && system == "windows":
		default:
			list = append(list, f)
		}
	}
	return list
}
