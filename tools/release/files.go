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
	"regexp"
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

// The systemd unit in an archive, and what it is made from.
const (
	unit         = "systemd/datakit.service"
	unitTemplate = "internal/install/datakit.service"
)

// commonFiles returns what stands beside the binary on every platform.
func (r *release) commonFiles(ctx context.Context) ([]file, error) {
	files := []file{{"datakit.conf.sample", 0o644, sampleConf}}
	for _, name := range []string{"LICENSE", "README.md", "README.zh.md"} {
		body, err := os.ReadFile(filepath.Join(r.src, name))
		if err != nil {
			return nil, fmt.Errorf("read what goes into the archives: %w", err)
		}
		files = append(files, file{name, 0o644, body})
	}
	service, err := r.service()
	if err != nil {
		return nil, err
	}
	files = append(files, service...)
	generated, err := r.generated(ctx)
	if err != nil {
		return nil, err
	}
	files = append(files, generated...)
	slices.SortFunc(files, func(a, b file) int { return strings.Compare(a.name, b.name) })
	return files, nil
}

// blank is a place that the installer fills in.
var blank = regexp.MustCompile(`%[A-Z]+%`)

// service returns the unit that the installer would write for an agent in
// [workDir]; none where the source brings none.
func (r *release) service() ([]file, error) {
	body, err := os.ReadFile(filepath.Join(r.src, filepath.FromSlash(unitTemplate)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the systemd unit: %w", err)
	}
	var folders []string
	for _, name := range written() {
		folders = append(folders, "-"+workDir+"/"+name)
	}
	text := strings.NewReplacer("%PROGRAM%", workDir+"/datakit", "%DIR%", workDir, "%WRITABLE%", strings.Join(folders, " ")).Replace(string(body))
	_, text, ok := strings.Cut(text, "[Unit]") // what comes before is about the installer
	if left := blank.FindString(text); left != "" || !ok {
		return nil, fmt.Errorf("the systemd unit %s is not one that can be filled in: %q", unitTemplate, left)
	}
	return []file{{unit, 0o644, []byte("# Put changes of your own into a drop-in: systemctl edit datakit\n[Unit]" + text)}}, nil
}

// generated returns what the agent itself writes: completions and manual pages.
func (r *release) generated(ctx context.Context) (files []file, err error) {
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

// installers puts the install scripts beside the archives, where they look for
// them, and returns the names of those that the source brings.
func (r *release) installers() (names []string, err error) {
	for _, name := range []string{"install.sh", "install.ps1"} {
		body, err := os.ReadFile(filepath.Join(r.src, "deploy", name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read the install scripts: %w", err)
		}
		if err := r.write(name, body); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, nil
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
