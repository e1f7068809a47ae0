package state

import (
	"container/heap"
	"fmt"
	"math"
	"strings"
	"sync"
	"time"

	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/point"
)

func cacheGet() fn.Func {
	return fn.Func{
		Name:   "cache_get",
		Params: []fn.Param{{Name: "key"}},
		Result: "any",
		Doc: fn.Text{
			En: "Returns what cache_set of the same script has kept under a string; nil where there is nothing any more.",
			Zh: "返回同一脚本中 cache_set 以该字符串为键缓存的值；不存在或已过期时返回 nil。",
		},
		Examples: []fn.Example{{
			Script: "cache_set(\"user\", \"tom\")\nadd_key(who, cache_get(\"user\"))",
			Out:    map[string]any{"who": "tom"},
		}},
		Bind: func(c *fn.Call) (fn.Eval, error) {
			kept, key := sharedCache(c), c.Args[0].Eval
			return func(r *fn.Run) (point.Value, error) {
				k, err := key(r)
				if err != nil {
					return k, err
				}
				if k.Kind() != point.String {
					return k, c.Errorf(0, "the key must be a string, got %s", k.Kind())
				}
				return duplicate(r, kept.get(k.Text(), r.Now()))
			}, nil
		},
	}
}

func cacheSet() fn.Func {
	return fn.Func{
		Name:   "cache_set",
		Params: []fn.Param{{Name: "key"}, {Name: "value"}, {Name: "exp", Optional: true}},
		Match:  fn.ByName,
		Doc: fn.Text{
			En: fmt.Sprintf("Keeps a value under a string for exp seconds, 100 if left out, for this and later points of the script. "+
				"At most %d values of %d MiB together are kept: the next to expire goes first.", maxEntries, maxBytes>>20),
			Zh: fmt.Sprintf("以字符串为键缓存一个值，exp 秒后过期（默认 100 秒），供该脚本处理当前及后续数据点时使用。"+
				"最多缓存 %d 个值，共 %d MiB；超出时最先淘汰即将过期的值。", maxEntries, maxBytes>>20),
		},
		Examples: []fn.Example{{
			Script: "cache_set(\"seen\", [1, 2], 60)\nadd_key(seen, cache_get(\"seen\"))",
			Out:    map[string]any{"seen": "[1,2]"},
		}},
		Bind: bindCacheSet,
	}
}

// defaultExpiry is how many seconds a value is kept.
const defaultExpiry = 100

func bindCacheSet(c *fn.Call) (fn.Eval, error) {
	kept := sharedCache(c)
	key, value, expiry := c.Args[0].Eval, c.Args[1].Eval, c.Default(2, point.IntOf(defaultExpiry))
	return func(r *fn.Run) (point.Value, error) {
		k, err := key(r)
		if err != nil {
			return k, err
		}
		if k.Kind() != point.String {
			return k, c.Errorf(0, "the key must be a string, got %s", k.Kind())
		}
		v, err := value(r)
		if err != nil {
			return v, err
		}
		seconds, err := expiry(r)
		if err != nil {
			return seconds, err
		}
		if seconds.Kind() != point.Int {
			return seconds, c.Errorf(2, "the seconds must be an integer, got %s", seconds.Kind())
		}
		n := min(seconds.Int(), math.MaxInt64/int64(time.Second))
		if n <= 0 {
			return nothing()
		}
		if v, err = duplicate(r, v); err != nil {
			return v, err
		}
		if err := r.Step(len(k.Text())); err != nil {
			return v, err
		}
		kept.set(k.Text(), v, r.Now(), time.Duration(n)*time.Second)
		return nothing()
	}, nil
}

func sharedCache(c *fn.Call) *cache {
	return shared(c, "state: cache", func() *cache { return &cache{entries: map[string]*entry{}} })
}

// maxEntries bounds the values in a cache.
const maxEntries = 10_000

// A cache is the values that a script keeps. Those that have expired go when
// another value comes; there is never one that is past its time and returned.
type cache struct {
	mu      sync.Mutex
	entries map[string]*entry
	queue   expiry
	bytes   int
}

type entry struct {
	key   string
	value point.Value
	until time.Time
	bytes int
	at    int // in the queue
}

func (c *cache) get(key string, now time.Time) point.Value {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.entries[key]; e != nil && now.Before(e.until) {
		return e.value
	}
	return point.NilOf()
}

// set keeps v, which no one else may hold.
func (c *cache) set(key string, v point.Value, now time.Time, expiry time.Duration) {
	key = strings.Clone(key) // it may be a small part of a large message
	e := &entry{key: key, value: v, until: now.Add(expiry), bytes: len(key) + size(v) + fn.EntrySize}
	c.mu.Lock()
	defer c.mu.Unlock()
	if old := c.entries[key]; old != nil {
		c.remove(old)
	}
	for len(c.queue) > 0 && !now.Before(c.queue[0].until) {
		c.remove(c.queue[0])
	}
	if e.bytes > maxBytes {
		return
	}
	for len(c.queue) >= maxEntries || c.bytes+e.bytes > maxBytes {
		c.remove(c.queue[0])
	}
	c.entries[key] = e
	c.bytes += e.bytes
	heap.Push(&c.queue, e)
}

func (c *cache) remove(e *entry) {
	heap.Remove(&c.queue, e.at)
	delete(c.entries, e.key)
	c.bytes -= e.bytes
}

// An expiry is a heap of entries, the next to expire first.
type expiry []*entry

// Len returns the number of entries.
func (q expiry) Len() int { return len(q) }

// Less reports whether entry i expires before entry j.
func (q expiry) Less(i, j int) bool { return q[i].until.Before(q[j].until) }

// Swap swaps two entries.
func (q expiry) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].at, q[j].at = i, j
}

// Push adds an entry at the end.
func (q *expiry) Push(x any) {
	e, _ := x.(*entry)
	e.at = len(*q)
	*q = append(*q, e)
}

// Pop removes the entry at the end.
func (q *expiry) Pop() any {
	last := len(*q) - 1
	e := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	return e
}
