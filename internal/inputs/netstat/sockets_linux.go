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

// kinds are the sockets that are counted: how to ask the kernel for them, and
// where to read them. IPv6 may be switched off.
var kinds = []struct { //nolint:gochecknoglobals // a table, never written
	requests [][]byte
	files    []string
	udp      bool
}{
	{[][]byte{bothFamilies()}, []string{"tcp", "tcp6"}, false},
	{[][]byte{oneFamily(unix.AF_INET, unix.IPPROTO_UDP), oneFamily(unix.AF_INET6, unix.IPPROTO_UDP)}, []string{"udp", "udp6"}, true},
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
			err = diag.list(kind.requests, kind.udp, visit)
		}
		if errors.Is(err, errNoDiag) {
			err = readTables(ctx, kind.files, kind.udp, visit)
		}
		if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

func readTables(ctx context.Context, files []string, udp bool, visit func(socket)) error {
	for i, file := range files {
		err := readTable(input.ProcPath(ctx, "net", file), udp, visit)
		if i > 0 && errors.Is(err, os.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// errNoDiag says that the kernel does not list this kind by netlink, and that
// nothing was visited yet.
var errNoDiag = errors.New("the kernel does not list these sockets by netlink")

// The sizes of the kernel's structures: nlmsghdr, inet_diag_req, its successor
// inet_diag_req_v2, inet_diag_msg.
const (
	headerSize     = 16
	requestSize    = headerSize + 60
	requestV2Size  = headerSize + 56
	answerSize     = 72
	everyState     = 1<<32 - 1
	tcpDiagGetSock = 18 // TCPDIAG_GETSOCK
)

// bothFamilies asks for TCP the old way, which answers for IPv4 and IPv6 in one
// go: the kernel walks its table of all connections once instead of twice, and
// that walk is nearly all of the cost.
func bothFamilies() []byte {
	b := header(requestSize, tcpDiagGetSock)
	b[headerSize] = unix.AF_INET
	binary.NativeEndian.PutUint32(b[headerSize+52:], everyState)
	return b
}

func oneFamily(family, protocol uint8) []byte {
	b := header(requestV2Size, unix.SOCK_DIAG_BY_FAMILY)
	b[headerSize], b[headerSize+1] = family, protocol
	binary.NativeEndian.PutUint32(b[headerSize+4:], everyState)
	return b
}

func header(size int, kind uint16) []byte {
	b := make([]byte, size)
	binary.NativeEndian.PutUint32(b, uint32(size))
	binary.NativeEndian.PutUint16(b[4:], kind)
	binary.NativeEndian.PutUint16(b[6:], unix.NLM_F_REQUEST|unix.NLM_F_DUMP)
	return b
}

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

// list asks for the sockets of one kind. Its error is errNoDiag only where
// nothing was visited, so that nothing is counted twice.
func (d *diagSocket) list(requests [][]byte, udp bool, visit func(socket)) error {
	visited := false
	for _, request := range requests {
		err := d.dump(request, udp, func(s socket) {
			visited = true
			visit(s)
		})
		switch {
		case err != nil && !visited:
			return errNoDiag
		case err != nil:
			return fmt.Errorf("netlink: %w", err)
		}
	}
	return nil
}

func (d *diagSocket) dump(request []byte, udp bool, visit func(socket)) error {
	if err := unix.Sendto(d.fd, request, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return fmt.Errorf("ask: %w", err)
	}
	for {
		n, _, err := unix.Recvfrom(d.fd, d.buf, 0)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return fmt.Errorf("answer: %w", err)
		}
		if done, err := messages(d.buf[:n], udp, visit); done || err != nil {
			return err
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
		case unix.SOCK_DIAG_BY_FAMILY, tcpDiagGetSock:
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
