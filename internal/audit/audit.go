// Package audit keeps the record of who changed what over the HTTP interface:
// JSON lines in a file that only its owner reads, rotated by size. No value and no
// secret is in it.
package audit

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"gopkg.in/natefinch/lumberjack.v2"

	"datakit.dev/internal/diag"
	"datakit.dev/internal/spec"
	"datakit.dev/internal/status"
)

// The bounds of the log.
const (
	maxMegabytes = 10
	maxFiles     = 5
	maxText      = 1 << 10
)

// An Outcome says how far a write came. A write of a key has two lines: begun,
// without which it is not made, and how it ended.
type Outcome string

// The outcomes.
const (
	Begun   Outcome = "begun"
	Done    Outcome = "done"
	Refused Outcome = "refused" // by us or by the store; nothing was changed
)

// An Entry is one line.
type Entry struct {
	Time    status.Time `json:"time"`
	Who     string      `json:"who"`    // "local", "token", or a session by the beginning of its hash
	From    string      `json:"from"`   // the address
	Action  string      `json:"action"` // "PUT /v1/keys/{store}/{key...}"
	Store   string      `json:"store,omitempty"`
	Key     string      `json:"key,omitempty"`
	Before  string      `json:"revision_before,omitempty"`
	After   string      `json:"revision_after,omitempty"`
	Outcome Outcome     `json:"outcome"`
	Code    int         `json:"code,omitempty"` // of the answer
	Error   string      `json:"error,omitempty"`
}

// A Log writes entries. Its methods may be called from several goroutines.
type Log struct {
	mu sync.Mutex
	to *lumberjack.Logger
}

// New returns a log on the file at path, which is made when it is first needed.
func New(path string) *Log {
	return &Log{to: &lumberjack.Logger{Filename: path, MaxSize: maxMegabytes, MaxBackups: maxFiles}}
}

// Record writes one line. It returns once the system has it.
func (l *Log) Record(e Entry) error {
	e.Time = status.At(time.Now())
	for _, s := range []*string{&e.Who, &e.From, &e.Action, &e.Store, &e.Key, &e.Before, &e.After, &e.Error} {
		*s = bound(*s)
	}
	line, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.prepare(); err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	if _, err := l.to.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	return nil
}

// prepare makes the file with the mode that it must have: what is rotated takes
// over the mode of the file before it.
func (l *Log) prepare() error {
	if err := os.MkdirAll(filepath.Dir(l.to.Filename), 0o750); err != nil {
		return err //nolint:wrapcheck // Record wraps it
	}
	info, err := os.Lstat(l.to.Filename)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		// Somebody may have taken the file away: what is open is none any more.
		return l.to.Close() //nolint:wrapcheck // Record wraps it
	case err != nil:
		return err //nolint:wrapcheck // Record wraps it
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is no regular file", l.to.Filename)
	case info.Mode().Perm() != 0o600:
		return os.Chmod(l.to.Filename, 0o600) //nolint:wrapcheck // Record wraps it
	}
	return nil
}

// Close closes the file.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.to.Close() //nolint:wrapcheck // a PathError says it all
}

// bound makes what came from outside one short line without passwords.
func bound(s string) string {
	if len(s) > 8*maxText { // far behind what is kept, so that no password is cut in two and shown
		s = strings.Clone(s[:8*maxText])
	}
	s = diag.OneLine(spec.RedactURL(s))
	if len(s) > maxText {
		s = strings.ToValidUTF8(s[:maxText], "") + "…"
	}
	return s
}
