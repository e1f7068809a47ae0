package redis

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
)

// slotCount is the number of parts that a cluster divides its keys into.
const slotCount = 16384

// A layout is who holds what in a cluster.
type layout struct {
	masters []string          // sorted
	owner   [slotCount]int16  // of each slot: 1 + its index in masters, 0 where nobody has it
	alias   map[string]string // every address of a master, to the one that we use
}

// parseLayout reads the answer to CLUSTER NODES. It names every master, those
// without a slot, too: while a slot moves to one, part of our keys is there.
// seed is the node that was asked, which need not know its own address.
func parseLayout(text, seed string, secure bool) (*layout, error) {
	host, _, _ := net.SplitHostPort(seed) // a seed without one names itself
	l := &layout{alias: map[string]string{}}
	slots := map[string][]string{}
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) < 8 {
			return nil, fmt.Errorf("%w: CLUSTER NODES has a line of %d words", errProtocol, len(f))
		}
		flags := strings.Split(f[2], ",")
		gone := slices.ContainsFunc(flags, func(s string) bool { return s == "handshake" || s == "noaddr" })
		if !slices.Contains(flags, "master") || gone || slices.Contains(flags, "fail") && len(f) == 8 {
			continue
		}
		node, names := addressesOf(f[1], host, secure)
		l.masters = append(l.masters, node)
		for _, name := range names {
			l.alias[name] = node
		}
		slots[node] = f[8:]
	}
	slices.Sort(l.masters)
	l.masters = slices.Compact(l.masters)
	if len(l.masters) == 0 || len(l.masters) > slotCount {
		return nil, errors.New("the cluster has no masters")
	}
	for i, node := range l.masters {
		for _, part := range slots[node] {
			if err := l.assign(part, int16(i+1)); err != nil { //nolint:gosec // at most slotCount
				return nil, err
			}
		}
	}
	return l, nil
}

// addressesOf reads ip:port@bus,hostname. The certificate of a server names its
// host rather than its address.
func addressesOf(text, seedHost string, secure bool) (node string, names []string) {
	text, extra, _ := strings.Cut(text, ",")
	hostname, _, _ := strings.Cut(extra, ",")
	text, _, _ = strings.Cut(text, "@")
	colon := max(strings.LastIndexByte(text, ':'), 0)
	host, port := strings.Trim(text[:colon], "[]"), strings.TrimPrefix(text[colon:], ":")
	if host == "" {
		host = seedHost
	}
	node = net.JoinHostPort(host, port)
	names = []string{node, text}
	if hostname == "" {
		return node, names
	}
	named := net.JoinHostPort(hostname, port)
	if secure {
		node = named
	}
	return node, append(names, named)
}

// assign reads 5, 0-5460, or [93->-id] and [93-<-id], which say that a slot is on
// its way: its owner still is who it was.
func (l *layout) assign(part string, owner int16) error {
	if strings.HasPrefix(part, "[") {
		return nil
	}
	first, last, ok := strings.Cut(part, "-")
	if !ok {
		last = first
	}
	a, errA := strconv.ParseUint(first, 10, 14)
	b, errB := strconv.ParseUint(last, 10, 14)
	if err := errors.Join(errA, errB); err != nil || a > b {
		return fmt.Errorf("%w: CLUSTER NODES names the slots %.20q", errProtocol, part)
	}
	for slot := a; slot <= b; slot++ {
		l.owner[slot] = owner
	}
	return nil
}

// of returns the master that holds name.
func (l *layout) of(name string) (string, bool) {
	i := l.owner[slotOf(name)]
	if i == 0 {
		return "", false
	}
	return l.masters[i-1], true
}

// slotOf returns the slot of a name: that of the part in the first braces where
// there is one.
func slotOf(name string) int {
	if _, rest, ok := strings.Cut(name, "{"); ok {
		if tag, _, ok := strings.Cut(rest, "}"); ok && tag != "" {
			name = tag
		}
	}
	return int(crc16(name)) % slotCount
}

// crc16 is the checksum that Redis uses: CCITT, from zero, as in XMODEM.
func crc16(text string) uint16 {
	const polynomial = 0x1021
	sum := uint16(0)
	for _, b := range []byte(text) {
		sum ^= uint16(b) << 8
		for range 8 {
			carry := sum&0x8000 != 0
			if sum <<= 1; carry {
				sum ^= polynomial
			}
		}
	}
	return sum
}
