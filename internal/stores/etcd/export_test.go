package etcd

import (
	"time"

	"datakit.dev/internal/store"
)

// OpenHolding opens a store whose polls are held for a shorter time than a test
// should take.
func OpenHolding(o store.Options, hold time.Duration) (store.Store, error) {
	e, err := open(o)
	if err == nil {
		e.src.hold = hold
	}
	return e, err
}
