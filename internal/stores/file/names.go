package file

import (
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// The folders of a listed directory, which are also the first parts of keys.
const (
	confdDir    = "confd"
	pipelineDir = "pipeline"
	confSuffix  = ".conf"
	ownTemp     = ".datakit-*.tmp" // what Put writes before it renames
)

// ignored reports whether name belongs to an editor or to the system and not to
// the tree: taking vim's 4913 or a swap file for a key would start an input for
// as long as someone types.
func ignored(name string) bool {
	if strings.HasPrefix(name, ".") || strings.HasSuffix(name, "~") || name == "4913" {
		return true
	}
	if strings.HasPrefix(name, "#") && strings.HasSuffix(name, "#") {
		return true
	}
	return slices.Contains([]string{".swp", ".swo", ".swx", ".swpx", ".tmp", ".bak"}, filepath.Ext(name))
}

// fileKeys returns the key of each listed path, should it be a plain file. Names
// depend only on the list: a file that comes or goes renames no other one.
func fileKeys(paths []string) map[string]string {
	keys, taken := make(map[string]string, len(paths)), map[string]bool{}
	for _, p := range paths {
		taken[filepath.Base(p)] = true
	}
	first := map[string]bool{}
	for _, p := range paths {
		base := filepath.Base(p)
		name := base
		if first[base] {
			ext := filepath.Ext(base)
			for n := 2; taken[name]; n++ {
				name = strings.TrimSuffix(base, ext) + "-" + strconv.Itoa(n) + ext
			}
			taken[name] = true
		}
		first[base] = true
		keys[p] = confdDir + "/" + name
	}
	return keys
}
