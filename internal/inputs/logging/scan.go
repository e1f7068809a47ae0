package logging

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"
)

// scan looks which files there are: new ones are followed from now on, those
// that were renamed go on under their new path, and those that are gone are
// read to their end.
func (r *reader) scan(now time.Time) {
	r.scans++
	paths, dirs, all := discover(r.settings.globs, r.settings.ignore)
	if !all {
		r.trouble("", fmt.Errorf("%w: only the first %d are followed", errEnough, maxFiles))
	}
	r.notify.watch(dirs)
	for _, path := range paths {
		if err := r.see(path, now); err != nil {
			r.trouble(path, err)
		}
	}
	lost := map[identity]string{}
	for _, f := range r.order {
		if f.seen == r.scans {
			continue
		}
		if f.gone.IsZero() {
			f.gone, f.due = now, true
		}
		if f.fd == nil {
			lost[f.id] = f.path
		}
	}
	r.searchFor(lost)
	if r.scans == 1 {
		r.resume(now)
	}
	clear(r.paths)
	for _, f := range r.order {
		r.paths[f.path] = f
	}
	r.lastScan = time.Now()
	r.cost = r.lastScan.Sub(now)
	r.nextScan = r.lastScan.Add(max(poll, share*r.cost))
}

// see takes in that path matches.
func (r *reader) see(path string, now time.Time) error {
	fi, err := os.Stat(path)
	if err != nil {
		return err //nolint:wrapcheck // a PathError says it all
	}
	if !fi.Mode().IsRegular() {
		return nil // a folder, a pipe, a device
	}
	id, err := identify(path, fi)
	if err != nil {
		return err
	}
	f := r.files[id]
	switch {
	case f == nil:
		f = r.begin(path, id, fi, now)
	case f.seen == r.scans:
		return nil // a second name: one is enough
	default:
		f.path, f.gone = path, time.Time{}
	}
	grew := fi.Size() != f.size
	f.seen, f.size, f.written = r.scans, fi.Size(), fi.ModTime()
	if f.original != nil {
		r.doubt(f, now, grew)
	}
	if f.dead && r.fresh(fi, now) {
		f.dead = false
	}
	if now.Sub(f.entry.Seen) > keptFor/10 { // not each time: it would be a change to save
		r.ledger.note(f.entry, func(e *entry) { e.Seen = now })
	}
	return nil
}

func (r *reader) fresh(fi fs.FileInfo, now time.Time) bool {
	return r.settings.dead <= 0 || now.Sub(fi.ModTime()) < r.settings.dead
}

// begin follows a file from where it was left, or as the settings say.
func (r *reader) begin(path string, id identity, fi fs.FileInfo, now time.Time) *file {
	f := &file{id: id, path: path, label: path, grown: now, due: true, dead: !r.fresh(fi, now)}
	known, again := r.ledger.recall(id)
	followed := false
	if !again {
		known, followed = r.ledger.inherit(id, path)
	}
	switch {
	case known != nil:
		f.at, f.label, f.dead = known.Offset, known.Path, known.Dead && f.dead
		f.entry = known
	case r.settings.fromBeginning || followed || r.scans > 1:
		f.entry = &entry{Path: path, identity: id}
	default:
		f.at = fi.Size()
		f.entry = &entry{Path: path, identity: id, Offset: f.at}
	}
	r.ledger.note(f.entry, func(e *entry) { e.Seen, e.Dead = now, f.dead })
	if known == nil && (followed || r.scans > 1) {
		f.original = r.originalOf(f, fi)
	}
	if f.original == nil {
		r.ledger.add(f.entry)
	}
	f.tags = r.settings.tags(f.label)
	r.files[id] = f
	r.order = append(r.order, f)
	return f
}

