package outbound

import (
	"fmt"
	"net/netip"
	"strings"
	"syscall"
)

// A guard knows the addresses that may be dialed.
type guard struct{ allowed []netip.Prefix }

func newGuard(allow []string) (*guard, error) {
	g := new(guard)
	for _, text := range allow {
		p, err := network(text)
		if err != nil {
			return nil, fmt.Errorf("the network %q that scripts may call: %w", text, err)
		}
		g.allowed = append(g.allowed, p)
	}
	return g, nil
}

// network reads a network, or an address as the network of itself.
func network(text string) (netip.Prefix, error) {
	if strings.Contains(text, "/") {
		p, err := netip.ParsePrefix(text)
		return p.Masked(), err
	}
	a, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Prefix{}, err
	}
	return a.Prefix(a.BitLen())
}

// control is called with the address that a connection is about to be made to.
// That is after the name was resolved: a name that has a public address when it
// is looked at, and another when it is dialed, gains nothing.
func (g *guard) control(_, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w: %s", ErrAddress, address)
	}
	if !g.permits(to.Addr()) {
		return fmt.Errorf("%w: %s", ErrAddress, to.Addr())
	}
	return nil
}

func (g *guard) permits(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	for _, p := range g.allowed {
		if p.Contains(a) {
			return true
		}
	}
	return public(a)
}

// public reports whether an address is one of the internet's, and not of this
// machine, this network or a cloud's inner services.
func public(a netip.Addr) bool {
	if !a.IsGlobalUnicast() || a.IsPrivate() {
		return false
	}
	for _, p := range special(a.Is4()) {
		if p.Contains(a) {
			return false
		}
	}
	return true
}

// special lists networks that [netip.Addr] takes for global, and are not: IANA's
// registries of special-purpose addresses, and what clouds serve inside.
func special(v4 bool) []netip.Prefix {
	if v4 {
		return []netip.Prefix{
			prefix(0, 0, 0, 0, 8),        // "this network"
			prefix(100, 64, 0, 0, 10),    // carrier-grade NAT; Alibaba's metadata is 100.100.100.200
			prefix(168, 63, 129, 16, 32), // Azure's inner services
			prefix(192, 0, 0, 0, 24),     // protocol assignments; Oracle's metadata is 192.0.0.192
			prefix(192, 0, 2, 0, 24),     // documentation
			prefix(192, 88, 99, 0, 24),   // 6to4 relays
			prefix(198, 18, 0, 0, 15),    // benchmarks
			prefix(198, 51, 100, 0, 24),  // documentation
			prefix(203, 0, 113, 0, 24),   // documentation
			prefix(240, 0, 0, 0, 4),      // reserved, and broadcast
		}
	}
	return []netip.Prefix{
		prefix6(0, 0, 96),          // IPv4 addresses in IPv6's form, the old way
		prefix6(0x64, 0xff9b, 32),  // NAT64: an IPv4 address, whichever
		prefix6(0x100, 0, 16),      // discard
		prefix6(0x2001, 0, 23),     // Teredo and other protocols
		prefix6(0x2001, 0xdb8, 32), // documentation
		prefix6(0x2002, 0, 16),     // 6to4: an IPv4 address, whichever
		prefix6(0x3fff, 0, 20),     // documentation
		prefix6(0xfec0, 0, 10),     // site-local
	}
}

func prefix(a, b, c, d byte, bits int) netip.Prefix {
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{a, b, c, d}), bits)
}

func prefix6(a, b uint16, bits int) netip.Prefix {
	return netip.PrefixFrom(netip.AddrFrom16([16]byte{byte(a >> 8), byte(a), byte(b >> 8), byte(b)}), bits)
}
