//go:build unix

package logging

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// identify names the file behind a path, whatever it is called.
func identify(path string, fi fs.FileInfo) (identity, error) {
	st, ok := fi.Sys().(*syscall.Stat_t)
	if !ok {
		return identity{}, fmt.Errorf("%s: no inode", path)
	}
	return identity{uint64(st.Dev), uint64(st.Ino)}, nil //nolint:unconvert // other widths elsewhere
}

// openFile opens a file for reading. It does not block on what became a pipe.
func openFile(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) //nolint:wrapcheck // a PathError says it all
}
