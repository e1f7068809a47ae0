package redis

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"datakit.dev/internal/store"
)

const (
	scanCount = "1000" // keys that one SCAN looks at
	batch     = 500    // names that are read at once
	redirects = 5      // answers of a cluster that a key is elsewhere
)

// A fetcher reads what the servers hold.
type fetcher struct {
	*links
	names names
	kinds map[string]string // of the names that hold no string, as seen last
	// rooted says that the name of the root itself may be read, where a hash may
	// be. An account for the keys below it need not have that right.
	rooted bool
}

func newFetcher(ctx context.Context, l *links) (*fetcher, error) {
	f := &fetcher{links: l, names: l.s.names, kinds: map[string]string{}}
	_, err := f.read(ctx, []string{f.names.root})
	if f.rooted = err == nil; err != nil && !errors.Is(err, store.ErrDenied) {
		return nil, err
	}
	return f, nil
}

// list returns the names below the root, and the root. SCAN may return a name
// twice, and returns each that was there all the time.
func (f *fetcher) list(ctx context.Context) (map[string]bool, error) {
	found, size := map[string]bool{}, 0
	if f.rooted {
		found[f.names.root] = true
	}
	for _, node := range f.nodes {
		cursor := "0"
		for {
			r, err := f.conns[node].call(ctx, "SCAN", cursor, "MATCH", f.names.pattern(), "COUNT", scanCount)
			if err != nil {
				return nil, f.s.explain(ctx, node, err)
			}
			if len(r.items) != 2 {
				return nil, f.s.explain(ctx, node, errProtocol)
			}
			for _, item := range r.items[1].items {
				if !found[item.text] && item.size == 0 {
					found[item.text] = true
					size += len(item.text)
				}
			}
			if err := bound(len(found), size); err != nil {
				return nil, err
			}
			if cursor = r.items[0].text; cursor == "0" {
				break
			}
		}
	}
	return found, nil
}

// bound fails for a tree that no snapshot would take, before all of it is read.
func bound(count, size int) error {
	if count > store.MaxEntries+1 || size > store.MaxTree {
		return fmt.Errorf("%w: over %d keys, or %d bytes", errBound, store.MaxEntries, store.MaxTree)
	}
	return nil
}

