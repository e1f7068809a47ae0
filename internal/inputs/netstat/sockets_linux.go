package netstat

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"

	"golang.org/x/sys/unix"

	"datakit.dev/internal/input"
)

// kinds are the tables of sockets that the kernel keeps. The first two must be
// there; IPv6 may be switched off.
var kinds = []struct { //nolint:gochecknoglobals // a table, never written
	family, protocol uint8
	file             string
	optional         bool
}{
	{unix.AF_INET, unix.IPPROTO_TCP, "tcp", false},
	{unix.AF_INET, unix.IPPROTO_UDP, "udp", false},
	{unix.AF_INET6, unix.IPPROTO_TCP, "tcp6", true},
	{unix.AF_INET6, unix.IPPROTO_UDP, "udp6", true},
}

// sockets calls visit for every socket. It asks the kernel by netlink, which
// answers in binary, and reads /proc/net where that is not allowed, or where
// HOST_PROC points at the host's.
func sockets(ctx context.Context, visit func(socket)) error {
	diag, err := openDiag()
	if err != nil || input.ProcPath(ctx) != "/proc" {
		diag.close()
		diag = nil
	}
	defer diag.close()
	for _, kind := range kinds {
		err := errNoDiag
		if diag != nil {
			err = diag.list(kind.family, kind.protocol, visit)
		}
		if errors.Is(err, errNoDiag) {
			err = readTable(input.ProcPath(ctx, "net", kind.file), kind.protocol == unix.IPPROTO_UDP, visit)
			if kind.optional && errors.Is(err, os.ErrNotExist) {
				err = nil
			}
		}
		if err != nil {
			return fmt.Errorf("%s: %w", kind.file, err)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

// errNoDiag says that the kernel does not list this kind by netlink, and that
// nothing was visited yet.
var errNoDiag = errors.New("the kernel does not list these sockets by netlink")

// The sizes of the kernel's structures: nlmsghdr, inet_diag_req_v2,
// inet_diag_msg.
const (
	headerSize  = 16
	requestSize = headerSize + 56
	answerSize  = 72
)

// A diagSocket is a netlink socket to the kernel's socket lister.
type diagSocket struct {
	fd  int
	buf []byte
}

func openDiag() (*diagSocket, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, unix.NETLINK_SOCK_DIAG)
	if err != nil {
		return nil, fmt.Errorf("netlink: %w", err)
	}
	// The kernel answers at once; the limit is for a kernel that never does.
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 1}); err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("netlink: %w", err)
	}
	return &diagSocket{fd: fd, buf: make([]byte, 32<<10)}, nil
}

func (d *diagSocket) close() {
	if d != nil {
		_ = unix.Close(d.fd)
	}
}

// list asks for all sockets of one kind.
func (d *diagSocket) list(family, protocol uint8, visit func(socket)) error {
	request := make([]byte, requestSize)
	binary.NativeEndian.PutUint32(request[0:], requestSize)
	binary.NativeEndian.PutUint16(request[4:], unix.SOCK_DIAG_BY_FAMILY)
	binary.NativeEndian.PutUint16(request[6:], unix.NLM_F_REQUEST|unix.NLM_F_DUMP)
	request[headerSize], request[headerSize+1] = family, protocol
	binary.NativeEndian.PutUint32(request[headerSize+4:], 1<<32-1) // every state
	if err := unix.Sendto(d.fd, request, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return errNoDiag
	}
	visited := false
	for {
		n, _, err := unix.Recvfrom(d.fd, d.buf, 0)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err == nil {
			var done bool
			done, err = messages(d.buf[:n], protocol == unix.IPPROTO_UDP, func(s socket) { visited = true; visit(s) })
			if done {
				return nil
			}
		}
		switch {
		case err != nil && !visited:
			return errNoDiag
		case err != nil:
			return fmt.Errorf("netlink: %w", err)
		}
	}
}

// messages reads one datagram of the kernel and reports whether it was the last.
func messages(b []byte, udp bool, visit func(socket)) (done bool, err error) {
	for len(b) >= headerSize {
		size := int(binary.NativeEndian.Uint32(b))
		if size < headerSize || size > len(b) {
			return false, errors.New("a cut message")
		}
		body := b[headerSize:size]
		switch binary.NativeEndian.Uint16(b[4:]) {
		case unix.NLMSG_DONE:
			return true, nil
		case unix.NLMSG_ERROR:
			return false, kernelError(body)
		case unix.SOCK_DIAG_BY_FAMILY:
			if len(body) >= answerSize {
				visit(decode(body, udp))
			}
		}
		b = b[min((size+3)&^3, len(b)):]
	}
	return false, nil
}

func kernelError(body []byte) error {
	if len(body) < 4 {
		return errors.New("a cut error")
	}
	return unix.Errno(-int32(binary.NativeEndian.Uint32(body)))
}

// decode reads an inet_diag_msg: family, state, timer, retransmissions, then
// source port, destination port, source address.
func decode(b []byte, udp bool) socket {
	var addr netip.Addr
	if b[0] == unix.AF_INET {
		addr = netip.AddrFrom4([4]byte(b[8:12]))
	} else {
		addr = netip.AddrFrom16([16]byte(b[8:24])).Unmap()
	}
	return socket{local: netip.AddrPortFrom(addr, binary.BigEndian.Uint16(b[4:])), state: state(b[1]), udp: udp}
}
