package cli

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// escape returns a part of a key as a file may be called on any system: what is
// no plain character becomes %XX, and an empty part %.
func escape(part string) string {
	if part == "" {
		return "%"
	}
	var out strings.Builder
	for i := 0; i < len(part); {
		r, size := utf8.DecodeRuneInString(part[i:])
		edge := i == 0 && r == '.' || i+size == len(part) && strings.ContainsRune(". ~", r)
		if edge || r < ' ' || r == 0x7f || r == utf8.RuneError && size == 1 || strings.ContainsRune(`%\:*?"<>|`, r) {
			fmt.Fprintf(&out, "%%%02X", part[i])
			i++
			continue
		}
		out.WriteString(part[i : i+size])
		i += size
	}
	return out.String()
}

// unescape returns the part of a key that escape has made name of.
func unescape(name string) (string, error) {
	// A % of the key itself is %25, so that one at the end stands for nothing.
	name = strings.TrimRight(name, "%")
	var out strings.Builder
	for {
		plain, rest, escaped := strings.Cut(name, "%")
		out.WriteString(plain)
		if !escaped {
			return out.String(), nil
		}
		if len(rest) < 2 {
			return "", errors.New("its name has a % without two hexadecimal digits behind it")
		}
		b, err := strconv.ParseUint(rest[:2], 16, 8)
		if err != nil || b == '/' {
			return "", fmt.Errorf("its name has %%%s, which stands for no character of a key's part", rest[:2])
		}
		out.WriteByte(byte(b))
		name = rest[2:]
	}
}

// keyOfPath returns the key of a file of an export.
func keyOfPath(rel string) (string, error) {
	parts := strings.Split(rel, "/")
	for i, name := range parts {
		part, err := unescape(name)
		if err != nil {
			return "", err
		}
		parts[i] = part
	}
	return strings.Join(parts, "/"), nil
}