// readAll reads names in batches, which are not of one instant.
func (f *fetcher) readAll(ctx context.Context, wanted map[string]bool) (tree, error) {
	out, count, size := tree{}, 0, 0
	for names := range slices.Chunk(slices.Collect(maps.Keys(wanted)), batch) {
		part, err := f.read(ctx, names)
		if err != nil {
			return nil, err
		}
		for name, v := range part {
			if v.kind != kindString && v.kind != kindHash {
				continue
			}
			for key, e := range v.entries {
				count++
				size += len(key) + len(e.Value)
			}
			out[name] = v
		}
		if err := bound(count, size); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// read returns what names hold: on a single server as it is at one instant. A
// name that holds nothing is of kind none. All is read, or it is an error.
func (f *fetcher) read(ctx context.Context, wanted []string) (tree, error) {
	out := tree{}
	for try := 0; len(wanted) > 0; try++ {
		if try == redirects {
			return nil, errRestless
		}
		var again []string
		for c, names := range f.share(wanted, &again) {
			later, err := f.readFrom(ctx, c, names, out)
			if err != nil {
				return nil, f.s.explain(ctx, c.node, err)
			}
			again = append(again, later...)
		}
		if len(again) > 0 && f.layout != nil {
			if err := f.renew(ctx); err != nil {
				return nil, err
			}
		}
		if f.layout == nil && len(again) > 0 {
			again = wanted // of one instant, or nothing is gained
		}
		wanted = again
	}
	return out, nil
}

// share divides names by the server that holds them. Those that nobody holds
// for now are put off.
func (f *fetcher) share(wanted []string, again *[]string) map[*conn][]string {
	out := map[*conn][]string{}
	for _, name := range wanted {
		if c, err := f.of(name); err == nil {
			out[c] = append(out[c], name)
		} else {
			*again = append(*again, name)
		}
	}
	return out
}

// readFrom reads names from one server into out, and returns those that have to
// be read once more: what they hold is of another kind than we thought, or they
// are elsewhere.
func (f *fetcher) readFrom(ctx context.Context, c *conn, wanted []string, out tree) (again []string, err error) {
	answers, err := f.ask(ctx, c, wanted)
	if err != nil {
		return nil, err
	}
	for i, name := range wanted {
		v, err := f.valueOf(name, answers[2*i], answers[2*i+1])
		switch {
		case failure(err, "ASK"):
			if v, err = f.readAside(ctx, name, err); err != nil {
				return nil, err
			}
			fallthrough
		case err == nil:
			out[name] = v
		case errors.Is(err, errKind), failure(err, "MOVED", "TRYAGAIN"):
			again = append(again, name)
		default:
			return nil, err
		}
	}
	return again, nil
}

// errKind says that a name holds another kind of value than was asked for.
var errKind = errors.New("another kind of value")

// commands returns two commands for each name: what it holds, and its value.
func (f *fetcher) commands(names []string) []command {
	out := make([]command, 0, 2*len(names))
	for _, name := range names {
		out = append(out, command{"TYPE", name})
		switch f.kinds[name] {
		case "":
			out = append(out, command{"GET", name})
		case kindHash:
			out = append(out, command{"HGETALL", name})
		default:
			out = append(out, command{"TYPE", name})
		}
	}
	return out
}

// ask sends the commands for names. A single server runs them as one
// transaction, so that nobody writes in between; a cluster takes none over
// several slots.
func (f *fetcher) ask(ctx context.Context, c *conn, names []string) ([]reply, error) {
	cmds := f.commands(names)
	if f.layout != nil {
		return c.calls(ctx, cmds...)
	}
	cmds = slices.Concat([]command{{"MULTI"}}, cmds, []command{{"EXEC"}})
	r, err := c.calls(ctx, cmds...)
	if err != nil {
		return nil, err
	}
	exec := r[len(r)-1]
	for _, queued := range r[1 : len(r)-1] {
		if err := queued.err(); err != nil {
			return nil, err
		}
	}
	if err := exec.err(); err != nil {
		return nil, err
	}
	if len(exec.items) != 2*len(names) {
		return nil, fmt.Errorf("%w: %d answers to %d commands", errProtocol, len(exec.items), 2*len(names))
	}
	return exec.items, nil
}

// valueOf reads the two answers for name, and notes its kind.
func (f *fetcher) valueOf(name string, kind, content reply) (value, error) {
	if err := kind.err(); err != nil {
		return value{}, err
	}
	asked := f.kinds[name]
	switch kind.text {
	case kindNone:
		delete(f.kinds, name)
		return value{kind: kindNone}, nil
	case kindString:
		delete(f.kinds, name)
	default:
		f.kinds[name] = kind.text
	}
	if f.kinds[name] != asked {
		return value{}, errKind
	}
	if err := content.err(); err != nil {
		return value{}, err
	}
	switch kind.text {
	case kindString:
		return f.names.stringOf(name, content), nil
	case kindHash:
		return f.names.hashOf(name, content), nil
	}
	return value{kind: kind.text}, nil
}

// readAside reads a name whose slot is on its way to another server, and which is
// there already.
func (f *fetcher) readAside(ctx context.Context, name string, moved error) (value, error) {
	words := strings.Fields(moved.Error())
	c := f.conns[f.layout.alias[words[len(words)-1]]]
	if c == nil {
		return value{}, errMoved
	}
	for range redirects {
		cmds := f.commands([]string{name})
		r, err := c.calls(ctx, command{"ASKING"}, cmds[0], command{"ASKING"}, cmds[1])
		if err != nil {
			return value{}, err
		}
		v, err := f.valueOf(name, r[1], r[3])
		if !errors.Is(err, errKind) && !failure(err, "TRYAGAIN") {
			return v, err
		}
	}
	return value{}, errRestless
}

// errRestless says that a key was another thing, or elsewhere, at every look.
var errRestless = fmt.Errorf("%w: a key changes its kind or its server faster than it can be read", store.ErrUnavailable)

// whole reports whether every one of names is there still. FLUSHALL is told to
// nobody, so that it has to be asked for.
func (f *fetcher) whole(ctx context.Context, wanted []string) (bool, error) {
	var again []string
	for c, names := range f.share(wanted, &again) {
		for part := range slices.Chunk(names, batch) {
			ok, err := f.wholeFrom(ctx, c, part)
			if err != nil || !ok {
				return false, err
			}
		}
	}
	return len(again) == 0, nil
}

func (f *fetcher) wholeFrom(ctx context.Context, c *conn, names []string) (bool, error) {
	cmds := []command{append(command{"EXISTS"}, names...)}
	if f.layout != nil { // one slot at a time
		cmds = cmds[:0]
		for _, name := range names {
			cmds = append(cmds, command{"EXISTS", name})
		}
	}
	r, err := c.calls(ctx, cmds...)
	if err != nil {
		return false, f.s.explain(ctx, c.node, err)
	}
	there := int64(0)
	for _, one := range r {
		switch err := one.err(); {
		case failure(err, "MOVED", "ASK", "TRYAGAIN"):
			return false, nil
		case err != nil:
			return false, f.s.explain(ctx, c.node, err)
		}
		there += one.num
	}
	return there == int64(len(names)), nil
}
