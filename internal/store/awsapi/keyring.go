package awsapi

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// early is how long before their end keys are replaced, so that none runs out
// on the way.
const early = 5 * time.Minute

// A keyring holds the keys of now.
type keyring struct {
	static *aws.Credentials // those of the options, which nothing replaces
	finder finder
	turn   chan struct{}    // holds the right to change found
	found  *aws.Credentials // nil before the first call, and after drop
}

func newKeyring(static *aws.Credentials, f finder) *keyring {
	return &keyring{static: static, finder: f, turn: make(chan struct{}, 1)}
}

// get returns keys that still hold for a while, found anew where they must be.
// Where that fails, the old ones are good to their very end.
func (k *keyring) get(ctx context.Context) (aws.Credentials, error) {
	if k.static != nil {
		return *k.static, nil
	}
	select {
	case k.turn <- struct{}{}:
		defer func() { <-k.turn }()
	case <-ctx.Done():
		return aws.Credentials{}, ctx.Err()
	}
	if k.found != nil && k.lasts(early) {
		return *k.found, nil
	}
	found, err := k.finder.keys(ctx)
	switch {
	case err == nil:
		k.found = &found
	case k.found == nil || !k.lasts(0):
		return aws.Credentials{}, err
	}
	return *k.found, nil
}

func (k *keyring) lasts(d time.Duration) bool {
	return !k.found.CanExpire || k.finder.now().Add(d).Before(k.found.Expires)
}

// drop forgets keys that a service refused, unless they were replaced since. It
// reports whether others may be found.
func (k *keyring) drop(refused aws.Credentials) bool {
	if k.static != nil {
		return false
	}
	k.turn <- struct{}{}
	defer func() { <-k.turn }()
	if k.found != nil && k.found.AccessKeyID == refused.AccessKeyID && k.found.SessionToken == refused.SessionToken {
		k.found = nil
	}
	return true
}
