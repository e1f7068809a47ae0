package logging

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"slices"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	chunk  = 256 << 10             // bytes of one file that are read at once
	poll   = time.Second           // how often all is looked at that no event told of
	settle = 20 * time.Millisecond // events of one burst are answered together
	linger = 5 * time.Second       // how long a renamed or removed file is still read: its writer may not know
	share  = 10                    // the search for files takes at most 1/share of the time
)

// A reader follows the files of one instance. It belongs to one goroutine.
type reader struct {
	log      *slog.Logger
	settings settings
	framer   framer
	ledger   *ledger
	notify   *notifier
	out      chan batch

	files  map[identity]*file
	paths  map[string]*file // by where they lie
	order  []*file          // as they were found
	open   int
	scans  uint64
	warned map[string]bool // paths whose trouble was told

	batch   batch
	scratch []byte
	recs    []record

	nextTick, nextScan, lastScan time.Time
	cost                         time.Duration // of the last scan
}

func newReader(log *slog.Logger, s settings, l *ledger, n *notifier) *reader {
	return &reader{
		log: log, settings: s, framer: framer{s.encoding, s.rule, s.max}, ledger: l, notify: n, out: make(chan batch),
		files: map[identity]*file{}, paths: map[string]*file{}, warned: map[string]bool{},
	}
}

func (r *reader) loop(ctx context.Context) error {
	for ctx.Err() == nil {
		r.tick(time.Now())
		more, err := r.round(ctx)
		if err == nil && !more {
			err = r.wait(ctx)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// tick does what is due by the clock.
func (r *reader) tick(now time.Time) {
	if !now.Before(r.nextScan) {
		r.scan(now)
	}
	if now.Before(r.nextTick) {
		return
	}
	r.nextTick = now.Add(poll)
	for _, f := range r.order {
		f.due = true
	}
	r.ledger.save(now)
}

// round reads a chunk of each file that may hold something new, so that a busy
// one does not keep the others waiting. It reports that there is more.
func (r *reader) round(ctx context.Context) (bool, error) {
	more, served := false, false
	for _, f := range slices.Clone(r.order) {
		if !f.due || r.files[f.id] != f { // dropped while the round waited
			continue
		}
		r.serve(f, time.Now())
		more, served = more || f.due, served || f.fd != nil
		if r.batch.full() {
			if err := r.deliver(ctx); err != nil {
				return false, err
			}
		}
	}
	// Files that wait until another may be closed get their turn only where some
	// were read: else nothing can have changed.
	return more && served, r.deliver(ctx)
}

// serve reads one chunk of a file.
func (r *reader) serve(f *file, now time.Time) {
	f.due = false
	if !r.ready(f) {
		return
	}
	buf, n, err := f.read(r.scratch, chunk)
	switch {
	case errors.Is(err, errCut):
		r.cutOff(f, now)
		return
	case err != nil:
		r.trouble(f.path, err)
		r.shut(f) // the next poll opens it again
		return
	}
	r.scratch = buf[:0]
	if n == 0 {
		r.idle(f, buf, now)
		return
	}
	f.grown, f.due = now, n == chunk
	recs, start := r.framer.cut(r.recs[:0], buf, f.start, &f.frame)
	r.take(f, buf, recs, start)
}

// take makes points of recs, and keeps what lies behind them in buf.
func (r *reader) take(f *file, buf []byte, recs []record, start int) {
	r.recs = recs[:0]
	r.batch.add(&r.settings, f, buf, recs)
	f.keep(buf, start)
	if err := f.sampleHead(); err != nil {
		r.trouble(f.path, err)
	}
	if f.head != f.entry.Head {
		r.ledger.note(f.entry, func(e *entry) { e.Head = f.head })
	}
}

// idle does what is due once a file has stood still.
func (r *reader) idle(f *file, buf []byte, now time.Time) {
	still := now.Sub(f.grown)
	over := !f.gone.IsZero() && still >= linger && now.Sub(f.gone) >= linger
	if f.pending() > 0 && (over || still >= r.settings.timeout) {
		recs, start := r.framer.flush(r.recs[:0], buf, f.start, &f.frame)
		r.take(f, buf, recs, start)
	}
	switch {
	case over:
		r.drop(f)
	case r.settings.dead > 0 && still >= r.settings.dead && f.gone.IsZero():
		r.shut(f)
	}
}

// cutOff begins a file anew that was truncated. What was read of its last line
// is all that anybody will have of it, unless there is a copy that goes on.
func (r *reader) cutOff(f *file, now time.Time) {
	r.scan(now) // the copy was made before
	if !r.handOver(f, f.next(), f.lines) {
		recs, _ := r.framer.flush(r.recs[:0], f.carry, f.start, &f.frame)
		r.batch.add(&r.settings, f, f.carry, recs)
		r.recs = recs[:0]
	}
	f.restart()
	r.ledger.restart(f.entry)
}

// deliver hands the batch to the writer. While that waits for room in the flow,
// the look-out goes on.
func (r *reader) deliver(ctx context.Context) error {
	if r.batch.empty() {
		return nil
	}
	events, errs := r.notify.events()
	timer := time.NewTimer(time.Until(r.nextTick))
	defer timer.Stop()
	soon := false
	for {
		select {
		case r.out <- r.batch:
			r.batch = batch{}
			return nil
		case <-ctx.Done():
			return ctx.Err() //nolint:wrapcheck // nobody sees it: the end was asked for
		case ev := <-events:
			if r.note(ev) && !soon {
				soon = true
				timer.Reset(settle)
			}
		case <-errs: //nolint:errcheck // whatever it is, any event may be lost
			r.overrun()
		case <-timer.C:
			soon = false
			r.tick(time.Now())
			timer.Reset(time.Until(r.nextTick))
		}
	}
}

// wait returns when something may have changed.
func (r *reader) wait(ctx context.Context) error {
	events, errs := r.notify.events()
	until := r.nextTick
	if r.nextScan.Before(until) {
		until = r.nextScan
	}
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	soon := false
	for {
		select {
		case <-ctx.Done():
			return ctx.Err() //nolint:wrapcheck // nobody sees it: the end was asked for
		case <-timer.C:
			return nil
		case ev := <-events:
			if r.note(ev) && !soon {
				soon = true
				timer.Reset(min(settle, max(0, time.Until(until))))
			}
		case <-errs: //nolint:errcheck // whatever it is, any event may be lost
			r.overrun()
			return nil
		}
	}
}

// note takes an event in, and reports that it concerns us.
func (r *reader) note(ev fsnotify.Event) bool {
	f := r.paths[ev.Name]
	if f != nil {
		f.due = true
	}
	named := ev.Has(fsnotify.Create) || ev.Has(fsnotify.Rename) || ev.Has(fsnotify.Remove)
	if named && (f != nil || matches(r.settings.globs, r.settings.ignore, ev.Name)) {
		r.nextScan = r.lastScan.Add(share * r.cost)
		return true
	}
	return f != nil
}

// overrun is for events that were lost: any file may have changed.
func (r *reader) overrun() {
	r.nextTick, r.nextScan = time.Time{}, r.lastScan.Add(share*r.cost)
}

// trouble tells once what is wrong with a path.
func (r *reader) trouble(path string, err error) {
	if r.warned[path] || errors.Is(err, fs.ErrNotExist) || len(r.warned) > maxFiles {
		return
	}
	r.warned[path] = true
	r.log.Warn("a log file cannot be read, it is tried again", "path", path, "error", err)
}
