package zookeeper

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-zookeeper/zk"

	"datakit.dev/internal/store"
)

// attempts bounds how often a write is tried again because somebody else wrote
// in between.
const attempts = 10

// A writer writes over a session of its own, which stays open between writes.
type writer struct {
	*ensemble

	life context.Context //nolint:containedctx // ends its writes when the store is closed
	stop context.CancelFunc
	busy chan struct{} // holds the right to use conn
	conn *session
}

func newWriter(s settings) *writer {
	w := &writer{ensemble: newEnsemble(s), busy: make(chan struct{}, 1)}
	w.life, w.stop = context.WithCancel(context.Background())
	return w
}

// Put implements [store.Writer].
func (w *writer) Put(ctx context.Context, key, value string, cond store.Cond) (store.Revision, error) {
	if err := checkPut(w.root, key, value); err != nil {
		return "", fmt.Errorf("put: %w", err)
	}
	var rev store.Revision
	err := w.write(ctx, func(c *session) (err error) {
		rev, err = w.put(c, w.root+"/"+key, value, cond)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("put %s: %w", key, err)
	}
	return rev, nil
}

// Delete implements [store.Writer].
func (w *writer) Delete(ctx context.Context, key string, cond store.Cond) error {
	if err := checkKey(w.root, key); err != nil {
		return fmt.Errorf("delete: %w", err)
	}
	err := w.write(ctx, func(c *session) error { return remove(c, w.root+"/"+key, cond) })
	if err != nil {
		return fmt.Errorf("delete %s: %w", key, err)
	}
	return nil
}

// write calls f with a session, again where somebody else wrote in between.
func (w *writer) write(ctx context.Context, f func(*session) error) error {
	ctx, cancel := within(ctx, w.life)
	defer cancel()
	select {
	case w.busy <- struct{}{}:
		defer func() { <-w.busy }()
	case <-ctx.Done():
		return w.late(ctx, nil)
	}
	c, err := w.open(ctx)
	if err != nil {
		return w.late(ctx, err)
	}
	defer context.AfterFunc(ctx, c.cut)()
	for range attempts {
		err = f(c)
		if !errors.Is(err, errAgain) {
			break
		}
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errAgain):
		return fmt.Errorf("%w: it changes all the time", store.ErrConflict)
	}
	return w.late(ctx, c.why(err))
}

// late gives an error the cause that the caller knows.
func (w *writer) late(ctx context.Context, err error) error {
	switch {
	case w.life.Err() != nil:
		return store.ErrClosed
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return fmt.Errorf("%w: no node answers in time; the write may still happen", store.ErrUnavailable)
	case ctx.Err() != nil:
		return ctx.Err()
	}
	return err
}

// open returns the session. It is called with the right to write.
func (w *writer) open(ctx context.Context) (*session, error) {
	if err := w.life.Err(); err != nil {
		return nil, err
	}
	if w.conn != nil {
		select {
		case <-w.conn.down:
			w.drop()
		default:
			return w.conn, nil
		}
	}
	c, err := w.connect(ctx)
	if err != nil {
		return nil, err
	}
	w.conn = c
	return c, nil
}

// drop is called with the right to write.
func (w *writer) drop() {
	if w.conn != nil {
		w.conn.close()
		w.conn = nil
	}
}

func (w *writer) close() {
	w.stop()
	w.busy <- struct{}{}
	defer func() { <-w.busy }()
	w.drop()
	w.leaving.Wait()
}

// errFolder refuses a value that would make a key look like a folder.
var errFolder = errors.New("it has keys below it, and without a value would be only their folder")

// errAgain says that the node is not as it was a moment ago.
var errAgain = errors.New("somebody else wrote in between")

