package logging

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"datakit.dev/internal/atomicfile"
)

const (
	// maxKept bounds the files that are remembered.
	maxKept = 20_000
	// keptFor is how long a file that is not seen any more is remembered, and
	// what an instance that is not configured any more has left.
	keptFor = 7 * 24 * time.Hour
	// maxLedger bounds what is read from disk.
	maxLedger = 64 << 20
)

// An entry is what is kept of one file.
type entry struct {
	Path string `json:"path"`
	identity
	Offset int64     `json:"offset"` // before it the flow has taken everything
	Lines  int64     `json:"lines"`
	Head   sample    `json:"head"`
	Tail   sample    `json:"tail"`
	Dead   bool      `json:"dead,omitempty"`
	Seen   time.Time `json:"seen"`

	gen int // counts how often the file began anew
}

// document is a ledger on disk.
type document struct {
	Version int       `json:"version"`
	Source  string    `json:"source"` // for people
	Globs   []string  `json:"globs"`
	Ignore  []string  `json:"ignore"`
	Saved   time.Time `json:"saved"`
	Files   []*entry  `json:"files"`

	path  string
	byID  map[identity]*entry
	taken bool // some entries went to another instance
}

// A mark says how far a batch has got in one file.
type mark struct {
	entry  *entry
	gen    int
	offset int64
	lines  int64
	tail   sample
}

// A ledger keeps how far one instance has read each file. The reader and the
// writer share it.
type ledger struct {
	log  *slog.Logger
	dir  string // "" keeps nothing on disk
	path string

	mu      sync.Mutex
	doc     document
	dirty   bool
	entries map[identity]*entry

	known  []*document // the own one of an earlier run, and what others left
	failed string      // the last error, so that it is told once
}

// openLedger reads what the instance itself and those that run no more have
// left in dir.
func openLedger(log *slog.Logger, dir string, s settings, runs func(owner string) bool, now time.Time) *ledger {
	l := &ledger{
		log: log, dir: dir, entries: map[identity]*entry{}, dirty: true,
		doc: document{Version: 1, Source: s.source, Globs: s.globs, Ignore: s.ignore},
	}
	if dir == "" {
		return l
	}
	l.path = filepath.Join(dir, s.owner+".json")
	names, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		log.Warn("offsets cannot be read, files are taken as new", "error", err)
	}
	for _, n := range names {
		owner, ok := strings.CutSuffix(n.Name(), ".json")
		if !ok || owner != s.owner && runs(owner) {
			continue
		}
		doc, err := readDocument(filepath.Join(dir, n.Name()))
		if err != nil {
			log.Warn("offsets cannot be read, its files are taken as new", "error", err)
			continue
		}
		if owner != s.owner && now.Sub(doc.Saved) > keptFor {
			_ = os.Remove(doc.path) // nobody has asked for it for long
			continue
		}
		l.known = append(l.known, doc)
	}
	// The own one first, then what was left last.
	slices.SortStableFunc(l.known, func(a, b *document) int {
		if own := a.path == l.path; own != (b.path == l.path) {
			if own {
				return -1
			}
			return 1
		}
		return b.Saved.Compare(a.Saved)
	})
	return l
}

func readDocument(path string) (*document, error) {
	fi, err := os.Stat(path)
	if err != nil {
		return nil, err //nolint:wrapcheck // a PathError says it all
	}
	if fi.Size() > maxLedger {
		return nil, fmt.Errorf("%s: %d bytes, at most %d are read", path, fi.Size(), maxLedger)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err //nolint:wrapcheck // a PathError says it all
	}
	doc := &document{path: path, byID: map[identity]*entry{}}
	if err := json.Unmarshal(b, doc); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	for _, e := range doc.Files {
		if e == nil || e.Offset < 0 || e.Lines < 0 || !e.Head.valid(headLen) || !e.Tail.valid(tailLen) {
			return nil, fmt.Errorf("%s: an entry that nobody can have written", path)
		}
		doc.byID[e.identity] = e
	}
	return doc, nil
}

