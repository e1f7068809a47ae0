package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// imageName is what the image is called before somebody gives it the name of
// their registry.
const imageName = "datakit"

// A platformImage is the image of one platform.
type platformImage struct {
	target
	v1.Image
}

// writeImage writes all images as one tar, an OCI layout. A manifest in Docker's
// own format lies beside it, for a `docker load` that knows no other.
func (r *release) writeImage(images []platformImage) error {
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, img := range images {
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: img.Image, Descriptor: v1.Descriptor{
			Platform: &v1.Platform{OS: img.os, Architecture: img.arch},
		}})
	}
	named := mutate.AppendManifests(mutate.IndexMediaType(empty.Index, types.OCIImageIndex), mutate.IndexAddendum{Add: index, Descriptor: v1.Descriptor{
		Annotations: map[string]string{
			"io.containerd.image.name":          "docker.io/library/" + imageName + ":" + r.version,
			"org.opencontainers.image.ref.name": r.version,
		},
	}})
	dir, err := os.MkdirTemp("", "datakit-image-")
	if err != nil {
		return fmt.Errorf("write the image: %w", err)
	}
	defer os.RemoveAll(dir) //nolint:errcheck // the system clears what is left
	if _, err := layout.Write(dir, named); err != nil {
		return fmt.Errorf("write the image: %w", err)
	}
	files, err := filesBelow(dir)
	if err != nil {
		return fmt.Errorf("write the image: %w", err)
	}
	manifest, err := r.dockerManifest(images)
	if err != nil {
		return fmt.Errorf("describe the image to docker: %w", err)
	}
	var b bytes.Buffer
	if err := writeTar(&b, append(files, file{"manifest.json", 0o644, manifest}), r.made); err != nil {
		return fmt.Errorf("write the image: %w", err)
	}
	name := fmt.Sprintf("datakit-image-%s.tar", r.version)
	if err := r.write(name, b.Bytes()); err != nil {
		return err
	}
	fmt.Fprintln(r.log, path.Join(r.out, name))
	return r.write(name+".sha256", fmt.Appendf(nil, "%x  %s\n", sha256.Sum256(b.Bytes()), name))
}

// filesBelow reads every file below dir.
func filesBelow(dir string) (files []file, err error) {
	root := os.DirFS(dir)
	err = fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := fs.ReadFile(root, name)
		files = append(files, file{name, 0o644, body})
		return err //nolint:wrapcheck // a PathError says it all
	})
	return files, err //nolint:wrapcheck // a PathError says it all
}

// dockerManifest names the images to a docker without containerd's image store.
// Such a one has no image of several platforms, so each has its name.
func (r *release) dockerManifest(images []platformImage) ([]byte, error) {
	type manifest struct {
		Config   string
		RepoTags []string
		Layers   []string
	}
	var list []manifest
	for _, img := range images {
		m, err := img.Manifest()
		if err != nil {
			return nil, err //nolint:wrapcheck // writeImage wraps it
		}
		one := manifest{Config: blob(m.Config.Digest), RepoTags: []string{imageName + ":" + r.version + "-" + img.arch}}
		for _, l := range m.Layers {
			one.Layers = append(one.Layers, blob(l.Digest))
		}
		list = append(list, one)
	}
	return json.Marshal(list) //nolint:wrapcheck // strings only
}

func blob(h v1.Hash) string { return path.Join("blobs", h.Algorithm, h.Hex) }
