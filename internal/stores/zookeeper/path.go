package zookeeper

import (
	"fmt"
	"strings"

	"datakit.dev/internal/store"
)

const (
	// maxValue is what a server takes with its usual jute.maxbuffer of 1 MiB less
	// a byte, which is for a whole request. It ends the connection of a client
	// that sends more, without a word.
	maxValue = 1_000_000
	// maxPath leaves room for the path in such a request.
	maxPath = 32 << 10
)

// refused reports the characters that no path of ZooKeeper may hold. The server
// looks at UTF-16: all beyond the first 65,536 characters come as surrogates,
// which it refuses, too.
func refused(r rune) bool {
	switch {
	case r < 0x20, r >= 0x7f && r <= 0x9f, r >= 0xd800 && r <= 0xf8ff, r >= 0xfff0:
		return true
	}
	return false
}

func checkRoot(root string) error {
	if err := store.CheckKey(strings.TrimPrefix(root, "/")); err != nil {
		return fmt.Errorf("prefix: %w", err)
	}
	if strings.ContainsFunc(root, refused) || len(root) > maxPath {
		return fmt.Errorf("prefix %q: ZooKeeper takes no such path", root)
	}
	if root == "/zookeeper" || strings.HasPrefix(root, "/zookeeper/") {
		return fmt.Errorf("prefix %q: that part of the tree is ZooKeeper's own", root)
	}
	return nil
}

// checkPut refuses what the server would refuse, or not survive: an error of our
// own says more than a lost connection.
func checkPut(root, key, value string) error {
	if err := store.CheckPut(key, value); err != nil {
		return err
	}
	if len(value) > maxValue {
		return fmt.Errorf("key %q: a value of %d bytes, ZooKeeper takes %d", key, len(value), maxValue)
	}
	return checkKey(root, key)
}

func checkKey(root, key string) error {
	if err := store.CheckKey(key); err != nil {
		return err
	}
	if strings.ContainsFunc(key, refused) {
		return fmt.Errorf("key %q: ZooKeeper takes no control, private-use or supplementary characters (such as emoji) in a name", key)
	}
	if n := len(root) + 1 + len(key); n > maxPath {
		return fmt.Errorf("a key of %d bytes, at most %d are taken", len(key), maxPath-1-len(root))
	}
	return nil
}

// parentOf returns the path above path, "/" above the first part.
func parentOf(path string) string {
	at := strings.LastIndexByte(path, '/')
	if at <= 0 {
		return "/"
	}
	return path[:at]
}
