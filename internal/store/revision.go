package store

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"maps"
	"slices"
)

// hashBytes is how much of a hash a revision shows: enough that two contents of
// one tree never meet.
const hashBytes = 8

// RevisionOf returns a revision made from a value, for a store that has none of
// its own.
func RevisionOf(value string) Revision {
	h := sha256.Sum256([]byte(value))
	return Revision(hex.EncodeToString(h[:hashBytes]))
}

// TreeRevision returns a revision made from the keys and values of a tree, for a
// store that has none of its own. The revisions of its entries do not count: a
// key that is written anew with the same value is no change.
func TreeRevision(entries map[string]Entry) Revision {
	h := sha256.New()
	for _, key := range slices.Sorted(maps.Keys(entries)) {
		e := entries[key]
		hashPart(h, key)
		hashPart(h, e.Value)
		hashNumber(h, e.TooLarge)
	}
	return Revision(hex.EncodeToString(h.Sum(nil)[:hashBytes]))
}

func hashPart(h hash.Hash, s string) {
	hashNumber(h, len(s)) // so that "a", "bc" is not "ab", "c"
	_, _ = h.Write([]byte(s))
}

func hashNumber(h hash.Hash, n int) {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(n)) //nolint:gosec // a length
	_, _ = h.Write(b[:])
}
