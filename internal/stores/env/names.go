package env

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"datakit.dev/internal/point"
	"datakit.dev/internal/store"
)

// The folders under the root, as names of variables have them.
const (
	inputs  = "CONFD_"
	scripts = "PIPELINE_"
)

// variableOf returns what the variables of the keys below root begin with:
// "DATAKIT_" for "/datakit".
func variableOf(root string) (string, error) {
	name := strings.ToUpper(strings.NewReplacer("/", "_", "-", "_").Replace(strings.Trim(root, "/")))
	if strings.ContainsAny(name, "=\x00") {
		return "", fmt.Errorf("prefix %q: no variable can have such a name", root)
	}
	return name + "_", nil
}

// keys returns the keys that environ holds below prefix, with their values. Where
// two variables are one key, the one whose name sorts first counts. anyCase takes
// names in any case: Windows does not tell them apart.
func keys(prefix string, environ []string, anyCase bool) map[string]string {
	out := map[string]string{}
	for _, variable := range slices.Sorted(slices.Values(environ)) {
		name, value, _ := strings.Cut(variable, "=")
		if anyCase {
			name = strings.ToUpper(name)
		}
		rest, ours := strings.CutPrefix(name, prefix)
		if !ours || rest != strings.ToUpper(rest) {
			continue
		}
		key := keyOf(rest, value)
		if _, double := out[key]; key != "" && !double && store.CheckKey(key) == nil {
			out[key] = value
		}
	}
	return out
}

// inputHeader finds what makes a value one with inputs: a table of one, alone in
// front of its line but for a byte-order mark and a backtick.
var inputHeader = regexp.MustCompile("(?m)^[\\s`\uFEFF]*\\[\\[?[ \\t]*inputs[ \\t]*\\.")

// keyOf returns the key that the variable rest, without its prefix, stands for;
// "" where it stands for none. A variable straight under the prefix counts only
// if its value holds an input: DATAKIT_HOME=/opt is somebody else's.
func keyOf(rest, value string) string {
	if name, ok := strings.CutPrefix(rest, inputs); ok {
		return below("confd", name)
	}
	if name, ok := strings.CutPrefix(rest, scripts); ok {
		return scriptOf(name)
	}
	if inputHeader.MatchString(value) && rest+"_" != inputs && rest+"_" != scripts {
		return strings.ToLower(rest)
	}
	return ""
}

// scriptOf returns the key of a script. What names no category or does not end
// in P is handed on as it is, so that the status says what is wrong with it.
func scriptOf(name string) string {
	for _, c := range point.Categories() {
		script, ok := strings.CutPrefix(name, strings.ToUpper(string(c))+"_")
		if !ok || script == "" {
			continue
		}
		if bare, ok := strings.CutSuffix(script, "_P"); ok && bare != "" {
			script = bare + ".P"
		}
		return below("pipeline/"+string(c), script)
	}
	return below("pipeline", name)
}

func below(folder, name string) string {
	if name == "" {
		return ""
	}
	return folder + "/" + strings.ToLower(name)
}
