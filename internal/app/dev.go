package app

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"datakit.dev/internal/workdir"
)

// devFolder is the work directory of `datakit run --dev`, under the current one.
const devFolder = "datakit-dev"

// The files that a first `run --dev` finds in its work directory.
const (
	devMain = `# The main configuration of a trial agent. See docs/configuration.md.
[http_api]
  listen = "localhost:9529"
[io]
  output_file = "-"        # points go to standard output
[confd]
  debounce = "200ms"       # 2s by default; a trial wants to see changes at once
[[confds]]
  backend = "file"
  file = [%q]
`
	devInput = `# Change a value and save: the next points show it. Nothing else restarts.
[[inputs.cpu]]
  interval = "2s"
  percpu = false
  [inputs.cpu.tags]
    # some_tag = "some_value"
`
)

// prepareDev makes the work directory of a trial agent at path, or under the
// current directory where path is ""; what is there stays.
func prepareDev(path string) (workdir.Dir, error) {
	if path == "" {
		path = devFolder
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("run --dev: %w", err)
	}
	dir := workdir.Dir(path)
	files := map[string]string{
		dir.Main():                fmt.Sprintf(devMain, devStore(dir)),
		devFile(dir):              devInput,
		devStore(dir) + "/README": "A file store: confd/NAME.conf holds inputs, pipeline/CATEGORY/NAME.p scripts.\n",
	}
	for path, text := range files {
		if err := create(path, text); err != nil {
			return "", fmt.Errorf("run --dev: %w", err)
		}
	}
	return dir, nil
}

func devStore(dir workdir.Dir) string { return filepath.Join(string(dir), "store") }
func devFile(dir workdir.Dir) string {
	return filepath.Join(devStore(dir), "confd", "cpu.conf")
}

// create writes text to a new file at path; one that is there stays.
func create(path, text string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return err //nolint:wrapcheck // prepareDev wraps it
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o640)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err //nolint:wrapcheck // prepareDev wraps it
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

// greet tells a newcomer where to look, what to edit and how to put a key.
func greet(w io.Writer, dir workdir.Dir) {
	fmt.Fprintf(w, "points    show below, one line each; http://localhost:9529/ shows the agent\n")
	fmt.Fprintf(w, "edit      %s and save: the next points show it\n", devFile(dir))
	fmt.Fprintf(w, "put a key %s confd put mem --dir %s, and type [[inputs.mem]]; or name a real store in %s\n",
		os.Args[0], dir, dir.Main())
}
