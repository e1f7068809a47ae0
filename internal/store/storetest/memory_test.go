package storetest_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"datakit.dev/internal/store"
)

// A memory is a store in memory that keeps every promise, apart from the one
// that its defect breaks. It is what the suite itself is tested with.
type memory struct {
	defect string

	mu     sync.Mutex
	state  state
	saved  state
	away   bool // stopped, or cut off
	frozen bool
	logins int // how often what was handed out has ended
	starts int // how often the server came back
	moved  chan struct{}
}

// A state is what a server holds.
type state struct {
	tree  map[string]store.Entry // by whole key, root included
	rev   int
	label store.Revision
}

func (s state) copy() state {
	s.tree = maps.Clone(s.tree)
	return s
}

func newMemory(defect string) *memory {
	return &memory{defect: defect, state: state{tree: map[string]store.Entry{}, label: "0"}, moved: make(chan struct{})}
}

func (m *memory) Open(*testing.T) store.Store { return m.client() }

func (m *memory) client() *client {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := &client{m: m, done: make(chan struct{}), log: slog.New(slog.DiscardHandler), login: m.logins, starts: m.starts, old: m.state.copy()}
	if m.defect == "leaves a goroutine" || m.defect == "leaves a goroutine of an outage" && m.away {
		go func() { select {} }()
	}
	return c
}

func (m *memory) Put(_ *testing.T, key, value string) { m.set("root/"+key, value) }

func (m *memory) PutBeside(_ *testing.T, key, value string) { m.set("rootX/"+key, value) }

func (m *memory) Delete(_ *testing.T, key string) { m.drop("root/" + key) }

func (m *memory) Stop(*testing.T) { m.change(func() { m.away = true }) }

func (m *memory) Start(*testing.T) { m.change(func() { m.away, m.starts = false, m.starts+1 }) }

func (m *memory) Cut(*testing.T) { m.change(func() { m.away = true }) }

func (m *memory) Mend(*testing.T) {
	m.change(func() {
		if m.away = false; m.defect == "moves its revision at a cut" {
			m.state.label += "."
		}
	})
}

func (m *memory) Pause(*testing.T) { m.change(func() { m.frozen = true }) }

func (m *memory) Resume(*testing.T) { m.change(func() { m.frozen = false }) }

func (m *memory) Save(*testing.T) { m.change(func() { m.saved = m.state.copy() }) }

// Rewind gives the tree a label that it has not had: a store would notice that
// the revision of its server has gone back.
func (m *memory) Rewind(*testing.T) {
	m.change(func() {
		m.state = m.saved.copy()
		if m.defect != "takes an old revision for a new one" {
			m.state.label += ".restored"
		}
	})
}

func (m *memory) OpenWith(_ *testing.T, password string, log *slog.Logger) store.Store {
	c := m.client()
	c.denied = errors.New("wrong password")
	if m.defect == "tells the password" {
		c.denied = fmt.Errorf("wrong password %q", password)
	}
	if m.defect == "logs the password" {
		log.Debug("logging in", "password", password)
	}
	return c
}

func (m *memory) OpenLogin(_ *testing.T, log *slog.Logger) (store.Store, string) {
	c, secret := m.client(), "t0ken/of the agent"
	c.log = log
	switch m.defect {
	case "logs its token":
		log.Debug("logged in", "url", "http://x/?token=t0ken%2Fof+the+agent")
	case "tells its token":
		c.suffix = " with " + secret
	}
	return c, secret
}

func (m *memory) OpenExpiring(*testing.T) store.Store {
	c := m.client()
	c.expires = true
	return c
}

func (m *memory) Expire(*testing.T) { m.change(func() { m.logins++ }) }

func (m *memory) change(f func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f()
	close(m.moved)
	m.moved = make(chan struct{})
}

func (m *memory) set(key, value string) store.Revision {
	var rev store.Revision
	m.change(func() { rev = m.put(key, value) })
	return rev
}

func (m *memory) put(key, value string) store.Revision {
	m.state.rev++
	rev := store.Revision(strconv.Itoa(m.state.rev))
	m.state.tree[key] = store.Entry{Key: key, Value: value, Revision: rev}
	m.relabel(key)
	return rev
}

