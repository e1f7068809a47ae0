package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// noticesFile holds the licences of what is linked into the agent, most of which
// ask for their text to go wherever the binary goes.
const noticesFile = "THIRD_PARTY_LICENSES.txt"

// notice is what the files of a module are called that have to go along.
var notice = regexp.MustCompile(`(?i)^(licen[cs]es?|copying|copyright|notice|patents)([.-].*)?$`)

// notices returns the licences of the modules that the binary of t holds, and of
// Go's own library.
func (r *release) notices(ctx context.Context, t target) ([]byte, error) {
	format := `{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}}	{{.Dir}}{{end}}{{end}}`
	list, err := r.goCommand(ctx, t, "list", "-deps", "-f", format, "./cmd/datakit").Output()
	if err != nil {
		return nil, failedCommand("go list", err)
	}
	goRoot, err := r.goCommand(ctx, t, "env", "GOROOT").Output()
	if err != nil {
		return nil, failedCommand("go env", err)
	}
	modules := strings.Split(strings.TrimSpace(string(list)), "\n")
	slices.Sort(modules)
	modules = append(slices.Compact(modules), "The Go standard library\t"+strings.TrimSpace(string(goRoot)))
	var b bytes.Buffer
	b.WriteString("DataKit holds the following works, under these licences.\n")
	for _, m := range modules {
		name, dir, _ := strings.Cut(m, "\t")
		if err := writeNotices(&b, name, dir); err != nil {
			return nil, err
		}
	}
	return b.Bytes(), nil
}

// writeNotices writes the licences of the module in dir. One without any is an
// error: nothing would allow us to ship it.
func writeNotices(b *bytes.Buffer, module, dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("read the licence of %s: %w", module, err)
	}
	found := false
	for _, e := range entries {
		if e.IsDir() || !notice.MatchString(e.Name()) || filepath.Ext(e.Name()) == ".go" {
			continue
		}
		body, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return fmt.Errorf("read the licence of %s: %w", module, err)
		}
		fmt.Fprintf(b, "\n%s\n%s: %s\n\n%s\n", strings.Repeat("=", 80), module, e.Name(), bytes.TrimSpace(body))
		found = true
	}
	if !found {
		return fmt.Errorf("%s comes without a licence: it must not be shipped", module)
	}
	return nil
}

// goCommand is a go command for t, in the source. What a machine has set for
// itself must not become part of a binary.
func (r *release) goCommand(ctx context.Context, t target, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "go", args...) //nolint:gosec // the arguments are ours, and the version is checked
	cmd.Dir = r.src
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+t.os, "GOARCH="+t.arch, "GOFLAGS=", "GOEXPERIMENT=",
		"GOAMD64=v1", "GOARM64=v8.0", "GOFIPS140=off", "GOWORK=off")
	return cmd
}
