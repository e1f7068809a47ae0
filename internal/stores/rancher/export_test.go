package rancher

import (
	"time"

	"datakit.dev/internal/store"
	"datakit.dev/internal/store/follow"
)

// OpenHolding opens a store whose requests are held for a shorter time than a
// test should take.
func OpenHolding(o store.Options, hold time.Duration) (store.Store, error) {
	src, err := newSource(o)
	if err != nil {
		return nil, err
	}
	src.hold = hold
	return follow.New("rancher", src, o.Log), nil
}