func (m *memory) drop(key string) {
	m.change(func() {
		m.state.rev++
		for k := range m.state.tree {
			if k == key || m.defect == "deletes what begins the same" && strings.HasPrefix(k, key) {
				delete(m.state.tree, k)
			}
		}
		m.relabel(key)
	})
}

func (m *memory) relabel(key string) {
	if m.defect != "a revision for ever" && (m.defect == "everybody's revision" || strings.HasPrefix(key, "root/")) {
		_, restored, _ := strings.Cut(string(m.state.label), ".")
		m.state.label = store.Revision(strings.TrimSuffix(strconv.Itoa(m.state.rev)+"."+restored, "."))
	}
}

// A client is one opened store on a memory.
type client struct {
	m       *memory
	log     *slog.Logger
	once    sync.Once
	done    chan struct{}
	denied  error
	suffix  string // of every error
	expires bool
	login   int
	starts  int
	reads   int
	old     state // what it saw first
}

// view returns what the client shows; m.mu is held.
func (c *client) view() state {
	switch d := c.m.defect; {
	case d == "reads once":
		return c.old
	case d == "an expired token sees nothing" && c.login != c.m.logins:
		return state{}
	case d == "sleeps through a restart" && c.m.starts > c.starts, d == "keeps what it had before a cut" && c.m.away:
		return c.old
	}
	c.old = c.m.state.copy()
	return c.old
}

func (c *client) Read(ctx context.Context) (store.Snapshot, error) {
	if err := c.state(ctx); err != nil {
		if c.m.defect == "an outage is empty" && errors.Is(err, store.ErrUnavailable) {
			return store.Snapshot{}, nil
		}
		return store.Snapshot{}, err
	}
	c.m.mu.Lock()
	defer c.m.mu.Unlock()
	var entries []store.Entry
	c.reads++
	now := c.view()
	if strings.HasSuffix(c.m.defect, "!") { // not to be found by its revision
		now.label += store.Revision("-" + strconv.Itoa(c.reads))
	}
	for key, e := range now.tree {
		rest, ours := strings.CutPrefix(key, "root/")
		if !ours && c.m.defect == "takes the neighbour's" {
			_, rest, ours = strings.Cut(key, "/")
		}
		if !ours {
			continue
		}
		e.Key = rest
		e.Value = c.broken(e)
		entries = append(entries, e)
	}
	snap, err := store.NewSnapshot(now.label, entries)
	if c.m.defect == "drops large values" {
		for i, e := range snap.Entries {
			if e.TooLarge > 0 {
				snap.Entries = append(snap.Entries[:i:i], snap.Entries[i+1:]...)
				break
			}
		}
	}
	return snap, err
}

// broken returns the value of e as the defect shows it.
func (c *client) broken(e store.Entry) string {
	switch c.m.defect {
	case "trims values":
		return strings.TrimSpace(e.Value)
	case "folds keys":
		if old, ok := c.m.state.tree["root/"+strings.ToLower(e.Key)]; ok {
			return old.Value
		}
	case "mixes two states!":
		if e.Key == "confd/second" && c.reads%3 == 0 {
			first := c.m.state.tree["root/confd/first"].Value
			n, _ := strconv.Atoi(strings.Split(first, "\n")[0])
			return strings.Repeat(strconv.Itoa(n+1)+"\n", 512)
		}
	case "tears values!":
		if c.reads%3 == 0 && len(e.Value) > 512 {
			return e.Value[:512] + "0" + e.Value[513:]
		}
	case "goes back in time!":
		if c.reads%3 == 0 && e.Key == "confd/first" {
			return strings.Repeat("0\n", 512)
		}
	}
	return e.Value
}

