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
