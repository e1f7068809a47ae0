//go:build !windows

package api

import (
	"errors"
	"syscall"
)

// refused reports whether nobody listens where err comes from.
func refused(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }
