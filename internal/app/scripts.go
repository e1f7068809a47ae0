package app

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"reflect"
	"strings"
	"sync"

	"datakit.dev/internal/config"
	"datakit.dev/internal/diag"
	"datakit.dev/internal/flow"
	"datakit.dev/internal/pipeline"
	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/pipeline/grok"
	"datakit.dev/internal/pipeline/parser"
	"datakit.dev/internal/pipeline/scripts"
	"datakit.dev/internal/pipeline/stage"
	"datakit.dev/internal/point"
	"datakit.dev/internal/status"
	"datakit.dev/internal/store"
	"datakit.dev/internal/supervise"
	"datakit.dev/internal/workdir"
)

// scripting is the scripts of the agent: those of the stores, which the loop
// brings, and those of the disk, which a start and a reload read.
type scripting struct {
	log  *slog.Logger
	opts pipeline.Options
	set  *scripts.Set

	mu      sync.Mutex
	read    []store.Entry   // of the disk, as they were read last
	local   scripts.Sources // that compiled last
	bad     []status.Script // local ones whose text on disk does not compile
	outside *outside
	wanted  config.Outside // what outside was opened for
}

// newScripting returns the scripts of an agent that has read none yet.
func newScripting(dir workdir.Dir, log *slog.Logger) *scripting {
	opts := compiler(dir, log)
	return &scripting{log: log, opts: opts, set: scripts.NewSet(opts)}
}

// compiler returns what scripts are compiled against: every function, and the
// grok patterns with those of the work directory.
func compiler(dir workdir.Dir, log *slog.Logger) pipeline.Options {
	extra, err := grok.ReadPatterns(os.DirFS(dir.Patterns()))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		log.Warn("some grok patterns could not be read", "error", diag.OneLine(err.Error()))
	}
	patterns, err := grok.NewSet(extra)
	if err != nil {
		log.Warn("some grok patterns are refused", "error", diag.OneLine(err.Error()))
	}
	return pipeline.Options{Funcs: functions(), Patterns: patterns}
}

// route tells the sink of an instance which script its configuration names.
func route(job supervise.Job, to supervise.Sink) {
	d, isInput := job.(*config.Desired)
	sink, isFlow := to.(*flow.Sink)
	if !isInput || !isFlow || d.Plugin.Script == nil {
		return
	}
	if name := d.Plugin.Script(d.Values); name != "" {
		sink.SetScripts(map[string]string{scripts.Any: name})
	}
}

// reach makes what o names reachable for the scripts of to, instead of what was.
// It returns what could not be.
func (s *scripting) reach(o config.Outside, to *flow.Flow) []error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.outside != nil && reflect.DeepEqual(s.wanted, o) {
		return nil
	}
	next, problems := openOutside(o, s.log)
	to.SetStage(stage.New(s.set, next.services))
	if s.outside != nil {
		s.outside.close(s.log)
	}
	s.outside, s.wanted = next, o
	return problems
}

// services returns what scripts can reach now.
func (s *scripting) services() fn.Services {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.outside == nil {
		return fn.Services{}
	}
	return s.outside.services
}

func (s *scripting) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.outside != nil {
		s.outside.close(s.log)
		s.outside = nil
	}
}

// Check implements [reconcile.Scripts]: the syntax of one script.
func (s *scripting) Check(_ point.Category, _, text string) diag.List {
	_, bad := parser.Parse(text)
	return bad
}

// Verify implements [reconcile.Scripts].
func (s *scripting) Verify(list []config.Script) map[int]diag.List {
	at := map[string]int{}
	for i, sc := range list {
		at[string(sc.Category)+"/"+sc.Name] = i
	}
	bad := map[int]diag.List{}
	for _, r := range s.set.Check(scripts.Confd, sources(list)) {
		bad[at[string(r.Category)+"/"+r.Name]] = r.Errs
	}
	return bad
}

