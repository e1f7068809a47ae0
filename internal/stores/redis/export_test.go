package redis

import (
	"time"

	"datakit.dev/internal/store"
)

// Hasten has st, which was not used yet, look at its servers more often than it
// would, so that the tests need not wait for it.
func Hasten(st store.Store) { st.(*redis).src.look = 300 * time.Millisecond }
