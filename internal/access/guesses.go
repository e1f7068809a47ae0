package access

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// The bounds of guesses: of one address, and of all those outside of this machine.
const (
	burst      = 5
	every      = 10 * time.Second
	allBurst   = 50
	allEvery   = time.Second
	maxSources = 1024
)

// guesses bounds how often somebody may be wrong.
type guesses struct {
	mu   sync.Mutex
	all  *rate.Limiter
	from map[netip.Prefix]*rate.Limiter
}

func newGuesses() *guesses {
	return &guesses{all: rate.NewLimiter(rate.Every(allEvery), allBurst), from: map[netip.Prefix]*rate.Limiter{}}
}

// try takes one guess of addr. It returns how to give it back, for who was right,
// or how long to wait where there is none left.
func (g *guesses) try(addr netip.Addr, now time.Time) (giveBack func(), wait time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	one := g.source(addr, now).ReserveN(now, 1)
	if d := one.DelayFrom(now); d > 0 {
		one.CancelAt(now)
		return nil, d
	}
	if addr.IsLoopback() { // a flood from outside does not lock this machine out
		return func() { one.CancelAt(now) }, 0
	}
	all := g.all.ReserveN(now, 1)
	if d := all.DelayFrom(now); d > 0 {
		all.CancelAt(now)
		one.CancelAt(now)
		return nil, d
	}
	return func() {
		all.CancelAt(now)
		one.CancelAt(now)
	}, 0
}

// source returns the bound of one address; an IPv6 host has a whole /64.
func (g *guesses) source(addr netip.Addr, now time.Time) *rate.Limiter {
	addr = addr.Unmap().WithZone("")
	bits := addr.BitLen()
	if addr.Is6() {
		bits = 64
	}
	p, err := addr.Prefix(bits)
	if err != nil {
		p = netip.Prefix{} // of a unix socket: one source
	}
	if l, ok := g.from[p]; ok {
		return l
	}
	if len(g.from) >= maxSources {
		g.forget(now)
	}
	l := rate.NewLimiter(rate.Every(every), burst)
	g.from[p] = l
	return l
}

// forget drops the sources that have all their guesses again; where none has, the
// bound over all of them holds, and any one goes.
func (g *guesses) forget(now time.Time) {
	for p, l := range g.from {
		if l.TokensAt(now) >= burst {
			delete(g.from, p)
		}
	}
	for p := range g.from {
		if len(g.from) < maxSources {
			return
		}
		delete(g.from, p)
	}
}
