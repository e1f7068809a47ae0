package console

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
)

// What `make console` builds from web/: the shell and its assets, each packed. A
// build without it holds nothing there, and shows the plain page alone.
//
//go:embed all:dist
var built embed.FS

// The names below dist.
const (
	shellName = "index.html"
	packed    = ".gz"
)

// An asset is one built file.
type asset struct {
	gz   []byte
	mime string
	etag string
	// forever says that the name holds the hash of what is in it, so that nobody
	// has to ask for it again.
	forever bool
}

// loadAssets returns the built files by their path; none where nothing was built.
func loadAssets(dist fs.FS) (map[string]asset, error) {
	out := map[string]asset{}
	err := fs.WalkDir(dist, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, packed) {
			return err
		}
		gz, err := fs.ReadFile(dist, name)
		if err != nil {
			return fmt.Errorf("read %s: %w", name, err)
		}
		name = strings.TrimSuffix(name, packed)
		kind := mediaType(path.Ext(name))
		if kind == "" {
			return fmt.Errorf("%s: no media type is known for it", name)
		}
		sum := sha256.Sum256(gz)
		out["/"+name] = asset{gz: gz, mime: kind, etag: `"` + hex.EncodeToString(sum[:12]) + `"`, forever: strings.HasPrefix(name, "assets/")}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("the console's files: %w", err)
	}
	if _, ok := out["/"+shellName]; !ok && len(out) > 0 {
		return nil, errors.New("the console's files: " + shellName + " is not among them")
	}
	return out, nil
}

// mediaType returns the type of a file: of our own list, as what a system thinks of
// .js differs, and a browser takes no script of another type.
func mediaType(ext string) string {
	switch ext {
	case ".html":
		return "text/html; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	}
	return mime.TypeByExtension(ext)
}

// serve answers with the file.
func (a asset) serve(w http.ResponseWriter, req *http.Request, code int) {
	h := w.Header()
	h.Set("Content-Type", a.mime)
	h.Set("Vary", "Accept-Encoding")
	h.Set("Cache-Control", "no-cache") // that is: ask whether it is still the same
	if a.forever {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	if code != http.StatusOK { // of another page than was asked for
		a.write(w, req, code)
		return
	}
	h.Set("ETag", a.etag)
	if matches(req.Header.Get("If-None-Match"), a.etag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	a.write(w, req, code)
}

func (a asset) write(w http.ResponseWriter, req *http.Request, code int) {
	h, body := w.Header(), io.Reader(bytes.NewReader(a.gz))
	if takesGzip(req.Header.Get("Accept-Encoding")) {
		h.Set("Content-Encoding", "gzip")
		h.Set("Content-Length", strconv.Itoa(len(a.gz)))
	} else if plain, err := gzip.NewReader(body); err == nil { // it is ours: it can be read
		body = plain
	}
	w.WriteHeader(code)
	if req.Method != http.MethodHead {
		_, _ = io.Copy(w, body) // a client that left is told nothing
	}
}

// matches reports whether an If-None-Match names etag.
func matches(header, etag string) bool {
	for part := range strings.SplitSeq(header, ",") {
		if part = strings.TrimSpace(part); part == "*" || strings.TrimPrefix(part, "W/") == etag {
			return true
		}
	}
	return false
}

// takesGzip reports whether a client that sends this Accept-Encoding takes gzip.
func takesGzip(accept string) bool {
	star := false
	for part := range strings.SplitSeq(accept, ",") {
		name, rest, _ := strings.Cut(part, ";")
		name = strings.TrimSpace(name)
		q := strings.TrimPrefix(strings.ReplaceAll(rest, " ", ""), "q=")
		refused := q != "" && strings.Trim(q, "0.") == "" // q=0, q=0.000
		switch {
		case strings.EqualFold(name, "gzip"), strings.EqualFold(name, "x-gzip"):
			return !refused
		case name == "*":
			star = !refused
		}
	}
	return star
}

// pages are the paths that the shell answers for: what is shown there it finds in
// the address.
func pages() []string {
	return []string{"/", "/units", "/changes", "/stores", "/keys", "/scripts", "/query"}
}

// isPage reports whether the shell has a page at path.
func isPage(path string) bool { return slices.Contains(pages(), path) }