// inherit returns what is known of a file from before, and takes it over; nil
// where it is nothing. The second result says that somebody followed its path
// before: it is then younger than that.
func (l *ledger) inherit(id identity, path string) (*entry, bool) {
	followed := false
	for _, doc := range l.known {
		if e, ok := doc.byID[id]; ok {
			doc.taken = true
			delete(doc.byID, id)
			return e, true
		}
		followed = followed || matches(doc.Globs, doc.Ignore, path)
	}
	return nil, followed
}

// left returns the entries nobody has inherited whose paths are followed: their
// files were renamed while nobody looked.
func (l *ledger) left(s settings) []*entry {
	var out []*entry
	for _, doc := range l.known {
		for _, e := range doc.byID {
			if matches(s.globs, s.ignore, e.Path) {
				out = append(out, e)
			}
		}
	}
	return out
}

// add begins to keep a file.
func (l *ledger) add(e *entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries[e.identity] = e
	l.dirty = true
}

// recall returns the entry of a file that was followed before in this run.
func (l *ledger) recall(id identity) (*entry, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e, ok := l.entries[id]
	return e, ok
}

// commit notes that the flow has taken what the marks say.
func (l *ledger) commit(marks []mark) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, m := range marks {
		if m.entry.gen == m.gen {
			m.entry.Offset, m.entry.Lines, m.entry.Tail, m.entry.Dead = m.offset, m.lines, m.tail, false
			l.dirty = true
		}
	}
}

// restart notes that a file began anew: marks from before count no more.
func (l *ledger) restart(e *entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e.gen++
	e.Offset, e.Lines, e.Head, e.Tail, e.Dead = 0, 0, sample{}, sample{}, false
	l.dirty = true
}

// peek returns e as it is now.
func (l *ledger) peek(e *entry) entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	return *e
}

// note keeps the beginning of a file, and its offset where it is the first.
func (l *ledger) note(e *entry, change func(*entry)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	was := *e
	change(e)
	l.dirty = l.dirty || *e != was
}

// save writes the ledger where it has changed. An error is logged once, and the
// next save tries again: reading goes on meanwhile.
func (l *ledger) save(now time.Time) {
	if l.dir == "" {
		return
	}
	b, ok, err := l.encode(now)
	if !ok {
		return
	}
	if err == nil {
		err = atomicfile.Write(l.path, b, 0o600)
	}
	if err == nil {
		err = l.release()
	}
	if err != nil {
		l.mu.Lock()
		l.dirty = true
		l.mu.Unlock()
		if l.failed != err.Error() {
			l.log.Warn("offsets cannot be saved: a restart would read lines again", "error", err)
		}
		l.failed = err.Error()
		return
	}
	l.failed = ""
}

func (l *ledger) encode(now time.Time) ([]byte, bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.dirty {
		return nil, false, nil
	}
	l.dirty = false
	l.prune(now)
	doc := l.doc
	doc.Saved = now
	doc.Files = slices.SortedFunc(maps.Values(l.entries), func(a, b *entry) int { return strings.Compare(a.Path, b.Path) })
	b, err := json.Marshal(doc)
	return b, true, err //nolint:wrapcheck // it cannot fail on these types
}

// prune forgets the files that nobody has seen for long.
func (l *ledger) prune(now time.Time) {
	maps.DeleteFunc(l.entries, func(_ identity, e *entry) bool { return now.Sub(e.Seen) > keptFor })
	if len(l.entries) <= maxKept {
		return
	}
	all := slices.SortedFunc(maps.Values(l.entries), func(a, b *entry) int { return a.Seen.Compare(b.Seen) })
	for _, e := range all[:len(all)-maxKept] {
		delete(l.entries, e.identity)
	}
}

// release takes what was inherited out of what others left: two that hold one
// file would make the next to come choose.
func (l *ledger) release() error {
	for _, doc := range l.known {
		if !doc.taken || doc.path == l.path {
			continue
		}
		if len(doc.byID) == 0 {
			if err := os.Remove(doc.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err //nolint:wrapcheck // a PathError says it all
			}
			doc.taken = false
			continue
		}
		doc.Files = slices.Collect(maps.Values(doc.byID))
		b, err := json.Marshal(doc)
		if err == nil {
			err = atomicfile.Write(doc.path, b, 0o600)
		}
		if err != nil {
			return fmt.Errorf("take over offsets: %w", err)
		}
		doc.taken = false
	}
	return nil
}
