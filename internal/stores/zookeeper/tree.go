package zookeeper

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-zookeeper/zk"

	"datakit.dev/internal/store"
)

const (
	// readers is how many nodes are read at once, so that a large tree does not
	// cost two round trips a node one after the other.
	readers = 16
	// batch is how many are read before they are taken.
	batch = 8 * readers
	// maxNodes bounds the nodes of a tree: its keys, and as many folders.
	maxNodes = 2 * store.MaxEntries
	// storm is how long a tree may change without a pause before it counts as
	// unavailable: a copy that is older must not pass for a fresh one.
	storm = 10 * time.Second
)

// A node is our copy of one node.
type node struct {
	entry    store.Entry
	null     bool // its value is none at all, and not an empty one
	children []string
}

// isKey reports whether a node stands for a key: it has a value, or is an empty
// leaf. A node without a value that has children, or was made without one, is
// only a folder.
func isKey(size int, null bool, children int) bool {
	return size > 0 || !null && children == 0
}

func (n *node) isKey() bool {
	return isKey(len(n.entry.Value)+n.entry.TooLarge, n.null, len(n.children))
}

// A tree is our copy of all nodes from the root on.
type tree struct {
	root    string
	nodes   map[string]*node
	size    int             // bytes of paths and values
	touched map[string]bool // the nodes that differ since the last publication
	storm   time.Duration   // how long it may change faster than it can be read
}

func newTree(root string) *tree {
	return &tree{root: root, nodes: map[string]*node{}, touched: map[string]bool{}, storm: storm}
}

// settle reads what has changed until nothing has changed since the last answer:
// then the tree is the one of that instant.
func (t *tree) settle(c *session) error {
	var since time.Time
	for {
		dirty := c.changed()
		if len(dirty) == 0 {
			return nil
		}
		if !since.IsZero() && time.Since(since) > t.storm {
			return fmt.Errorf("%w: the tree changes faster than it can be read", store.ErrUnavailable)
		}
		if err := t.refresh(c, dirty); err != nil {
			return err
		}
		if since.IsZero() { // the first time may be the whole of a large tree
			since = time.Now()
		}
	}
}

// refresh reads the nodes that are dirty, and those that are found with them, a
// batch at a time: what waits is only paths, and counts as part of the tree.
func (t *tree) refresh(c *session, dirty map[string]kinds) error {
	var queue []*look
	for path, k := range dirty {
		if path == t.root || t.nodes[path] != nil {
			queue = append(queue, &look{path: path, kinds: k})
		}
	}
	waits := 0 // bytes of the paths that were found and not yet read
	for len(queue) > 0 {
		now := queue[:min(batch, len(queue))]
		queue = queue[len(now):]
		lookAll(c, t.root, now)
		for _, l := range now {
			if l.err != nil {
				return fmt.Errorf("%s: %w", l.path, l.err)
			}
			names, err := t.take(l)
			if err != nil {
				return err
			}
			if l.found {
				waits -= len(l.path)
			}
			for _, name := range names {
				queue = append(queue, &look{path: l.path + "/" + name, kinds: both, found: true})
				waits += len(l.path) + 1 + len(name)
			}
			if len(t.nodes)+len(queue) > maxNodes || t.size+waits > store.MaxTree {
				return fmt.Errorf("the tree is too big: over %d nodes or %d bytes", maxNodes, store.MaxTree)
			}
		}
	}
	return nil
}

// A look is one reading of a node.
type look struct {
	path  string
	kinds kinds
	found bool // by the reading of its parent

	gone  bool
	value []byte
	mzxid int64
	names []string
	err   error
}

func lookAll(c *session, root string, looks []*look) {
	var runs sync.WaitGroup
	var at atomic.Int64
	work := func() {
		for {
			i := int(at.Add(1)) - 1
			if i >= len(looks) {
				return
			}
			looks[i].read(c, looks[i].path == root)
		}
	}
	for range min(readers, len(looks)) - 1 {
		runs.Go(work)
	}
	work()
	runs.Wait()
}

