package app

import (
	"io"
	"sync"
)

// switchWriter is a writer whose target changes while others write.
type switchWriter struct {
	fallback io.Writer

	mu   sync.Mutex
	w    io.Writer
	path string // of an open file, else ""
}

// Write implements [io.Writer]. A log file that cannot be written must not take
// the message with it: it goes to the fallback.
func (s *switchWriter) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, err := s.w.Write(p)
	if err != nil && s.path != "" {
		return s.fallback.Write(p) //nolint:wrapcheck // slog drops it
	}
	return n, err //nolint:wrapcheck // slog drops it
}

// use writes to w from now on.
func (s *switchWriter) use(w io.Writer) error { return s.set(w, "") }

// open writes to the file at path from now on.
func (s *switchWriter) open(path string) error {
	s.mu.Lock()
	same := s.path == path
	s.mu.Unlock()
	if same {
		return nil
	}
	return s.set(rotated(path), path)
}

func (s *switchWriter) set(w io.Writer, path string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	old, wasFile := s.w, s.path != ""
	s.w, s.path = w, path
	if c, ok := old.(io.Closer); ok && wasFile {
		return c.Close() //nolint:wrapcheck // an *os.PathError says it all
	}
	return nil
}
