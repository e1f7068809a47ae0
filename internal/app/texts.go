package app

import (
	"errors"
	"time"

	"datakit.dev/internal/config"
	"datakit.dev/internal/diag"
	"datakit.dev/internal/pipeline"
	"datakit.dev/internal/pipeline/scripts"
	"datakit.dev/internal/point"
	"datakit.dev/internal/status"
	"datakit.dev/internal/store"
)

// compileTime bounds the compiling of one script that is being written.
const compileTime = time.Second

var errSlow = errors.New("the script takes too long to compile")

// running returns the texts of the stores' scripts of a category that run.
func (s *scripting) running(category point.Category) map[string]string {
	out := map[string]string{}
	for _, sc := range s.set.All() {
		if sc.Namespace == scripts.Confd && sc.Category == category {
			out[sc.Name] = sc.Text()
		}
	}
	return out
}

// compile says what is wrong with a script that a store may be given, compiled
// with those of the stores that it uses.
func (s *scripting) compile(category point.Category, name, text string) diag.List {
	sources := s.running(category)
	sources[name] = text
	opts, begun := s.opts, time.Now()
	opts.Stop = func() error {
		if time.Since(begun) > compileTime {
			return errSlow
		}
		return nil
	}
	_, bad := pipeline.CompileOne(name, sources, opts)
	return bad
}

// files returns the scripts of the disk, and what became of them.
func (s *scripting) files() ([]store.Entry, map[string]status.Key) {
	s.mu.Lock()
	entries := s.read
	s.mu.Unlock()
	reports := map[string]status.Key{}
	for _, sc := range s.Status() {
		if sc.Namespace != string(scripts.Default) {
			continue
		}
		key := "pipeline/" + sc.Category + "/" + sc.Name
		state := status.KeyState(sc.State)
		k := status.Key{Store: config.LocalSource, Key: key, State: state}
		switch state {
		case status.Kept, status.Rejected:
			k.Error = sc.Error
		case status.Shadowed:
			k.Error = "a store has " + sc.Category + "/" + sc.Name
		default:
			k.State = status.Applied
		}
		reports[key] = k
	}
	return entries, reports
}
