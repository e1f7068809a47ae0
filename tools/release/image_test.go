package main

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

func imageTar(r *release) string { return "datakit-image-" + r.version + ".tar" }

// An opened image is the tar's files, of which each blob has been checked against
// its name.
type opened struct {
	t     *testing.T
	files map[string][]byte
	seen  map[string]bool
}

func openImage(t *testing.T, r *release) *opened {
	t.Helper()
	_, files := untar(t, bytes.NewReader(made(t, r, imageTar(r))))
	for path, body := range files {
		if hex, ok := strings.CutPrefix(path, "blobs/sha256/"); ok && hex != fmt.Sprintf("%x", sha256.Sum256(body)) {
			t.Errorf("%s does not hold what its name says", path)
		}
	}
	return &opened{t, files, map[string]bool{"oci-layout": true, "index.json": true, "manifest.json": true}}
}

// blob returns what d describes, which has to be there in the size that d says.
func (o *opened) blob(d v1.Descriptor) []byte {
	o.t.Helper()
	path := blob(d.Digest)
	body, ok := o.files[path]
	if !ok || int64(len(body)) != d.Size {
		o.t.Fatalf("%s: %d bytes, expected %d", path, len(body), d.Size)
	}
	o.seen[path] = true
	return body
}

// read decodes JSON that names no field twice and none that v does not know.
func read[T any](t *testing.T, body []byte) (v T) {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&v); err != nil {
		t.Fatalf("%v\n%s", err, body)
	}
	return v
}

// images returns the config and the layer of every platform.
func (o *opened) images() (configs []v1.ConfigFile, layers [][]byte) {
	o.t.Helper()
	outer := read[v1.IndexManifest](o.t, o.files["index.json"])
	if len(outer.Manifests) != 1 {
		o.t.Fatalf("%d names in the index", len(outer.Manifests))
	}
	if got := outer.Manifests[0].Annotations["io.containerd.image.name"]; got != "docker.io/library/datakit:"+testVersion {
		o.t.Errorf("docker would call it %q", got)
	}
	for _, d := range read[v1.IndexManifest](o.t, o.blob(outer.Manifests[0])).Manifests {
		m := read[v1.Manifest](o.t, o.blob(d))
		config := read[v1.ConfigFile](o.t, o.blob(m.Config))
		if len(m.Layers) != 1 || d.Platform.OS != "linux" || d.Platform.Architecture != config.Architecture {
			o.t.Fatalf("%+v, %+v", d, m)
		}
		layer, err := io.ReadAll(gunzip(o.t, o.blob(m.Layers[0])))
		if err != nil {
			o.t.Fatal(err)
		}
		if id := config.RootFS.DiffIDs[0].Hex; id != fmt.Sprintf("%x", sha256.Sum256(layer)) {
			o.t.Errorf("the layer is not %s", id)
		}
		configs, layers = append(configs, config), append(layers, layer)
	}
	return configs, layers
}

// Every digest and size of the layout is right, and nothing lies in it that
// nobody names.
func TestImageLayout(t *testing.T) {
	o := openImage(t, built(t))
	configs, _ := o.images()
	if len(configs) != 1 || configs[0].Architecture != runtime.GOARCH {
		t.Fatalf("it holds %+v", configs)
	}
	c := configs[0].Config
	if c.User != "65532:65532" || !slices.Equal(c.Entrypoint, []string{"/usr/local/datakit/datakit"}) || !slices.Equal(c.Cmd, []string{"run"}) {
		t.Errorf("it runs %+v", c)
	}
	if !configs[0].Created.Equal(time.Unix(1700000000, 0)) || len(configs[0].History) != 1 {
		t.Errorf("it was made %v, by %+v", configs[0].Created, configs[0].History)
	}
	for path := range o.files {
		if !o.seen[path] {
			t.Errorf("nobody names %s", path)
		}
	}
	if got := string(o.files["oci-layout"]); !strings.Contains(got, `"imageLayoutVersion": "1.0.0"`) {
		t.Errorf("oci-layout: %s", got)
	}
}

// A docker that knows no OCI layout finds each platform under its own tag.
func TestImageLoadsIntoOldDocker(t *testing.T) {
	r := built(t)
	tag, err := name.NewTag("datakit:" + testVersion + "-" + runtime.GOARCH)
	if err != nil {
		t.Fatal(err)
	}
	img, err := tarball.ImageFromPath(filepath.Join(r.out, imageTar(r)), &tag)
	if err != nil {
		t.Fatal(err)
	}
	config, err := img.ConfigFile()
	if err != nil || config.Architecture != runtime.GOARCH {
		t.Fatalf("%+v, %v", config, err)
	}
	layers, err := img.Layers()
	if err != nil || len(layers) != 1 {
		t.Fatalf("%v, %v", layers, err)
	}
	if id, err := layers[0].DiffID(); err != nil || id != config.RootFS.DiffIDs[0] {
		t.Errorf("the layer is %v, expected %v (%v)", id, config.RootFS.DiffIDs[0], err)
	}
}

// One image for every platform that Kubernetes nodes have.
func TestImageForEveryPlatform(t *testing.T) {
	if os.Getenv("DATAKIT_TEST_ALL") == "" {
		t.Skip("builds for other platforms: DATAKIT_TEST_ALL=1 does it")
	}
	t.Setenv("SOURCE_DATE_EPOCH", testEpoch)
	r, err := newRelease(t.Context(), "../..", t.TempDir(), testVersion, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if r.targets, err = parseTargets(allTargets); err != nil {
		t.Fatal(err)
	}
	if err := r.image(t.Context()); err != nil {
		t.Fatal(err)
	}
	configs, layers := openImage(t, r).images()
	if len(configs) != 2 || configs[0].Architecture != "amd64" || configs[1].Architecture != "arm64" {
		t.Fatalf("it holds %+v", configs)
	}
	// The machine that the ELF header names: x86-64, and AArch64.
	for i, machine := range []byte{62, 183} {
		_, bodies := untar(t, bytes.NewReader(layers[i]))
		if got := bodies["usr/local/datakit/datakit"][18]; got != machine {
			t.Errorf("%s: the binary is for the machine %d", configs[i].Architecture, got)
		}
	}
}

// There is no shell, no package manager, and nothing that is not listed here.
func TestImageHoldsNoMore(t *testing.T) {
	_, layers := openImage(t, built(t)).images()
	headers, _ := untar(t, bytes.NewReader(layers[0]))
	var got []string
	for _, h := range headers {
		if h.Typeflag == tar.TypeReg {
			got = append(got, h.Name)
		}
		if h.Mode&0o022 != 0 && h.Name != "tmp/" || h.Mode&0o6000 != 0 {
			t.Errorf("%s: others may write it, or it changes the user: %o", h.Name, h.Mode)
		}
	}
	if want := []string{authoritiesFile, "etc/group", "etc/passwd", "usr/local/datakit/LICENSES.txt", "usr/local/datakit/datakit"}; !slices.Equal(got, want) {
		t.Errorf("it holds %v", got)
	}
}

// The authorities are Mozilla's, whole, and without those that are trusted with a
// condition which a file cannot say.
func TestAuthorities(t *testing.T) {
	rest, n := authorities(), 0
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil || !cert.IsCA {
			t.Fatalf("%v: %v", block, err)
		}
		n++
	}
	if len(rest) > 0 || n < 80 {
		t.Errorf("%d authorities, and %d bytes behind them", n, len(rest))
	}
	if !x509.NewCertPool().AppendCertsFromPEM(authorities()) {
		t.Error("Go does not take the file")
	}
}