// put looks at the node and writes it if nobody else has since. Of a node that is
// made in between, deleted, and made again the server knows only the version,
// which starts anew: so much of a race is left.
func (w *writer) put(c *session, path, value string, cond store.Cond) (store.Revision, error) {
	old, stat, err := c.Get(path)
	if errors.Is(err, zk.ErrNoNode) {
		if cond.Revision != "" {
			return "", store.ErrConflict
		}
		// Without a value it is a folder that nobody sees, until that is set.
		if err := w.create(c, path); err != nil {
			return "", err
		}
		return "", errAgain
	}
	if err != nil {
		return "", err
	}
	if err := holds(cond, old, stat); err != nil {
		return "", err
	}
	if value == "" && stat.NumChildren > 0 {
		return "", errFolder
	}
	stat, err = c.Set(path, []byte(value), version(cond, stat))
	if err != nil {
		return "", again(err)
	}
	return revision(stat.Mzxid), nil
}

// remove deletes a key. A node with keys below it only loses its value.
func remove(c *session, path string, cond store.Cond) error {
	old, stat, err := c.Get(path)
	if errors.Is(err, zk.ErrNoNode) {
		return missing(c, path)
	}
	if err != nil {
		return err
	}
	if !isKey(len(old), old == nil, int(stat.NumChildren)) {
		return store.ErrNotFound
	}
	if err := holds(cond, old, stat); err != nil {
		return err
	}
	if stat.NumChildren > 0 {
		_, err = c.Set(path, nil, version(cond, stat))
	} else {
		err = c.Delete(path, version(cond, stat))
	}
	return again(err)
}

// missing returns ErrNotFound for a node that is not there. The server says so to
// everybody; that somebody may not look at all says the folder above.
func missing(c *session, path string) error {
	for path != "/" {
		path = parentOf(path)
		if _, _, err := c.Get(path); !errors.Is(err, zk.ErrNoNode) {
			if err != nil {
				return err
			}
			break
		}
	}
	return store.ErrNotFound
}

// version returns the version that a node must still have when it is written. A
// write without a condition takes any: it need not be the first of many.
func version(cond store.Cond, stat *zk.Stat) int32 {
	if cond == (store.Cond{}) {
		return -1
	}
	return stat.Version
}

// holds returns ErrConflict unless cond holds for a node.
func holds(cond store.Cond, value []byte, stat *zk.Stat) error {
	key := isKey(len(value), value == nil, int(stat.NumChildren))
	if cond.Absent && key || cond.Revision != "" && (!key || cond.Revision != revision(stat.Mzxid)) {
		return store.ErrConflict
	}
	return nil
}

// again marks the errors of a node that has changed since it was looked at.
func again(err error) error {
	for _, e := range []error{zk.ErrBadVersion, zk.ErrNoNode, zk.ErrNodeExists, zk.ErrNotEmpty} {
		if errors.Is(err, e) {
			return errAgain
		}
	}
	return err
}

// create makes a node without a value, and what is missing above it.
func (w *writer) create(c *session, path string) error {
	var missing []string
	above := path
	for above != "/" {
		there, _, err := c.Exists(above)
		if err != nil {
			return err
		}
		if there {
			break
		}
		missing = append(missing, above)
		above = parentOf(above)
	}
	acl, err := w.aclBelow(c, above)
	if err != nil {
		return err
	}
	for _, p := range slices.Backward(missing) {
		if _, err := c.Create(p, nil, 0, acl); err != nil && !errors.Is(err, zk.ErrNodeExists) {
			return again(err)
		}
	}
	return nil
}

// aclBelow returns the ACL for new nodes below a node. Within our tree they get
// the one of that node, so that whoever may read a folder may read what comes
// into it: one node that an agent may not read would blind it to all. A new root
// belongs to the user who makes it, or to everybody where there is no login.
func (w *writer) aclBelow(c *session, above string) ([]zk.ACL, error) {
	if above != w.root && !strings.HasPrefix(above, w.root+"/") {
		if len(w.login) > 0 {
			return zk.AuthACL(zk.PermAll), nil
		}
		return zk.WorldACL(zk.PermAll), nil
	}
	acl, _, err := c.GetACL(above)
	if err != nil {
		return nil, again(err)
	}
	for _, a := range acl {
		// The server shows who is in an ACL only to those with the permission ADMIN.
		if a.Scheme == "digest" && strings.HasSuffix(a.ID, ":x") {
			return nil, fmt.Errorf("%w: to make keys below %s this user needs the permission ADMIN there, or its ACL cannot be passed on", store.ErrDenied, above)
		}
	}
	return acl, nil
}
