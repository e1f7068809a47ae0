package api

import (
	"errors"

	"golang.org/x/sys/windows"
)

// refused reports whether nobody listens where err comes from.
func refused(err error) bool { return errors.Is(err, windows.WSAECONNREFUSED) }
