// Package file writes points as line protocol to a file that it rotates, or to
// standard output.
package file

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"datakit.dev/internal/output"
	"datakit.dev/internal/point/lineproto"
)

// The modes of what is created: metrics are not for everyone.
const (
	fileMode = 0o640
	dirMode  = 0o750
)

// keepBuffer is how large a buffer is kept for the next write.
const keepBuffer = 2 << 20

// A destination appends batches to the file at path. Each write leaves whole
// lines behind, or none.
type destination struct {
	path    string
	maxSize int64 // a write that would pass it goes to a new file
	backups int   // old files, path.1 being the newest
	log     *slog.Logger

	file *os.File // nil until the first write, and after a failure
	torn bool     // the file ends within a line: begin with a line break
	buf  []byte
}

// Write implements [output.Output].
func (d *destination) Write(ctx context.Context, b output.Batch) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("write to %s: %w", d.path, err)
	}
	d.buf = encode(d.buf, b)
	defer func() {
		if cap(d.buf) > keepBuffer {
			d.buf = nil
		}
	}()
	if len(d.buf) == 0 {
		return nil
	}
	size, err := d.ready(int64(len(d.buf)))
	if err != nil {
		return err
	}
	if d.torn {
		d.buf = append([]byte{'\n'}, d.buf...)
	}
	if _, err := d.file.Write(d.buf); err != nil {
		d.undo(size)
		return fmt.Errorf("write to the output file: %w", err)
	}
	d.torn = false
	return nil
}

// encode fills buf with the lines of b.
func encode(buf []byte, b output.Batch) []byte {
	buf, _ = lineproto.AppendAll(buf[:0], b.Points)
	return buf
}

// undo cuts off the part of a line that a full disk may have let through, so
// that the same points, written again, do not continue it.
func (d *destination) undo(size int64) {
	if err := d.file.Truncate(size); err != nil {
		d.torn = true
	}
}

// ready makes d.file the file at path, with room for n bytes, and returns its
// size. Who renames or removes the file gets a new one: the name counts, as for
// a log that logrotate turns.
func (d *destination) ready(n int64) (size int64, err error) {
	if d.file != nil {
		size, err = d.current()
		if err != nil {
			return 0, err
		}
	}
	if d.file == nil {
		if size, err = d.open(); err != nil {
			return 0, err
		}
	}
	if d.maxSize <= 0 || size == 0 || size+n <= d.maxSize || !d.regular() {
		return size, nil
	}
	if err := d.rotate(); err != nil {
		return 0, err
	}
	return d.open()
}

// current returns the size of the open file, and lets go of it where the name
// belongs to another one by now.
func (d *destination) current() (int64, error) {
	have, err := d.file.Stat()
	if err == nil {
		var named fs.FileInfo
		if named, err = os.Stat(d.path); err == nil && os.SameFile(have, named) {
			return have.Size(), nil
		}
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, fmt.Errorf("look at the output file: %w", err)
	}
	return 0, d.Close()
}

func (d *destination) open() (int64, error) {
	if err := os.MkdirAll(filepath.Dir(d.path), dirMode); err != nil {
		return 0, fmt.Errorf("make the folder of the output file: %w", err)
	}
	f, err := os.OpenFile(d.path, os.O_RDWR|os.O_CREATE|os.O_APPEND, fileMode)
	if err != nil {
		return 0, fmt.Errorf("open the output file: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		return 0, errors.Join(fmt.Errorf("look at the output file: %w", err), f.Close())
	}
	d.file, d.torn = f, endsWithinLine(f, info)
	return info.Size(), nil
}

// endsWithinLine reports that whoever wrote the file last was cut short.
func endsWithinLine(f *os.File, info fs.FileInfo) bool {
	if !info.Mode().IsRegular() || info.Size() == 0 {
		return false
	}
	var last [1]byte
	_, err := f.ReadAt(last[:], info.Size()-1)
	return err == nil && last[0] != '\n'
}

// regular reports whether the file can be turned and cut: not a device or pipe.
func (d *destination) regular() bool {
	info, err := d.file.Stat()
	return err == nil && info.Mode().IsRegular()
}

// rotate moves path to path.1, what is there to path.2, and so on; the oldest
// goes.
func (d *destination) rotate() error {
	if err := d.Close(); err != nil {
		return err
	}
	if d.backups == 0 {
		if err := os.Remove(d.path); err != nil {
			return fmt.Errorf("rotate the output file: %w", err)
		}
		return nil
	}
	for i := d.backups; i > 0; i-- {
		from := d.backup(i - 1)
		if err := os.Rename(from, d.backup(i)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("rotate the output file: %w", err)
		}
	}
	d.log.Debug("output file rotated", "path", d.path)
	return nil
}

func (d *destination) backup(i int) string {
	if i == 0 {
		return d.path
	}
	return fmt.Sprintf("%s.%d", d.path, i)
}

// Close implements [output.Output].
func (d *destination) Close() error {
	if d.file == nil {
		return nil
	}
	f := d.file
	d.file = nil
	if err := f.Close(); err != nil {
		return fmt.Errorf("close the output file: %w", err)
	}
	return nil
}

// A stream writes to what is open already, such as standard output.
type stream struct {
	to   io.Writer
	torn bool
	buf  []byte
}

// Write implements [output.Output].
func (s *stream) Write(ctx context.Context, b output.Batch) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("write to standard output: %w", err)
	}
	s.buf = encode(s.buf, b)
	if s.torn {
		s.buf = append([]byte{'\n'}, s.buf...)
	}
	n, err := s.to.Write(s.buf)
	if n > 0 {
		s.torn = !bytes.HasSuffix(s.buf[:n], []byte{'\n'})
	}
	if err != nil {
		return fmt.Errorf("write to standard output: %w", err)
	}
	return nil
}

// Close implements [output.Output]; standard output stays open.
func (*stream) Close() error { return nil }
