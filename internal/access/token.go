// Package access decides who may use the console: this machine alone, or, once
// there is a token, who has it. It keeps the token's hash on disk, the sessions of
// those who logged in, and how often somebody may guess.
package access

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"datakit.dev/internal/atomicfile"
)

// secretBytes is the length of tokens and sessions: nobody guesses one, so a
// plain hash keeps it as well as a slow one would.
const secretBytes = 32

// A hash is what is kept of a secret.
type hash [sha256.Size]byte

func hashOf(secret string) hash { return sha256.Sum256([]byte(secret)) }

func (h hash) equal(other hash) bool { return subtle.ConstantTimeCompare(h[:], other[:]) == 1 }

// newSecret returns 32 random bytes as text.
func newSecret() string {
	var b [secretBytes]byte
	_, _ = rand.Read(b[:]) // it never fails: it ends the program instead
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// A File is the path of the file that keeps the hash of the token.
type File string

// stored is the content of the file.
type stored struct {
	SHA256  string    `json:"sha256"`
	Created time.Time `json:"created"`
}

// errBroken is for a file that does not hold a token's hash: nobody is let in
// then, for it may have been meant to keep people out.
var errBroken = errors.New("holds no token: make a new one with `datakit console token`")

// Create makes a token in place of the one that there was, and returns it. Only
// its hash is kept.
func (f File) Create(now time.Time) (string, error) {
	secret := newSecret()
	h := hashOf(secret)
	text, err := json.Marshal(stored{hex.EncodeToString(h[:]), now.UTC().Truncate(time.Second)})
	if err != nil {
		return "", fmt.Errorf("make a token: %w", err)
	}
	if err := atomicfile.Write(string(f), append(text, '\n'), 0o600); err != nil {
		return "", fmt.Errorf("keep the token's hash: %w", err)
	}
	return secret, nil
}

// Revoke takes the token away, and reports whether there was one.
func (f File) Revoke() (bool, error) {
	switch err := os.Remove(string(f)); {
	case err == nil:
		return true, nil
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	default:
		return false, fmt.Errorf("revoke the token: %w", err)
	}
}

// read returns the hash of the token, and whether there is one.
func (f File) read() (hash, bool, error) {
	text, err := os.ReadFile(string(f))
	if errors.Is(err, fs.ErrNotExist) {
		return hash{}, false, nil
	}
	if err != nil {
		return hash{}, true, fmt.Errorf("read the console's token: %w", err)
	}
	var s stored
	sum, herr := []byte(nil), json.Unmarshal(text, &s)
	if herr == nil {
		sum, herr = hex.DecodeString(s.SHA256)
	}
	if herr != nil || len(sum) != len(hash{}) {
		return hash{}, true, fmt.Errorf("%s %w", f, errBroken)
	}
	return hash(sum), true, nil
}