// Replace implements [reconcile.Scripts].
func (s *scripting) Replace(list []config.Script) error {
	if refused := s.set.Replace(scripts.Confd, sources(list)); len(refused) > 0 {
		return fmt.Errorf("%d scripts of the stores do not compile: %w", len(refused), refused[0].Errs)
	}
	return nil
}

func sources(list []config.Script) scripts.Sources {
	out := scripts.Sources{}
	for _, sc := range list {
		put(out, sc.Category, sc.Name, scripts.Source{Text: sc.Text, Origin: sc.Origin})
	}
	return out
}

func put(to scripts.Sources, c point.Category, name string, src scripts.Source) {
	if to[c] == nil {
		to[c] = map[string]scripts.Source{}
	}
	to[c][name] = src
}

// readLocal makes the scripts of the work directory those of the namespace
// default. A script that does not compile keeps its last good text, as a store's
// does; where files cannot be read, all of them stay as they were.
func (s *scripting) readLocal(dir workdir.Dir) error {
	entries, err := dir.ReadScripts()
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil && s.local != nil {
		return fmt.Errorf("read the local scripts: %w", err)
	}
	want, bad := s.localSources(entries)
	s.read, s.local, s.bad = entries, want, bad
	s.set.Replace(scripts.Default, want)
	return err //nolint:wrapcheck // workdir says what it did
}

// localSources returns the texts to run, and what is wrong with the others.
func (s *scripting) localSources(entries []store.Entry) (scripts.Sources, []status.Script) {
	want := scripts.Sources{}
	var bad []status.Script
	for _, e := range entries {
		parts := strings.Split(e.Key, "/")
		src := scripts.Source{Text: config.Normalize(e.Value), Origin: config.LocalSource + ":" + e.Key}
		category, ok := point.ParseCategory(parts[1])
		switch {
		case !ok:
			continue // a folder of something else, such as pattern
		case e.TooLarge > 0:
			bad = append(bad, badScript(category, parts[2], src.Origin, status.Rejected, "the script is larger than a megabyte"))
		case strings.TrimSpace(src.Text) != "":
			put(want, category, parts[2], src)
		}
	}
	// Taking one out may break another that uses it: look until all compile.
	for {
		refused := s.set.Check(scripts.Default, want)
		if len(refused) == 0 {
			return want, bad
		}
		for _, r := range refused {
			last, ok := s.local[r.Category][r.Name]
			state := status.Kept
			if ok && last.Text != want[r.Category][r.Name].Text {
				want[r.Category][r.Name] = last
			} else {
				state = status.Rejected
				delete(want[r.Category], r.Name)
			}
			bad = append(bad, badScript(r.Category, r.Name, r.Origin, state, r.Errs.In(r.Origin, "").Error()))
		}
	}
}

func badScript(c point.Category, name, origin string, state status.KeyState, why string) status.Script {
	return status.Script{
		Category: string(c), Name: name, Namespace: string(scripts.Default), Origin: origin, State: string(state), Error: why,
	}
}

// Status implements [reconcile.Scripts].
func (s *scripting) Status() []status.Script {
	s.mu.Lock()
	bad := append([]status.Script(nil), s.bad...)
	s.mu.Unlock()
	var out []status.Script
	for _, sc := range s.set.All() {
		count := sc.Count()
		one := status.Script{
			Category: string(sc.Category), Name: sc.Name, Namespace: string(sc.Namespace), Origin: sc.Origin, State: "shadowed",
			Runs: uint64(count.Runs), Drops: uint64(count.Drops), Errors: uint64(count.Errors), Nanoseconds: uint64(count.Time), Error: count.LastError,
		}
		if first, ok := s.set.Lookup(sc.Category, sc.Name); ok && first.Namespace == sc.Namespace {
			one.State = "active"
		}
		for i, b := range bad {
			if b.Category == one.Category && b.Name == one.Name && one.Namespace == b.Namespace {
				one.State, one.Error = b.State, b.Error
				bad = append(bad[:i], bad[i+1:]...)
				break
			}
		}
		out = append(out, one)
	}
	return append(out, bad...)
}
