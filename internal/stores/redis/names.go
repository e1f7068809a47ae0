package redis

import "strings"

// names translates between keys of a tree and names in Redis.
type names struct {
	root      string // name of the root: /datakit, or datakit where another text stands for /
	separator string
}

// newNames returns the names below root. As upstream has it, a name of another
// separator has none in front.
func newNames(root, separator string) names {
	if separator == "/" {
		return names{root, separator}
	}
	return names{strings.ReplaceAll(strings.TrimPrefix(root, "/"), "/", separator), separator}
}

// of returns the name of key; the empty key is the root.
func (n names) of(key string) string {
	if key == "" {
		return n.root
	}
	return n.root + n.separator + n.encode(key)
}

func (n names) encode(key string) string { return strings.ReplaceAll(key, "/", n.separator) }

// key returns the key that a name below the root stands for. A name that
// would come back as another one is none of ours: two of them could be one key.
func (n names) key(name string) (string, bool) {
	rest, ok := strings.CutPrefix(name, n.root+n.separator)
	if !ok || rest == "" {
		return "", false
	}
	return n.decode(rest)
}

func (n names) decode(text string) (string, bool) {
	key := strings.ReplaceAll(text, n.separator, "/")
	return key, n.encode(key) == text
}

// takes reports whether key has a name that is read back as that key.
func (n names) takes(key string) bool {
	back, ok := n.decode(n.encode(key))
	return ok && back == key
}

// pattern matches every name below the root, for SCAN and PSUBSCRIBE.
func (n names) pattern() string { return glob(n.root+n.separator) + "*" }

// glob quotes what Redis takes for a wildcard.
func glob(text string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(text)
}
