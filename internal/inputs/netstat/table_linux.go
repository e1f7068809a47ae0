package netstat

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strconv"
	"strings"
)

// readTable visits the sockets of one of the files /proc/net/tcp, udp and so on.
func readTable(path string, udp bool, visit func(socket)) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("open: %w", err)
	}
	defer f.Close() //nolint:errcheck // nothing was written
	return parseTable(f, udp, visit)
}

// parseTable reads lines such as
//
//	0: 0100007F:1F90 00000000:0000 0A …
//
// and passes over what is none.
func parseTable(r io.Reader, udp bool, visit func(socket)) error {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		// Three fields matter: splitting the rest would double the cost.
		rest := lines.Text()
		var words [4]string
		for i := range words {
			rest = strings.TrimLeft(rest, " ")
			words[i], rest, _ = strings.Cut(rest, " ")
		}
		local, ok := parseAddr(words[1])
		if !ok {
			continue
		}
		s, err := strconv.ParseUint(words[3], 16, 8)
		if err != nil {
			continue
		}
		visit(socket{local: local, state: state(s), udp: udp})
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read: %w", err)
	}
	return nil
}

// parseAddr reads "0100007F:1F90": the address as words in the byte order of the
// machine, the port as a number.
func parseAddr(text string) (netip.AddrPort, bool) {
	address, port, ok := strings.Cut(text, ":")
	p, err := strconv.ParseUint(port, 16, 16)
	b, hexErr := hex.DecodeString(address)
	if !ok || err != nil || hexErr != nil || len(b) != 4 && len(b) != 16 {
		return netip.AddrPort{}, false
	}
	for i := 0; i < len(b); i += 4 {
		binary.NativeEndian.PutUint32(b[i:], binary.BigEndian.Uint32(b[i:]))
	}
	addr, _ := netip.AddrFromSlice(b)
	return netip.AddrPortFrom(addr.Unmap(), uint16(p)), true
}
