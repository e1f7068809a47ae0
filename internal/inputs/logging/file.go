package logging

import (
	"bytes"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"os"
	"slices"
	"time"

	"datakit.dev/internal/point"
)

// An identity names a file, whatever it is called.
type identity struct{ Dev, Ino uint64 }

// A sample is a checksum over some bytes of a file, kept to know the file again:
// an inode is given to another file as soon as it is free.
type sample struct {
	Len int    `json:"len"`
	Sum uint64 `json:"sum"`
}

// valid reports that s, which was read from disk, is over at most longest bytes.
func (s sample) valid(longest int) bool { return s.Len >= 0 && s.Len <= longest }

const (
	headLen = 1024 // bytes at the beginning that a file is known by
	tailLen = 64   // bytes before the offset that it is known by
)

func sampleOf(b []byte) sample {
	h := fnv.New64a()
	_, _ = h.Write(b)
	return sample{len(b), h.Sum64()}
}

// tailOf is the sample of what lies before end.
func tailOf(buf []byte, end int) sample { return sampleOf(buf[max(0, end-tailLen):end]) }

var (
	errCut   = errors.New("the file was cut off or written anew")
	errMoved = errors.New("another file has taken the path")
)

// A file is one that is followed.
type file struct {
	id    identity
	label string // its path when it was first seen: what the points say
	path  string // where it lies now
	tags  []point.Tag
	entry *entry // what is kept of it; guarded by the ledger

	original *file // what this is a copy of; not read while that is whole
	linesAt  int64 // at at, of a copy

	fd     *os.File
	placed bool // the fields below are in use; until then at is where to begin
	at     int64
	base   int64  // where carry begins in the file
	carry  []byte // what is read and not yet a record, and up to tailLen bytes before
	start  int    // where in carry that record begins
	frame  frame
	lines  int64
	head   sample

	size    int64     // as the last scan saw it
	written time.Time // the same
	left    time.Time // written, when the file was closed
	grown   time.Time // when something was last read
	gone    time.Time // since when no path that is followed leads to it
	seen    uint64    // the last scan that found it
	dead    bool      // too old to begin with
	due     bool      // may hold something new
}

// pos is where the next read begins.
func (f *file) pos() int64 {
	if !f.placed {
		return f.at
	}
	return f.base + int64(len(f.carry))
}

// next is where the first byte lies that is no record yet.
func (f *file) next() int64 {
	if !f.placed {
		return f.at
	}
	return f.base + int64(f.start)
}

// pending is how much was read that is no record yet.
func (f *file) pending() int { return len(f.carry) - f.start }

// rested reports that a closed file has nothing new, nor anything unfinished.
func (f *file) rested() bool {
	return f.placed && f.pending() == 0 && f.size == f.pos() && f.written.Equal(f.left)
}

// open opens the file where it lies now.
func (f *file) open() error {
	fd, err := openFile(f.path)
	if err != nil {
		return err
	}
	fi, err := fd.Stat()
	if err == nil && !fi.Mode().IsRegular() {
		err = fmt.Errorf("%s is no regular file", f.path)
	}
	if err == nil {
		var id identity
		if id, err = identify(f.path, fi); err == nil && id != f.id {
			err = errMoved
		}
	}
	if err != nil {
		return errors.Join(err, fd.Close())
	}
	f.fd = fd
	return nil
}

func (f *file) close() {
	if f.fd != nil {
		_ = f.fd.Close() // it was only read
		f.fd = nil
	}
}

// place goes to where reading is to begin. It reports false where the file does
// not hold what was kept of it: it is another one then, and begins at 0.
func (f *file) place(known *entry) (bool, error) {
	offset := f.at
	f.placed, f.base, f.carry, f.start, f.frame, f.lines = true, 0, nil, 0, frame{}, 0
	ok, err := f.holds(offset, known)
	if err != nil {
		f.placed = false
		return false, err
	}
	if !ok {
		f.at = 0
		return false, nil
	}
	before, err := f.bytes(offset-min(offset, tailLen), int(min(offset, tailLen)))
	if err != nil {
		f.placed = false
		return false, err
	}
	f.base, f.carry, f.start = offset-int64(len(before)), before, len(before)
	if known != nil {
		f.lines = max(known.Lines, f.linesAt)
	}
	return true, nil
}

// holds reports that the file is as long as offset and, where something is known
// of it, still begins and ends there in the same way.
func (f *file) holds(offset int64, known *entry) (bool, error) {
	fi, err := f.fd.Stat()
	if err != nil || fi.Size() < offset {
		return false, err //nolint:wrapcheck // a PathError says it all
	}
	if known == nil {
		return true, nil
	}
	head, err := f.bytes(0, known.Head.Len)
	if err != nil {
		return false, err
	}
	tail, err := f.bytes(known.Offset-int64(known.Tail.Len), known.Tail.Len)
	return sampleOf(head) == known.Head && sampleOf(tail) == known.Tail, err
}

// bytes returns up to n bytes at off, none where that lies outside the file.
func (f *file) bytes(off int64, n int) ([]byte, error) {
	if off < 0 || n < 0 || n > headLen {
		return nil, nil
	}
	b := make([]byte, n)
	n, err := f.fd.ReadAt(b, off)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return b[:n], err //nolint:wrapcheck // a PathError says it all
}

// read returns what is not yet a record followed by up to chunk new bytes, in
// scratch, and how many are new. The same call reads the end of what was read
// before once more: a file that was cut off and has grown past the old place
// shows in those bytes, and in nothing else.
func (f *file) read(scratch []byte, chunk int) ([]byte, int, error) {
	buf := slices.Grow(append(scratch[:0], f.carry...), chunk)
	k := min(tailLen, len(buf))
	at := len(buf) - k
	n, err := f.fd.ReadAt(buf[at:at+k+chunk], f.base+int64(at))
	if err != nil && !errors.Is(err, io.EOF) {
		return buf[:0], 0, err //nolint:wrapcheck // a PathError says it all
	}
	if n < k || !bytes.Equal(buf[at:at+k], f.carry[at:]) {
		return buf[:0], 0, errCut
	}
	return buf[:at+n], n - k, nil
}

// keep holds on to the part of buf that is no record yet, which begins at start.
func (f *file) keep(buf []byte, start int) {
	from := max(0, start-tailLen)
	rest := buf[from:]
	if cap(f.carry) > 4*len(rest)+4096 {
		f.carry = nil // one long line must not stay in memory
	}
	f.carry = append(f.carry[:0], rest...)
	f.base += int64(from)
	f.start = start - from
}

// sampleHead keeps the sample of the file's beginning up to date while the file
// is short.
func (f *file) sampleHead() error {
	want := int(min(headLen, f.pos()))
	if f.head.Len >= want {
		return nil
	}
	b, err := f.bytes(0, want)
	if err == nil {
		f.head = sampleOf(b)
	}
	return err
}

// restart goes back to the beginning: what was there is gone.
func (f *file) restart() {
	f.at, f.placed = 0, true
	f.base, f.carry, f.start, f.frame, f.lines, f.head = 0, nil, 0, frame{}, 0, sample{}
	f.due = true
}
