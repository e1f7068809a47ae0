package config

import (
	"path/filepath"
	"strings"
)

// IsSocket reports whether addr, as http_api.listen has it, is the path of a
// unix socket and not host:port.
func IsSocket(addr string) bool {
	return !strings.Contains(addr, "://") && (strings.ContainsAny(addr, `/\`) || filepath.Ext(addr) == ".sock")
}

// Reachable returns where to call an agent that listens on host: on every
// address means on this machine's own too.
func Reachable(host string) string {
	switch host {
	case "", "0.0.0.0":
		return "127.0.0.1"
	case "::":
		return "::1"
	}
	return host
}