// read reads the node and sets watches on it. A node that went between its
// listing and its reading is gone; only of the root is the return watched for,
// that of others is told by their parents.
func (l *look) read(c *session, root bool) {
	for {
		l.err = l.get(c)
		l.gone = errors.Is(l.err, zk.ErrNoNode)
		if !l.gone {
			return
		}
		l.err = nil
		if !root {
			return
		}
		var there bool
		if there, _, _, l.err = c.ExistsW(l.path); l.err != nil || !there {
			return
		}
	}
}

func (l *look) get(c *session) error {
	if l.kinds&data != 0 {
		value, stat, _, err := c.GetW(l.path)
		if err != nil {
			return err
		}
		l.value, l.mzxid = value, stat.Mzxid
	}
	if l.kinds&children != 0 {
		names, _, _, err := c.ChildrenW(l.path)
		if err != nil {
			return err
		}
		l.names = names
	}
	return nil
}

// take takes what was read into the copy and returns the children that are new.
func (t *tree) take(l *look) (found []string, err error) {
	n := t.nodes[l.path]
	switch {
	case l.gone:
		t.drop(l.path)
		return nil, nil
	case n == nil && l.kinds != both: // dropped in this very round
		return nil, nil
	case n == nil:
		n = &node{}
		t.nodes[l.path] = n
		t.size += len(l.path)
	}
	if l.kinds&data != 0 {
		t.setValue(l.path, n, l)
	}
	if l.kinds&children != 0 {
		if found, err = t.setChildren(l.path, n, l.names); err != nil {
			return nil, err
		}
	}
	t.touched[l.path] = true
	return found, nil
}

func (t *tree) setValue(path string, n *node, l *look) {
	t.size -= len(n.entry.Value)
	n.entry = store.Entry{Key: t.key(path), Revision: revision(l.mzxid)}
	n.null = l.value == nil
	switch {
	case path == t.root: // whatever it holds is no key
	case len(l.value) > store.MaxValue:
		n.entry.TooLarge = len(l.value)
	default:
		n.entry.Value = string(l.value)
	}
	t.size += len(n.entry.Value)
}

func (t *tree) setChildren(path string, n *node, names []string) (found []string, err error) {
	slices.Sort(names)
	for _, name := range names {
		if name == "" || strings.Contains(name, "/") {
			return nil, fmt.Errorf("%w: %s has a child called %q", errMalformed, path, name)
		}
		if t.nodes[path+"/"+name] == nil {
			found = append(found, name)
		}
	}
	for _, name := range n.children {
		if _, ok := slices.BinarySearch(names, name); !ok {
			t.drop(path + "/" + name)
		}
	}
	n.children = names
	return slices.Compact(found), nil
}

// drop forgets a node and everything below it.
func (t *tree) drop(path string) {
	n := t.nodes[path]
	if n == nil {
		return
	}
	delete(t.nodes, path)
	t.size -= len(path) + len(n.entry.Value)
	t.touched[path] = true
	for _, name := range n.children {
		t.drop(path + "/" + name)
	}
}

// key returns the key of a path, empty for the root.
func (t *tree) key(path string) string {
	return strings.TrimPrefix(strings.TrimPrefix(path, t.root), "/")
}

// entries returns all keys.
func (t *tree) entries() map[string]store.Entry {
	t.touched = map[string]bool{}
	out := map[string]store.Entry{}
	for path, n := range t.nodes {
		if path != t.root && n.isKey() {
			out[n.entry.Key] = n.entry
		}
	}
	return out
}

// changes returns what differs since the last call.
func (t *tree) changes() (set []store.Entry, removed []string) {
	for path := range t.touched {
		switch n := t.nodes[path]; {
		case path == t.root:
		case n != nil && n.isKey():
			set = append(set, n.entry)
		default:
			removed = append(removed, t.key(path))
		}
	}
	t.touched = map[string]bool{}
	return set, removed
}

// revision names one state of a node: the transaction that changed it last. It
// stays apart from that of a node that was deleted and made again.
func revision(mzxid int64) store.Revision {
	return store.Revision(strconv.FormatInt(mzxid, 10))
}
