//go:build !linux

package netstat

import (
	"context"
	"net/netip"
	"strings"
	"syscall"

	"github.com/shirou/gopsutil/v4/net"
)

// sockets calls visit for every socket.
func sockets(ctx context.Context, visit func(socket)) error {
	all, err := net.ConnectionsWithContext(ctx, "inet")
	if err != nil {
		return err
	}
	byName := make(map[string]state, states)
	for s, name := range stateNames {
		byName[strings.ToUpper(name)] = state(s)
	}
	byName["CLOSED"], byName["DELETE"] = closed, closed
	byName["FIN_WAIT_1"], byName["FIN_WAIT_2"] = finWait1, finWait2
	byName["SYN_RECEIVED"], byName["SYN_RCVD"] = synRecv, synRecv
	for _, c := range all {
		addr, err := netip.ParseAddr(c.Laddr.IP)
		if err != nil { // "*": any address, of the family that the socket has
			addr = netip.IPv4Unspecified()
			if c.Family == syscall.AF_INET6 {
				addr = netip.IPv6Unspecified()
			}
		}
		visit(socket{
			local: netip.AddrPortFrom(addr.Unmap(), uint16(c.Laddr.Port)),
			state: byName[c.Status],
			udp:   c.Type == syscall.SOCK_DGRAM,
		})
	}
	return nil
}