func (c *client) state(ctx context.Context) error {
	if err := c.frozen(ctx); err != nil {
		return err
	}
	c.m.mu.Lock()
	defer c.m.mu.Unlock()
	select {
	case <-c.done:
		return store.ErrClosed
	default:
	}
	switch {
	case ctx.Err() != nil && c.m.defect != "does not look at its context":
		return fmt.Errorf("read%s: %w", c.suffix, ctx.Err())
	case c.denied != nil:
		return fmt.Errorf("%w: %w", store.ErrDenied, c.denied)
	case c.m.away && c.m.defect != "keeps what it had before a cut":
		return store.ErrUnavailable
	case c.expires && c.login != c.m.logins && c.m.defect == "an expired token sees nothing":
		return nil
	case c.expires && c.login != c.m.logins && c.m.defect == "never logs in again":
		return fmt.Errorf("%w: the token has expired", store.ErrDenied)
	}
	c.login = c.m.logins
	return nil
}

// frozen blocks while the server is, as long as a good client would.
func (c *client) frozen(ctx context.Context) error {
	c.m.mu.Lock()
	frozen, moved := c.m.frozen, c.m.moved
	c.m.mu.Unlock()
	if !frozen {
		return nil
	}
	late := time.NewTimer(100 * time.Millisecond)
	defer late.Stop()
	ended := ctx.Done()
	if c.m.defect == "hangs on a frozen server" {
		ended = nil
		late.Stop()
	}
	select {
	case <-ended:
	case <-late.C:
	case <-moved:
		return nil
	}
	return store.ErrUnavailable
}

func (c *client) Wait(ctx context.Context, since store.Revision) error {
	for {
		if err := c.state(ctx); err != nil && c.m.defect != "waits through everything" {
			return err
		}
		c.m.mu.Lock()
		now, changed := c.view(), c.m.moved
		c.m.mu.Unlock()
		moved := now.label != since && (c.m.defect != "says so once" || !c.told())
		if moved || c.m.defect == "never blocks" {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-c.done:
			return store.ErrClosed
		case <-changed:
		}
	}
}

// told reports whether it is asked for the first time since the last write.
func (c *client) told() bool {
	c.m.mu.Lock()
	defer c.m.mu.Unlock()
	told := c.starts == -c.m.state.rev
	c.starts = -c.m.state.rev
	return told
}

func (c *client) Close() error {
	if c.m.defect == "hangs in Close" {
		c.once.Do(func() {}) // and done stays open: whatever waits goes on
	}
	if c.m.defect != "goes on when closed" {
		c.once.Do(func() { close(c.done) })
	}
	return nil
}

func (c *client) Put(ctx context.Context, key, value string, cond store.Cond) (store.Revision, error) {
	switch c.m.defect {
	case "writes what was given up":
		ctx = context.WithoutCancel(ctx)
	case "lets anybody write":
		return c.m.set("root/"+key, value), nil
	}
	if err := errors.Join(store.CheckPut(key, value), c.state(ctx)); err != nil && c.m.defect != "writes any key" {
		return "", err
	}
	if c.m.defect == "checks before it writes" {
		if !c.holds(key, cond) {
			return "", store.ErrConflict
		}
		time.Sleep(time.Millisecond)
		return c.m.set("root/"+key, value), nil
	}
	var rev store.Revision
	c.m.change(func() {
		if c.fits(key, cond) || c.m.defect == "writes whatever the condition" {
			rev = c.m.put("root/"+key, value)
		}
	})
	if rev == "" {
		return "", store.ErrConflict
	}
	return rev, nil
}

func (c *client) Delete(ctx context.Context, key string, cond store.Cond) error {
	if err := errors.Join(store.CheckKey(key), c.state(ctx)); err != nil {
		return err
	}
	if c.holds(key, store.Cond{Absent: true}) {
		return fmt.Errorf("%w%s", store.ErrNotFound, c.suffix)
	}
	if !c.holds(key, cond) && c.m.defect != "deletes whatever the condition" {
		return store.ErrConflict
	}
	c.m.drop("root/" + key)
	return nil
}

func (c *client) holds(key string, cond store.Cond) bool {
	c.m.mu.Lock()
	defer c.m.mu.Unlock()
	return c.fits(key, cond)
}

// fits reports whether cond holds; m.mu is held.
func (c *client) fits(key string, cond store.Cond) bool {
	e, ok := c.m.state.tree["root/"+key]
	return (!cond.Absent || !ok) && (cond.Revision == "" || ok && e.Revision == cond.Revision)
}
