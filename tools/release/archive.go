package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"cmp"
	"compress/flate"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"time"
)

// archive writes the archive of one platform and returns its name.
func (r *release) archive(t target, files []file) (string, error) {
	name, pack := t.archive("-"+r.version), writeTarGz
	if t.os == "windows" {
		pack = writeZip
	}
	var b bytes.Buffer
	if err := pack(&b, files, r.made); err != nil {
		return "", fmt.Errorf("write %s: %w", name, err)
	}
	return name, r.write(name, b.Bytes())
}

// archive returns the name of an archive for t.
func (t target) archive(version string) string {
	kind := ".tar.gz"
	if t.os == "windows" {
		kind = ".zip"
	}
	return "datakit-" + t.os + "-" + t.arch + version + kind
}

// newest gives the archive of t a second name that is the same for every version:
// it is what an install script can ask for without knowing which is the newest.
func (r *release) newest(t target) (string, error) {
	name := t.archive("")
	path := filepath.Join(r.out, name)
	if err := errors.Join(os.RemoveAll(path), os.Link(filepath.Join(r.out, t.archive("-"+r.version)), path)); err != nil {
		return "", fmt.Errorf("name the newest archive: %w", err)
	}
	return name, nil
}

// write puts a file into the output folder, whole or not at all.
func (r *release) write(name string, body []byte) error {
	path := filepath.Join(r.out, name)
	if err := errors.Join(os.WriteFile(path+".part", body, 0o644), os.Rename(path+".part", path)); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}

// writeTarGz writes files as a compressed tar.
func writeTarGz(w io.Writer, files []file, made time.Time) error {
	z, err := gzip.NewWriterLevel(w, gzip.BestCompression)
	if err != nil {
		return err //nolint:wrapcheck // archive wraps it
	}
	return errors.Join(writeTar(z, files, made), z.Close())
}

// writeTar writes files in the order of their names, with nothing of this
// machine or this user in it.
func writeTar(w io.Writer, files []file, made time.Time) error {
	t := tar.NewWriter(w)
	for _, f := range sorted(files) {
		h := tar.Header{
			Typeflag: tar.TypeReg, Name: f.name, Mode: int64(f.mode.Perm()), Size: int64(len(f.body)),
			ModTime: made, Uname: "root", Gname: "root", Format: tar.FormatUSTAR,
		}
		if err := t.WriteHeader(&h); err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
		if _, err := t.Write(f.body); err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
	}
	return t.Close() //nolint:wrapcheck // the caller wraps it
}

// writeZip writes files as a zip.
func writeZip(w io.Writer, files []file, made time.Time) error {
	z := zip.NewWriter(w)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) {
		return flate.NewWriter(w, flate.BestCompression)
	})
	for _, f := range sorted(files) {
		h := zip.FileHeader{Name: path.Clean(f.name), Method: zip.Deflate, Modified: made}
		h.SetMode(f.mode)
		entry, err := z.CreateHeader(&h)
		if err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
		if _, err := entry.Write(f.body); err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
	}
	return z.Close() //nolint:wrapcheck // the caller wraps it
}

func sorted(files []file) []file {
	return slices.SortedFunc(slices.Values(files), func(a, b file) int { return cmp.Compare(a.name, b.name) })
}
