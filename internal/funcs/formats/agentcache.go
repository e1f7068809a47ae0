package formats

import (
	"strings"
	"sync"

	"datakit.dev/internal/pipeline/fn"
)

// Bounds of what one script remembers of headers: 1,024 of them at most, and
// half a megabyte of text.
const (
	maxAgents    = 512 // a generation
	maxAgentText = 512 // a longer one is parsed each time
)

// An agentCache remembers what headers say. The traffic of a site has some
// hundred different ones, and to parse one takes ten times as long as to find
// it here. The headers lie in two generations: when the new one is full it
// becomes the old one, and what was not asked for since is gone.
type agentCache struct {
	mu         sync.Mutex
	young, old map[string]*agent
}

func (c *agentCache) parse(r *fn.Run, s string) (*agent, error) {
	if len(s) > maxAgentText {
		return parse(r, s)
	}
	if a := c.get(s); a != nil {
		return a, nil
	}
	a, err := parse(r, s)
	if a != nil {
		c.put(strings.Clone(s), a) // s may be a part of a long message
	}
	return a, err
}

func (c *agentCache) get(s string) *agent {
	c.mu.Lock()
	defer c.mu.Unlock()
	if a := c.young[s]; a != nil {
		return a
	}
	a := c.old[s]
	if a != nil {
		c.add(s, a)
	}
	return a
}

func (c *agentCache) put(s string, a *agent) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.add(s, a)
}

// add remembers a header; c.mu is held.
func (c *agentCache) add(s string, a *agent) {
	if c.young == nil || len(c.young) >= maxAgents {
		c.old = c.young
		c.young = make(map[string]*agent)
	}
	c.young[s] = a
}
