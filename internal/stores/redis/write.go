package redis

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"datakit.dev/internal/store"
)

// retries is how often a write is begun anew because somebody else has written
// the same key meanwhile.
const retries = 20

// errRaced says that a watched key was written before the transaction.
var errRaced = errors.New("written meanwhile")

// Put implements [store.Writer]. A key that is a field of a hash stays one; a new
// key is a string.
func (r *redis) Put(ctx context.Context, key, value string, cond store.Cond) (store.Revision, error) {
	if err := store.CheckPut(key, value); err != nil {
		return "", fmt.Errorf("put: %w", err)
	}
	err := r.src.write(ctx, key, cond, func(p place) (command, error) {
		switch {
		case p.field != "":
			return command{"HSET", p.name, p.field, value}, nil
		case p.taken != "":
			return nil, fmt.Errorf("%s holds a %s, which is not replaced", p.name, p.taken)
		}
		return command{"SET", p.name, value}, nil
	})
	if err != nil {
		return "", fmt.Errorf("put %s: %w", key, err)
	}
	return store.RevisionOf(value), nil
}

// Delete implements [store.Writer]. A key may be in several places, of which the
// first is read: it goes from all, or another value of it would come to light.
func (r *redis) Delete(ctx context.Context, key string, cond store.Cond) error {
	if err := store.CheckKey(key); err != nil {
		return fmt.Errorf("delete: %w", err)
	}
	for first := true; ; first = false {
		err := r.src.write(ctx, key, cond, func(p place) (command, error) {
			switch {
			case !p.there:
				return nil, store.ErrNotFound
			case p.field != "":
				return command{"HDEL", p.name, p.field}, nil
			}
			return command{"DEL", p.name}, nil
		})
		switch {
		case errors.Is(err, store.ErrNotFound) && !first:
			return nil
		case err != nil:
			return fmt.Errorf("delete %s: %w", key, err)
		}
		cond = store.Cond{}
	}
}

// A place is where a key is, or would be put.
type place struct {
	name  string
	field string // of a hash; "" where name is a string
	there bool
	rev   store.Revision
	taken string // what else is there: "list"
}

// A change says what to do to the place of a key.
type change func(place) (command, error)

// write runs what change says for the place of key, if cond holds for what
// is there, in one transaction that fails once somebody else writes that place.
func (s *source) write(ctx context.Context, key string, cond store.Cond, change change) error {
	if !s.names.takes(key) {
		return fmt.Errorf("the key cannot hold %q, which stands for / in its name", s.names.separator)
	}
	if s.ctx.Err() != nil {
		return store.ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.ctx, cancel)() //nolint:contextcheck // the store ends its writes, too
	err := s.tryWrite(ctx, key, cond, change)
	if err != nil && s.ctx.Err() != nil {
		return store.ErrClosed
	}
	return err
}

func (s *source) tryWrite(ctx context.Context, key string, cond store.Cond, change change) error {
	l, err := s.connect(ctx)
	if err != nil {
		return err
	}
	defer l.close()
	for range retries {
		err := l.writeOnce(ctx, key, cond, change)
		if failure(err, "MOVED", "ASK", "TRYAGAIN") && l.layout != nil {
			if err := l.renew(ctx); err != nil {
				return err
			}
			err = errRaced
		}
		if !errors.Is(err, errRaced) {
			return err
		}
	}
	return fmt.Errorf("%w: the key is written by others all the time, or on its way to another server", store.ErrUnavailable)
}

// writeOnce is one try. Every place that the key may be in is watched; in a
// cluster that protects those on the server of the one that is written.
func (l *links) writeOnce(ctx context.Context, key string, cond store.Cond, change change) error {
	p, err := l.find(ctx, key)
	if err != nil {
		return err
	}
	cmd, err := change(p)
	switch {
	case err != nil:
		return err
	case cond.Absent && p.there, cond.Revision != "" && (!p.there || p.rev != cond.Revision):
		return store.ErrConflict
	}
	c, err := l.of(p.name)
	if err != nil {
		return err
	}
	return l.commit(ctx, c, cmd)
}

// commit runs a command if nothing that is watched was written.
func (l *links) commit(ctx context.Context, c *conn, cmd command) error {
	r, err := c.calls(ctx, command{"MULTI"}, cmd, command{"EXEC"})
	if err != nil {
		return fmt.Errorf("%w; the write may still happen", l.s.explain(ctx, c.node, err))
	}
	for _, one := range slices.Concat(r, r[len(r)-1].items) {
		switch err := one.err(); {
		case failure(err, "MOVED", "ASK", "TRYAGAIN"):
			return err
		case failure(err, "READONLY"):
			return l.s.explain(ctx, c.node, errors.New("it is a read-only replica: name the master in nodes, or a sentinel"))
		case err != nil:
			return l.s.explain(ctx, c.node, err)
		}
	}
	if r[len(r)-1].null {
		return errRaced
	}
	return nil
}

// find returns the place of key: a string, or the field of the nearest hash
// above it, or where a new string would be. It watches them all.
func (l *links) find(ctx context.Context, key string) (place, error) {
	n, taken := l.s.names, ""
	for folder := range above(key) {
		p := place{name: n.of(folder)}
		if folder != key {
			p.field = n.encode(key[len(folder):])
			if folder != "" {
				p.field = p.field[len(n.separator):]
			}
		}
		err := l.look(ctx, &p)
		switch {
		case folder == "" && errors.Is(err, store.ErrDenied):
			continue // no right to a hash at the root: there is none for us
		case err != nil:
			return place{}, err
		case p.there:
			return p, nil
		case folder == key:
			taken = p.taken
		}
	}
	return place{name: n.of(key), taken: taken}, nil
}

// look watches a place and finds out what is there.
func (l *links) look(ctx context.Context, p *place) error {
	c, err := l.of(p.name)
	if err != nil {
		return err
	}
	r, err := c.calls(ctx, command{"WATCH", p.name}, command{"TYPE", p.name})
	if err = errors.Join(err, firstErr(r)); err != nil {
		return l.wrote(ctx, c, err)
	}
	get := command{"GET", p.name}
	switch kind := r[1].text; {
	case kind == kindNone, kind != kindHash && p.field != "":
		return nil
	case p.field == "" && kind != kindString:
		p.taken = kind
		return nil
	case p.field != "":
		get = command{"HGET", p.name, p.field}
	}
	v, err := c.call(ctx, get...)
	if failure(err, "WRONGTYPE") {
		return errRaced
	}
	if err != nil {
		return l.wrote(ctx, c, err)
	}
	p.there, p.rev = !v.null, revisionOf(v)
	return nil
}

// wrote explains an error unless it says to try elsewhere.
func (l *links) wrote(ctx context.Context, c *conn, err error) error {
	if failure(err, "MOVED", "ASK", "TRYAGAIN") && l.layout != nil {
		return err
	}
	return l.s.explain(ctx, c.node, err)
}

// firstErr returns the first refusal among answers.
func firstErr(answers []reply) error {
	for _, r := range answers {
		if err := r.err(); err != nil {
			return err
		}
	}
	return nil
}
