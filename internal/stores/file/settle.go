package file

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"syscall"
	"time"

	"datakit.dev/internal/store"
)

// A file is taken only when two looks, settle apart, show the same: someone may
// be half-way through writing it. An empty file is often one that was just
// truncated, so it has to stay empty for longer. What keeps moving past
// maxLooks fails the read.
const (
	settle     = 25 * time.Millisecond
	emptyLooks = 6
	maxLooks   = 40
	// young is the age below which the time of a change is not trusted: the
	// clock of a file system may be too coarse to tell two writes apart.
	young = 2 * time.Second
)

// A tree is one look at the listed paths.
type tree struct {
	snapshot store.Snapshot
	sources  []source // sorted by key, as the entries of snapshot
	young    bool     // something changed so recently that it may be half-written
	empty    bool     // one of the young files is empty
}

// cache holds the files that were read, by path.
type cache map[string]content

type content struct {
	info  fs.FileInfo
	entry store.Entry // without its key
}

// settled looks until two looks agree.
func (f *files) settled(ctx context.Context) (tree, error) {
	last, err := f.glance(ctx)
	if err != nil || !last.young {
		return last, err
	}
	same, moving := 0, ""
	for range maxLooks {
		if err := f.rest(ctx, settle); err != nil {
			return tree{}, err
		}
		next, err := f.glance(ctx)
		if err != nil {
			return tree{}, err
		}
		if same++; !next.equal(last) {
			same, moving = 0, next.differs(last)
		}
		if same >= emptyLooks || same > 0 && !next.empty {
			return next, nil
		}
		last = next
	}
	return tree{}, fmt.Errorf("%w: %s keeps changing while it is read", store.ErrUnavailable, moving)
}

func (t tree) equal(o tree) bool {
	return t.snapshot.Revision == o.snapshot.Revision &&
		slices.EqualFunc(t.sources, o.sources, func(a, b source) bool { return a.path == b.path && unchanged(a.info, b.info) })
}

// differs returns the first path that is not in both as it is.
func (t tree) differs(o tree) string {
	for i, s := range t.sources {
		if i >= len(o.sources) || o.sources[i].path != s.path || !unchanged(o.sources[i].info, s.info) {
			return s.path
		}
	}
	return "a directory"
}

// glance is one look.
func (f *files) glance(ctx context.Context) (tree, error) {
	f.notify.begin(f.paths)
	w, err := walk(ctx, f.paths, f.notify.watch)
	if err != nil {
		return tree{}, err
	}
	f.notify.end()
	for path := range f.notify.touched() {
		delete(f.cache, path)
	}
	if !slices.Equal(w.hidden, f.hidden) {
		f.hidden = w.hidden
		for _, path := range w.hidden {
			f.log.Warn("a file is not read: another one listed before it has the same key", "path", path)
		}
	}
	t, err := f.cache.read(ctx, w)
	if err != nil {
		return tree{}, classify(err)
	}
	return t, nil
}

// read returns the tree that w found, reading only the files that are not in c
// as they are now.
func (c cache) read(ctx context.Context, w *walker) (tree, error) {
	t := tree{sources: w.sources}
	slices.SortFunc(t.sources, func(a, b source) int {
		if a.key < b.key {
			return -1
		}
		return 1
	})
	now := time.Now()
	entries, size, seen := make([]store.Entry, 0, len(w.sources)), 0, make(map[string]bool, len(w.sources))
	for _, s := range t.sources {
		if err := ctx.Err(); err != nil {
			return tree{}, err
		}
		have, err := c.get(s, now)
		if errors.Is(err, fs.ErrNotExist) {
			t.young = true // deleted since the walk: the next look will tell
			continue
		}
		if err != nil {
			return tree{}, err
		}
		seen[s.path] = true
		fresh := isYoung(have.info, now) || !unchanged(have.info, s.info)
		t.young = t.young || fresh
		t.empty = t.empty || fresh && have.info.Size() == 0
		have.entry.Key = s.key
		entries = append(entries, have.entry)
		if size += len(s.key) + len(have.entry.Value); size > store.MaxTree {
			return tree{}, fmt.Errorf("%w: the files hold over %d bytes", errBound, store.MaxTree)
		}
	}
	maps.DeleteFunc(c, func(path string, _ content) bool { return !seen[path] })
	t.young = t.young || slices.ContainsFunc(w.dirs, func(d fs.FileInfo) bool { return isYoung(d, now) })
	var err error
	t.snapshot, err = store.NewSnapshot(revisionOf(entries), entries)
	return t, err
}

// get returns the content of s, from c where that cannot be out of date.
func (c cache) get(s source, now time.Time) (content, error) {
	if have, ok := c[s.path]; ok && !isYoung(s.info, now) && unchanged(have.info, s.info) {
		return have, nil
	}
	have, err := readFile(s.path)
	if err == nil {
		c[s.path] = have
	}
	return have, err
}

func isYoung(info fs.FileInfo, now time.Time) bool { return now.Sub(info.ModTime()) < young }

func unchanged(a, b fs.FileInfo) bool {
	return a.Size() == b.Size() && a.ModTime().Equal(b.ModTime()) && os.SameFile(a, b)
}

// readFile reads one regular file, and of a value that is too large only the size.
func readFile(path string) (content, error) {
	// Should a pipe have taken the file's place, opening it must not block.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return content{}, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return content{}, err
	}
	if !info.Mode().IsRegular() {
		return content{}, fmt.Errorf("%s is no regular file any more", path)
	}
	c := content{info: info}
	if info.Size() > store.MaxValue {
		c.entry.TooLarge = int(info.Size())
		c.entry.Revision = store.Revision(fmt.Sprintf("%d bytes, %d", info.Size(), info.ModTime().UnixNano()))
		return c, nil
	}
	b, err := io.ReadAll(io.LimitReader(f, store.MaxValue+1))
	if err != nil {
		return content{}, err
	}
	sum := sha256.Sum256(b)
	c.entry.Value = string(b)
	c.entry.Revision = store.Revision(hex.EncodeToString(sum[:8]))
	return c, nil
}

// revisionOf names the content: the same files have the same revision, on every
// machine.
func revisionOf(entries []store.Entry) store.Revision {
	h := sha256.New()
	for _, e := range entries {
		fmt.Fprintf(h, "%d:%s=%s;", len(e.Key), e.Key, e.Revision)
	}
	return store.Revision(hex.EncodeToString(h.Sum(nil)[:8]))
}
