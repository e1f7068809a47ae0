package logging

import (
	"slices"

	"github.com/fsnotify/fsnotify"
)

// maxWatched bounds the folders that are watched: the system has few watches
// for everybody. The files of the others are seen by the slow poll alone.
const maxWatched = 256

// A notifier hears from the file system what happens in some folders. It is a
// hint that saves waiting for the poll: on a file system without events, or
// behind a link, nothing is missed but the speed.
type notifier struct {
	watcher *fsnotify.Watcher // nil where the system gives none
	watched []string          // in order
}

func newNotifier() *notifier {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return &notifier{}
	}
	return &notifier{watcher: w}
}

// watch makes dirs the folders that are watched.
func (n *notifier) watch(dirs []string) {
	if n.watcher == nil {
		return
	}
	dirs = dirs[:min(len(dirs), maxWatched)]
	kept := make([]string, 0, len(dirs))
	for _, d := range n.watched {
		if _, ok := slices.BinarySearch(dirs, d); !ok {
			_ = n.watcher.Remove(d) // it is gone already where the folder is
		}
	}
	for _, d := range dirs {
		// Adding one that is watched costs nothing, and watches a folder that was
		// made anew under its old name.
		if n.watcher.Add(d) == nil {
			kept = append(kept, d)
		}
	}
	n.watched = kept
}

// events returns the channels to listen on; nil ones where there are none.
func (n *notifier) events() (<-chan fsnotify.Event, <-chan error) {
	if n.watcher == nil {
		return nil, nil
	}
	return n.watcher.Events, n.watcher.Errors
}

func (n *notifier) close() {
	if n.watcher != nil {
		_ = n.watcher.Close() // nothing is kept in it
	}
}
