package file

import (
	"errors"
	"io/fs"
	"log/slog"
	"maps"
	"sync"

	"github.com/fsnotify/fsnotify"
)

// A notifier tells when something changes in the watched directories, and
// whether it can tell at all.
type notifier struct {
	log  *slog.Logger
	runs *sync.WaitGroup

	open func() (*fsnotify.Watcher, error)

	mu      sync.Mutex
	closed  bool
	watcher *fsnotify.Watcher // nil where the system gives none
	moved   chan struct{}     // closed at the next change
	dirty   map[string]bool   // paths that changed since the last look
	wanted  map[string]bool   // directories of the look that runs
	reason  string            // why this look could not watch everything
	polling string            // why changes have to be polled for; "" where they have not
}

func newNotifier(log *slog.Logger, runs *sync.WaitGroup) *notifier {
	return &notifier{log: log, runs: runs, open: fsnotify.NewWatcher, moved: make(chan struct{}), dirty: map[string]bool{}}
}

// next returns a channel that is closed at the next change.
func (n *notifier) next() <-chan struct{} {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.moved
}

// Polling reports whether some change may come without notice.
func (n *notifier) Polling() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.polling != ""
}

// begin starts the watching of one look: it opens the watcher where there is
// none, so that a limit that was reached once does not mean polling for ever.
func (n *notifier) begin(paths []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.wanted, n.reason = map[string]bool{}, ""
	for _, p := range paths {
		if kind := remoteFS(p); kind != "" {
			n.reason = kind + " tells of no change made elsewhere"
		}
	}
	if n.watcher != nil || n.closed {
		return
	}
	w, err := n.open()
	if err != nil {
		n.reason = err.Error()
		return
	}
	n.watcher = w
	n.runs.Go(func() { n.listen(w) })
}

// watch adds a directory.
func (n *notifier) watch(dir string) {
	n.mu.Lock()
	w := n.watcher
	seen := n.wanted[dir]
	n.wanted[dir] = true
	n.mu.Unlock()
	if w == nil || seen {
		return
	}
	// Added again at every look: a directory that was replaced by another one of
	// the same name has lost its watch without a word.
	err := w.Add(dir)
	if err == nil || errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return // the walk itself runs into what is wrong with dir
	}
	n.mu.Lock()
	n.reason = err.Error()
	n.mu.Unlock()
}

// end forgets the directories that the look did not meet.
func (n *notifier) end() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.watcher != nil {
		for _, dir := range n.watcher.WatchList() {
			if !n.wanted[dir] {
				_ = n.watcher.Remove(dir) // it may be gone already
			}
		}
	}
	if n.reason != n.polling && n.reason != "" {
		n.log.Warn("polling for changes of files", "reason", n.reason)
	}
	n.polling = n.reason
}

// touched returns the paths that changed since the last call.
func (n *notifier) touched() map[string]bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	out := maps.Clone(n.dirty)
	clear(n.dirty)
	return out
}

func (n *notifier) listen(w *fsnotify.Watcher) {
	for {
		select {
		case e, ok := <-w.Events:
			if !ok {
				return
			}
			n.change(e.Name)
		case _, ok := <-w.Errors:
			if !ok {
				return
			}
			n.change() // most likely the queue ran over: anything may have changed
		}
	}
}

// maxDirty bounds the memory of changes that nobody looks at.
const maxDirty = 10_000

func (n *notifier) change(paths ...string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, p := range paths {
		if len(n.dirty) < maxDirty {
			n.dirty[p] = true
		}
	}
	close(n.moved)
	n.moved = make(chan struct{})
}

func (n *notifier) close() {
	n.mu.Lock()
	w := n.watcher
	n.watcher, n.closed = nil, true
	n.mu.Unlock()
	if w != nil {
		_ = w.Close()
	}
}
