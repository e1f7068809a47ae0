package net

import (
	"context"
	"net"
	"os"
	"runtime"
	"strconv"
	"strings"

	"datakit.dev/internal/input"
)

// isUp reports whether an interface is switched on. Where nobody can tell it
// counts as on: too much data is seen, too little is not.
func isUp(ctx context.Context, name string) bool {
	if runtime.GOOS == "linux" {
		text, err := os.ReadFile(input.SysPath(ctx, "class", "net", name, "flags"))
		if err != nil {
			return true
		}
		flags, err := strconv.ParseUint(strings.TrimSpace(string(text)), 0, 32)
		return err != nil || flags&1 != 0
	}
	i, err := net.InterfaceByName(name)
	return err != nil || i.Flags&net.FlagUp != 0
}

// isVirtual reports whether an interface has no hardware behind it. Only Linux
// tells.
func isVirtual(ctx context.Context, name string) bool {
	_, err := os.Stat(input.SysPath(ctx, "devices", "virtual", "net", name))
	return err == nil
}
