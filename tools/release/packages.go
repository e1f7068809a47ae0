package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"embed"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/goreleaser/nfpm/v2"
	"github.com/goreleaser/nfpm/v2/deb"
	"github.com/goreleaser/nfpm/v2/files"
	"github.com/goreleaser/nfpm/v2/rpm"
)

// workDir is where the agent works, and looks for its configuration, where nobody
// says otherwise: the same for a package as for the installer, so that one
// manual is right for both.
const workDir = "/usr/local/datakit"

// written returns the folders of the work directory that the agent writes.
func written() []string { return []string{"cache", "data", "log", "pipeline_confd"} }

// account is the user and the group that the agent's files belong to.
const account = "datakit"

// The maintainer scripts, and what only packages hold.
//
//go:embed files
var packaging embed.FS

// systemPackage writes the deb or rpm of a platform and returns its name.
func (r *release) systemPackage(ctx context.Context, format string, t target, archive []file) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err //nolint:wrapcheck // interrupted
	}
	stage, err := os.MkdirTemp("", "datakit-"+format+"-")
	if err != nil {
		return "", fmt.Errorf("make the %s: %w", format, err)
	}
	defer os.RemoveAll(stage) //nolint:errcheck // the system clears what is left
	info, err := r.describe(stage, format, t, archive)
	if err != nil {
		return "", fmt.Errorf("make the %s: %w", format, err)
	}
	var packager nfpm.Packager = deb.Default
	if format == "rpm" {
		packager = rpm.DefaultRPM
	}
	var b bytes.Buffer
	if err := nfpm.PrepareForPackager(info, format); err != nil {
		return "", fmt.Errorf("make the %s: %w", format, err)
	}
	if err := packager.Package(info, &b); err != nil {
		return "", fmt.Errorf("make the %s: %w", format, err)
	}
	name := packager.ConventionalFileName(info)
	return name, r.write(name, b.Bytes())
}

// describe tells the packager everything, with the files below stage.
func (r *release) describe(stage, format string, t target, archive []file) (*nfpm.Info, error) {
	contents, err := r.contents(stage, format, archive)
	if err != nil {
		return nil, err
	}
	scripts := map[string]string{}
	for _, name := range []string{"preinstall", "postinstall", "preremove", "postremove"} {
		body, err := packaging.ReadFile("files/" + name + ".sh")
		if err != nil {
			return nil, err //nolint:wrapcheck // systemPackage wraps it
		}
		if scripts[name], err = put(stage, name, body); err != nil {
			return nil, err
		}
	}
	info := nfpm.WithDefaults(&nfpm.Info{
		Name: "datakit", Platform: "linux", Arch: t.arch, VersionSchema: "none", Version: packageVersion(r.version), Release: "1",
		Section: "admin", Priority: "optional", MTime: r.made,
		Maintainer: r.maintainer, Vendor: "DataKit", Homepage: "https://datakit.dev", License: "MIT",
		Description: "telemetry agent whose configuration lives in your config store\n" +
			"DataKit collects metrics, logs and traces. Its configuration lives in the\n" +
			"store that the operations team already runs: etcd, Consul, Redis, files and\n" +
			"others. A change there is live in seconds, and touches nothing else.",
	})
	info.Contents = contents
	info.Scripts = nfpm.Scripts{
		PreInstall: scripts["preinstall"], PostInstall: scripts["postinstall"],
		PreRemove: scripts["preremove"], PostRemove: scripts["postremove"],
	}
	info.RPM.BuildHost = "localhost" // and not the name of this machine
	if format == "deb" {
		// The group has to be there before the files are unpacked.
		info.Deb.Predepends = []string{"passwd"}
		info.Recommends = []string{"ca-certificates"}
		return info, nil
	}
	info.Depends = []string{"shadow-utils"}
	return info, nil
}