// ready opens a file if that is needed and allowed, and finds its place in it.
func (r *reader) ready(f *file) bool {
	if f.fd != nil {
		return true
	}
	if f.original != nil || f.dead || f.rested() || !r.room(f) {
		return false
	}
	if err := f.open(); err != nil {
		if !errors.Is(err, errMoved) { // the next scan knows where it went
			r.trouble(f.path, err)
		}
		return false
	}
	r.open++
	delete(r.warned, f.path)
	if f.placed {
		return true
	}
	return r.place(f)
}

// place goes to where f was left, or to its beginning where it is another file.
func (r *reader) place(f *file) bool {
	known := r.known(f)
	ok, err := f.place(known)
	if err != nil {
		r.trouble(f.path, err)
		r.shut(f)
		return false
	}
	if !ok { // another file under a number, or a name, that we knew
		was := r.ledger.peek(f.entry)
		r.handOver(f, was.Offset, was.Lines)
		f.restart()
		f.label, f.tags = f.path, r.settings.tags(f.path)
		r.ledger.restart(f.entry)
		r.ledger.note(f.entry, func(e *entry) { e.Path = f.path })
		return true
	}
	if err := f.sampleHead(); err != nil {
		r.trouble(f.path, err)
	}
	if known == nil {
		tail := tailOf(f.carry, f.start)
		r.ledger.note(f.entry, func(e *entry) { e.Head, e.Tail = f.head, tail })
	}
	return true
}

// known returns what the ledger says of a file, nil where that is nothing.
func (r *reader) known(f *file) *entry {
	if e := r.ledger.peek(f.entry); e.Head.Len > 0 || e.Tail.Len > 0 {
		return &e
	}
	return nil
}

// room reports that f may be opened, and closes one that has been read to its
// end for it where too many are open. A file without anything to read does not
// push out another.
func (r *reader) room(f *file) bool {
	if r.settings.maxOpen < 0 || r.open < max(1, r.settings.maxOpen) {
		return true
	}
	if f.size == f.pos() && f.pending() == 0 {
		return false
	}
	var oldest *file
	for _, o := range r.order {
		if o.fd != nil && !o.due && o.gone.IsZero() && (oldest == nil || o.grown.Before(oldest.grown)) {
			oldest = o
		}
	}
	if oldest == nil {
		f.due = true
		return false
	}
	r.shut(oldest)
	return true
}

func (r *reader) shut(f *file) {
	if f.fd != nil {
		f.close()
		f.left = f.written
		r.open--
	}
}

// drop follows a file no more. Its offset is kept: it may come back.
func (r *reader) drop(f *file) {
	r.shut(f)
	r.handOver(f, f.next(), f.lines)
	delete(r.files, f.id)
	if r.paths[f.path] == f {
		delete(r.paths, f.path)
	}
	r.order = slices.DeleteFunc(r.order, func(o *file) bool { return o == f })
}

// searchFor looks where files went that are gone and not open; those that cannot
// be found are given up.
func (r *reader) searchFor(lost map[identity]string) {
	if len(lost) == 0 {
		return
	}
	found := findAll(lost)
	for id := range lost {
		f := r.files[id]
		if found[id] == "" {
			r.drop(f)
			continue
		}
		f.path = found[id]
		if fi, err := os.Stat(f.path); err == nil {
			f.size = fi.Size()
		}
		if f.size == f.pos() && (!f.placed || f.pending() == 0) {
			r.drop(f) // read to its end
		}
	}
}

// resume finds the files that were rotated while nobody looked, and has them
// read to their end.
func (r *reader) resume(now time.Time) {
	wanted := map[identity]string{}
	for _, e := range r.ledger.left(r.settings) {
		if r.files[e.identity] == nil && !e.Dead {
			wanted[e.identity] = e.Path
		}
	}
	for id, path := range findAll(wanted) {
		fi, err := os.Stat(path)
		if err != nil {
			continue
		}
		f := r.begin(path, id, fi, now)
		f.size, f.gone = fi.Size(), now
	}
}
