package config

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"datakit.dev/internal/point"
)

// The folders under the root.
const (
	confdFolder    = "confd"
	pipelineFolder = "pipeline"
	scriptSuffix   = ".p"
)

// class says what a key below the root is for.
type class uint8

const (
	notOurs class = iota
	inputKey
	scriptKey
	refusedKey
)

// classify returns what key is for, and the reason where it is not taken.
func classify(key string) (class, string) {
	if !utf8.ValidString(key) || strings.ContainsFunc(key, unicode.IsControl) {
		return refusedKey, "the key's name holds control characters or is not UTF-8"
	}
	folder, rest, nested := strings.Cut(key, "/")
	switch {
	case folder == confdFolder && rest != "" && rest[0] != '/':
		return inputKey, ""
	case folder == pipelineFolder && strings.HasSuffix(key, "/"):
		return notOurs, "a folder" // a key of its own in Consul
	case folder == pipelineFolder && nested:
		if why := scriptProblem(strings.Split(key, "/")); why != "" {
			return refusedKey, why
		}
		return scriptKey, ""
	case !nested && key != confdFolder && key != pipelineFolder && key != "":
		return inputKey, ""
	}
	return notOurs, "neither confd/NAME nor pipeline/CATEGORY/NAME.p"
}

func scriptProblem(parts []string) string {
	if len(parts) != 3 {
		return "expected pipeline/CATEGORY/NAME.p"
	}
	if _, ok := point.ParseCategory(parts[1]); !ok {
		return fmt.Sprintf("unknown category %q; there is %s", clip(parts[1]), categoryNames())
	}
	name := parts[2]
	switch {
	case strings.HasPrefix(name, "."):
		return "a script's name must not begin with a dot"
	case strings.Contains(name, "..") || strings.Contains(name, `\`):
		return `a script's name must not hold ".." or "\"`
	case !strings.HasSuffix(name, scriptSuffix):
		return "a script's name ends in .p"
	}
	return ""
}

func categoryNames() string {
	var names []string
	for _, c := range point.Categories() {
		names = append(names, string(c))
	}
	return strings.Join(names, " ")
}
