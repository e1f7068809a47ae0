package watch

import (
	"time"

	"datakit.dev/internal/store"
)

// moves keeps what one store lost while another is settling: it may be on its
// way there.
type moves struct {
	shown map[string]store.Snapshot // what was shown last, by the ID of the source
	since map[string]time.Time      // when a source first lost what is kept
}

// keep puts into views what they have lost since they were shown, where another
// one is settling. A store that never comes to rest keeps nothing longer than
// its limit.
func (m *moves) keep(views []View, limits []time.Duration) {
	settling := 0
	for _, v := range views {
		if v.settling {
			settling++
		}
	}
	shown, since := make(map[string]store.Snapshot, len(views)), map[string]time.Time{}
	for i := range views {
		v := &views[i]
		id, others := v.Source.ID, settling
		if v.settling {
			others--
		}
		if others > 0 {
			if lost := gone(m.shown[id], v.Snapshot); len(lost) > 0 {
				since[id] = m.begun(id)
				if time.Since(since[id]) < limits[i] {
					v.Snapshot = restore(v.Snapshot, lost)
				}
			}
		}
		shown[id] = v.Snapshot
	}
	m.shown, m.since = shown, since
}

func (m *moves) begun(id string) time.Time {
	if at, ok := m.since[id]; ok {
		return at
	}
	return time.Now()
}
