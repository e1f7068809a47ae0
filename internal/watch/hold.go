package watch

import (
	"slices"
	"strings"
	"time"

	"datakit.dev/internal/store"
)

// holdMin is how many entries a deletion must take to be held back.
const holdMin = 3

// held is a mass deletion that waits for a second look.
type held struct {
	gone  []store.Entry // what the store lacks, by key
	until time.Time
}

// gone returns the entries of was that now lacks.
func gone(was, now store.Snapshot) []store.Entry {
	var out []store.Entry
	for _, e := range was.Entries {
		if _, ok := now.Get(e.Key); !ok {
			out = append(out, e)
		}
	}
	return out
}

// isMass reports whether losing n of total entries looks like an accident: a
// wiped data directory, a wrong prefix, a half-restored cluster.
func isMass(n, total int) bool { return n >= holdMin && 2*n > total }

// grew reports whether now holds a key that was does not: the deletion goes on,
// and the second look has to wait for all of it.
func grew(was, now []store.Entry) bool {
	return slices.ContainsFunc(now, func(e store.Entry) bool {
		return !slices.ContainsFunc(was, func(w store.Entry) bool { return w.Key == e.Key })
	})
}

// restore returns now with the held entries still in it: a deletion that waits
// must not keep the other changes of the store waiting.
func restore(now store.Snapshot, entries []store.Entry) store.Snapshot {
	all := slices.Concat(now.Entries, entries)
	slices.SortFunc(all, func(a, b store.Entry) int { return strings.Compare(a.Key, b.Key) })
	return store.Snapshot{Revision: now.Revision, Entries: all}
}