// contents lists the files of a package, and puts their bodies below stage.
func (r *release) contents(stage, format string, archive []file) (files.Contents, error) {
	list := r.folders()
	for _, f := range archive {
		to, kind := place(f.name, format)
		if to == "" {
			continue
		}
		body := f.body
		if strings.HasSuffix(to, ".gz") {
			body = squeeze(body)
		}
		src, err := put(stage, filepath.Join("root", filepath.FromSlash(to)), body)
		if err != nil {
			return nil, err
		}
		c := &files.Content{Source: src, Destination: to, Type: kind, FileInfo: r.owned("root", "root", f.mode)}
		if kind != "" {
			// It may hold the tokens of data gateways and the passwords of stores.
			c.FileInfo = r.owned("root", account, 0o640)
		}
		list = append(list, c)
	}
	return append(list, &files.Content{
		Source: "../local/datakit/datakit", Destination: "/usr/bin/datakit", Type: files.TypeSymlink, FileInfo: r.owned("root", "root", 0o777),
	}), nil
}

// folders are those of the work directory: the agent reads its configuration and
// writes the others.
func (r *release) folders() files.Contents {
	list := files.Contents{
		{Destination: workDir, Type: files.TypeDir, FileInfo: r.owned("root", "root", 0o755)},
		{Destination: workDir + "/conf.d", Type: files.TypeDir, FileInfo: r.owned("root", account, 0o750)},
		{Destination: workDir + "/pipeline", Type: files.TypeDir, FileInfo: r.owned("root", account, 0o750)},
	}
	for _, name := range written() {
		list = append(list, &files.Content{Destination: workDir + "/" + name, Type: files.TypeDir, FileInfo: r.owned(account, account, 0o750)})
	}
	return list
}

func (r *release) owned(user, group string, mode fs.FileMode) *files.ContentFileInfo {
	return &files.ContentFileInfo{Owner: user, Group: group, Mode: mode, MTime: r.made}
}

// place returns where a file of the archive goes in a package, and its kind; ""
// where it does not.
func place(name, format string) (to, kind string) {
	zsh := "/usr/share/zsh/site-functions/_datakit"
	licence := "/usr/share/licenses/datakit/LICENSE"
	if format == "deb" {
		zsh = "/usr/share/zsh/vendor-completions/_datakit"
		licence = "/usr/share/doc/datakit/copyright"
	}
	switch name {
	case "datakit":
		return workDir + "/datakit", ""
	case "datakit.conf.sample":
		return workDir + "/conf.d/datakit.conf", files.TypeConfigNoReplace
	case "LICENSE":
		return licence, ""
	case "README.md", "README.zh.md", noticesFile:
		return "/usr/share/doc/datakit/" + name, ""
	case "completions/datakit.bash":
		return "/usr/share/bash-completion/completions/datakit", ""
	case "completions/_datakit":
		return zsh, ""
	case "completions/datakit.fish":
		return "/usr/share/fish/vendor_completions.d/datakit.fish", ""
	case unit:
		return "/usr/lib/systemd/system/datakit.service", ""
	}
	if page, ok := strings.CutPrefix(name, "man/"); ok {
		return "/usr/share/man/" + page + ".gz", ""
	}
	return "", ""
}

// squeeze compresses a manual page, as the readers of both systems expect them.
func squeeze(body []byte) []byte {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		panic(err) // the level is a constant
	}
	_, _ = z.Write(body) // a buffer takes everything
	_ = z.Close()
	return b.Bytes()
}

// put writes a file below stage and returns its path.
func put(stage, name string, body []byte) (string, error) {
	path := filepath.Join(stage, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", err //nolint:wrapcheck // systemPackage wraps it
	}
	return path, os.WriteFile(path, body, 0o600) //nolint:wrapcheck // systemPackage wraps it
}

// described is what git describe adds behind a tag: commits since, and the last.
var described = regexp.MustCompile(`^[0-9]+-g[0-9a-f]+(-dirty)?$|^dirty$`)

// packageVersion returns a version as package tools compare them: a
// pre-release comes before its release, commits since a tag behind it, and what
// has no number before everything. No dash may be in it.
func packageVersion(v string) string {
	v = strings.TrimPrefix(v, "v")
	number, rest, more := strings.Cut(v, "-")
	dots := func(s string) string { return strings.NewReplacer("-", ".", "_", ".").Replace(s) }
	switch {
	case !regexp.MustCompile(`^[0-9]+(\.[0-9]+)+$`).MatchString(number):
		return "0~" + dots(path.Clean(v))
	case !more:
		return number
	case described.MatchString(rest):
		return number + "+" + dots(rest)
	}
	return number + "~" + dots(rest)
}
