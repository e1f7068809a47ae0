package monitor

import (
	"fmt"

	"datakit.dev/internal/status"
)

// namedStore is a store with the name that origins have: a second one of a
// backend is "etcdv3#2".
type namedStore struct {
	id string
	status.Store
}

func stores(s status.Status) []namedStore {
	out := make([]namedStore, len(s.Stores))
	seen := map[string]int{}
	for i, st := range s.Stores {
		seen[st.Backend]++
		out[i] = namedStore{st.Backend, st}
		if n := seen[st.Backend]; n > 1 {
			out[i].id = fmt.Sprintf("%s#%d", st.Backend, n)
		}
	}
	return out
}

func keyID(k status.Key) string { return k.Store + ":" + k.Key }

func scriptID(s status.Script) string { return s.Namespace + ":" + s.Category + "/" + s.Name }

// The states of a script, which package status has as plain text.
const (
	scriptActive   = "active"
	scriptKept     = "kept"
	scriptRejected = "rejected"
)

func isBadStore(s status.StoreState) bool {
	return s == status.Stale || s == status.Denied
}

func isBadKey(s status.KeyState) bool { return s == status.Kept || s == status.Rejected }

func storeStyle(s status.StoreState) style {
	switch s {
	case status.Watching, status.Polling:
		return good
	case status.Stale, status.Denied:
		return bad
	case status.Held, status.Connecting:
		return warn
	case status.Disabled:
		return faint
	}
	return plain
}

func unitStyle(s status.UnitState) style {
	switch s {
	case status.Running:
		return good
	case status.Failed:
		return bad
	case status.Starting, status.Stopping:
		return warn
	}
	return plain
}

func keyStyle(s status.KeyState) style {
	switch {
	case isBadKey(s):
		return bad
	case s == status.Applied:
		return good
	}
	return plain
}

func scriptStyle(state string) style {
	switch state {
	case scriptActive:
		return good
	case scriptKept, scriptRejected:
		return bad
	}
	return plain
}
