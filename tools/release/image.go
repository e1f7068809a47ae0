package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// nobody is the user and the group in the image. It is a number, because
// Kubernetes can tell only of a number that it is not root.
const nobody = 65532

const (
	authoritiesFile = "etc/ssl/certs/ca-certificates.crt"
	imagePath       = workDir + ":/usr/local/bin:/usr/bin:/bin"
)

// image builds the image for the platforms among the targets that are Linux.
func (r *release) image(ctx context.Context) error {
	var built []platformImage
	for _, t := range r.targets {
		if t.os != "linux" {
			continue
		}
		img, err := r.imageFor(ctx, t)
		if err != nil {
			return fmt.Errorf("%s: %w", t, err)
		}
		built = append(built, platformImage{t, img})
	}
	if len(built) == 0 {
		return fmt.Errorf("an image is for Linux, and no target is: %v", r.targets)
	}
	return r.writeImage(built)
}

// imageFor builds the image of one platform: one layer, and how to run it.
func (r *release) imageFor(ctx context.Context, t target) (v1.Image, error) {
	binary, err := r.compile(ctx, t)
	if err != nil {
		return nil, err
	}
	body, err := os.ReadFile(binary)
	if err != nil {
		return nil, fmt.Errorf("read the binary: %w", err)
	}
	notices, err := r.notices(ctx, t)
	if err != nil {
		return nil, err
	}
	licence, err := os.ReadFile(filepath.Join(r.src, "LICENSE"))
	if err != nil {
		return nil, fmt.Errorf("read the licence: %w", err)
	}
	root, err := r.root(body, append(append(licence, '\n'), notices...))
	if err != nil {
		return nil, err
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(root)), nil },
		tarball.WithCompressionLevel(gzip.BestCompression), tarball.WithMediaType(types.OCILayer), tarball.WithCompressedCaching)
	if err != nil {
		return nil, fmt.Errorf("make the layer: %w", err)
	}
	img := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	// The layer is appended last: it adds itself to the list that the config holds.
	img, err = mutate.ConfigFile(img, r.imageConfig(t))
	if err != nil {
		return nil, fmt.Errorf("make the config: %w", err)
	}
	img, err = mutate.Append(img, mutate.Addendum{Layer: layer, History: v1.History{
		Created: v1.Time{Time: r.made}, CreatedBy: "make image", Comment: "the agent and Mozilla's certificate authorities",
	}})
	if err != nil {
		return nil, fmt.Errorf("append the layer: %w", err)
	}
	return img, nil
}

func (r *release) imageConfig(t target) *v1.ConfigFile {
	return &v1.ConfigFile{
		Architecture: t.arch, OS: t.os, Created: v1.Time{Time: r.made}, RootFS: v1.RootFS{Type: "layers"},
		Config: v1.Config{
			User:       fmt.Sprintf("%d:%d", nobody, nobody),
			Env:        []string{"PATH=" + imagePath, "SSL_CERT_FILE=/" + authoritiesFile},
			Entrypoint: []string{workDir + "/datakit"},
			Cmd:        []string{"run"},
			WorkingDir: workDir,
			// Queues and the backup of the stores' values outlive the container only there.
			Volumes:      map[string]struct{}{workDir + "/data": {}, workDir + "/cache": {}},
			ExposedPorts: map[string]struct{}{"9529/tcp": {}},
			Labels: map[string]string{
				"org.opencontainers.image.title":    "datakit",
				"org.opencontainers.image.version":  r.version,
				"org.opencontainers.image.licenses": "MIT",
			},
		},
	}
}

// root returns the file system of the image as a tar.
func (r *release) root(binary, licences []byte) ([]byte, error) {
	passwd := fmt.Sprintf("root:x:0:0:root:/:/nologin\n%s:x:%d:%[2]d:DataKit agent:%s:/nologin\n", account, nobody, workDir)
	group := fmt.Sprintf("root:x:0:\n%s:x:%d:\n", account, nobody)
	entries := []entry{
		{name: "etc/", mode: 0o755},
		{name: "etc/ssl/", mode: 0o755},
		{name: "etc/ssl/certs/", mode: 0o755},
		{name: authoritiesFile, mode: 0o644, body: authorities()},
		{name: "etc/group", mode: 0o644, body: []byte(group)},
		{name: "etc/passwd", mode: 0o644, body: []byte(passwd)},
		{name: "tmp/", mode: fs.ModeSticky | 0o777},
		{name: "usr/", mode: 0o755},
		{name: "usr/local/", mode: 0o755},
		{name: "usr/local/datakit/", mode: 0o750, owner: nobody},
		{name: "usr/local/datakit/LICENSES.txt", mode: 0o644, body: licences},
		{name: "usr/local/datakit/datakit", mode: 0o755, body: binary},
	}
	for _, name := range append([]string{"conf.d", "pipeline"}, written()...) {
		entries = append(entries, entry{name: "usr/local/datakit/" + name + "/", mode: 0o750, owner: nobody})
	}
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range entries {
		if err := e.write(w, r); err != nil {
			return nil, fmt.Errorf("pack %s: %w", e.name, err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("pack the root: %w", err)
	}
	return b.Bytes(), nil
}

// An entry is a file of the image, or a folder where its name ends in a slash.
type entry struct {
	name  string
	mode  fs.FileMode
	owner int
	body  []byte
}

func (e entry) write(w *tar.Writer, r *release) error {
	h := tar.Header{
		Typeflag: tar.TypeReg, Name: e.name, Mode: int64(e.mode.Perm()), Size: int64(len(e.body)),
		Uid: e.owner, Gid: e.owner, ModTime: r.made, Format: tar.FormatUSTAR,
	}
	if e.mode&fs.ModeSticky != 0 {
		h.Mode |= 0o1000
	}
	if e.name[len(e.name)-1] == '/' {
		h.Typeflag = tar.TypeDir
	}
	if err := w.WriteHeader(&h); err != nil {
		return err //nolint:wrapcheck // root wraps it
	}
	_, err := w.Write(e.body)
	return err //nolint:wrapcheck // root wraps it
}
