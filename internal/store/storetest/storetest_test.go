package storetest_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"

	"datakit.dev/internal/store"
	"datakit.dev/internal/store/storetest"
)

// A memory is a store in memory that keeps every promise, apart from the one
// that its defect breaks. It is what the suite itself is tested with.
type memory struct {
	defect string

	mu    sync.Mutex
	tree  map[string]store.Entry // by whole key, root included
	rev   int
	label store.Revision
	away  bool
	moved chan struct{}
}

var traits = store.Traits{Watches: true, Writes: true, CompareAndSet: true, OneInstant: true}

func newMemory(defect string) *memory {
	return &memory{defect: defect, tree: map[string]store.Entry{}, label: "0", moved: make(chan struct{})}
}

func (m *memory) Open(*testing.T) store.Store { return &client{m: m, done: make(chan struct{})} }

func (m *memory) Put(_ *testing.T, key, value string) { m.set("root/"+key, value) }

func (m *memory) PutBeside(_ *testing.T, key, value string) { m.set("rootX/"+key, value) }

func (m *memory) Delete(_ *testing.T, key string) { m.drop("root/" + key) }

func (m *memory) Stop(*testing.T) { m.change(func() { m.away = true }) }

func (m *memory) Start(*testing.T) { m.change(func() { m.away = false }) }

func (m *memory) OpenWith(_ *testing.T, password string, log *slog.Logger) store.Store {
	c := &client{m: m, done: make(chan struct{}), denied: errors.New("wrong password")}
	if m.defect == "tells the password" {
		c.denied = fmt.Errorf("wrong password %q", password)
	}
	if m.defect == "logs the password" {
		log.Debug("logging in", "password", password)
	}
	return c
}

func (m *memory) change(f func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f()
	close(m.moved)
	m.moved = make(chan struct{})
}

func (m *memory) set(key, value string) store.Revision {
	var rev store.Revision
	m.change(func() {
		m.rev++
		rev = store.Revision(strconv.Itoa(m.rev))
		m.tree[key] = store.Entry{Key: key, Value: value, Revision: rev}
		m.relabel(key)
	})
	return rev
}

func (m *memory) drop(key string) {
	m.change(func() {
		m.rev++
		delete(m.tree, key)
		m.relabel(key)
	})
}

func (m *memory) relabel(key string) {
	if m.defect != "a revision for ever" && (m.defect == "everybody's revision" || strings.HasPrefix(key, "root/")) {
		m.label = store.Revision(strconv.Itoa(m.rev))
	}
}

// A client is one opened store on a memory.
type client struct {
	m      *memory
	once   sync.Once
	done   chan struct{}
	denied error
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
	for key, e := range c.m.tree {
		rest, ours := strings.CutPrefix(key, "root/")
		if !ours && c.m.defect == "takes the neighbour's" {
			_, rest, ours = strings.Cut(key, "/")
		}
		if !ours {
			continue
		}
		if e.Key = rest; c.m.defect == "trims values" {
			e.Value = strings.TrimSpace(e.Value)
		}
		entries = append(entries, e)
	}
	snap, err := store.NewSnapshot(c.m.label, entries)
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

func (c *client) state(ctx context.Context) error {
	c.m.mu.Lock()
	defer c.m.mu.Unlock()
	select {
	case <-c.done:
		return store.ErrClosed
	default:
	}
	switch {
	case ctx.Err() != nil && c.m.defect != "does not look at its context":
		return ctx.Err()
	case c.denied != nil:
		return fmt.Errorf("%w: %w", store.ErrDenied, c.denied)
	case c.m.away:
		return store.ErrUnavailable
	}
	return nil
}

func (c *client) Wait(ctx context.Context, since store.Revision) error {
	for {
		if err := c.state(ctx); err != nil {
			return err
		}
		c.m.mu.Lock()
		label, moved := c.m.label, c.m.moved
		c.m.mu.Unlock()
		if label != since || c.m.defect == "never blocks" {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-c.done:
			return store.ErrClosed
		case <-moved:
		}
	}
}

func (c *client) Close() error {
	if c.m.defect != "goes on when closed" {
		c.once.Do(func() { close(c.done) })
	}
	return nil
}

func (c *client) Put(ctx context.Context, key, value string, cond store.Cond) (store.Revision, error) {
	if err := errors.Join(store.CheckPut(key, value), c.state(ctx)); err != nil && c.m.defect != "writes any key" {
		return "", err
	}
	if !c.holds(key, cond) && c.m.defect != "writes whatever the condition" {
		return "", store.ErrConflict
	}
	return c.m.set("root/"+key, value), nil
}

func (c *client) Delete(ctx context.Context, key string, cond store.Cond) error {
	if err := errors.Join(store.CheckKey(key), c.state(ctx)); err != nil {
		return err
	}
	if !c.holds(key, store.Cond{}) || c.holds(key, store.Cond{Absent: true}) {
		return store.ErrNotFound
	}
	if !c.holds(key, cond) {
		return store.ErrConflict
	}
	c.m.drop("root/" + key)
	return nil
}

func (c *client) holds(key string, cond store.Cond) bool {
	c.m.mu.Lock()
	defer c.m.mu.Unlock()
	e, ok := c.m.tree["root/"+key]
	return (!cond.Absent || !ok) && (cond.Revision == "" || ok && e.Revision == cond.Revision)
}

func TestStoreThatKeepsEveryPromise(t *testing.T) {
	storetest.Run(t, traits, func(*testing.T) storetest.Server { return newMemory("") })
}

// defect names the variable that makes TestBrokenStore run the suite.
const defectVar = "STORETEST_DEFECT"

func TestBrokenStore(t *testing.T) {
	defect := os.Getenv(defectVar)
	if defect == "" {
		t.Skip("run by TestSuiteFindsDefects")
	}
	storetest.Run(t, traits, func(*testing.T) storetest.Server { return newMemory(defect) })
}

// Each broken promise fails the case that holds the store to it.
func TestSuiteFindsDefects(t *testing.T) {
	for defect, found := range map[string]string{
		"a revision for ever":           "the_revision_moves_with_the_content",
		"everybody's revision":          "keys_beside_the_root",
		"takes the neighbour's":         "keys_beside_the_root",
		"trims values":                  "odd_values",
		"drops large values":            "a_value_over_the_limit",
		"an outage is empty":            "an_outage_is_an_error",
		"does not look at its context":  "a_cancelled_read",
		"never blocks":                  "Wait_blocks",
		"goes on when closed":           "a_closed_store_says_so",
		"writes any key":                "what_no_reader_would_take",
		"writes whatever the condition": "a_put_at_a_revision",
		"tells the password":            "a_wrong_password",
		"logs the password":             "a_wrong_password",
	} {
		t.Run(defect, func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestBrokenStore$/"+found)
			cmd.Env = append(os.Environ(), defectVar+"="+defect)
			out, err := cmd.CombinedOutput()
			if err == nil || !strings.Contains(string(out), "--- FAIL: TestBrokenStore/"+found) {
				t.Errorf("the suite passes a store that %s (%v):\n%s", defect, err, out)
			}
		})
	}
}
