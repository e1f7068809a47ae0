package config

import (
	"strings"

	"datakit.dev/internal/spec"
)

// RedactValue returns the lines of a value under key, below the root, with every
// secret hidden: what the schema of its inputs calls secret, wherever it stands,
// and what looks like one. There are as many lines as in the normalised value.
func (c *Catalog) RedactValue(key, value string) []string {
	lines := strings.Split(Normalize(value), "\n")
	if kind, _ := classify(key); kind == scriptKey {
		return redactScript(lines)
	}
	hidden := c.secretLines(Normalize(value))
	quotes, folder, dark := "", false, false
	for i, line := range lines {
		within := quotes != ""
		if text := strings.TrimSpace(line); !within && strings.HasPrefix(text, "[") {
			folder = c.isSecretHeader(text)
		}
		shown := c.Redact(line)
		if !within {
			dark = shown != line || folder
		}
		quotes = openQuotes(line, quotes)
		switch {
		case within && dark:
			shown = spec.Hidden
		case folder && strings.Contains(line, "="):
			name, _, _ := strings.Cut(line, "=")
			shown = name + "= " + spec.Hidden
		case holdsAny(shown, hidden):
			shown = spec.Hidden
		}
		lines[i] = shown
	}
	return lines
}

// redactScript hides what looks like a secret in a script.
func redactScript(lines []string) []string {
	quotes, dark := "", false
	for i, line := range lines {
		shown := spec.RedactCode(line)
		within := quotes != ""
		if !within {
			dark = shown != line
		}
		quotes = openQuotes(line, quotes)
		if within && dark {
			shown = spec.Hidden
		}
		lines[i] = shown
	}
	return lines
}

// openQuotes returns the triple quotes that are open behind line, where open were
// open before it.
func openQuotes(line, open string) string {
	for {
		if open != "" {
			end := closing(line, open)
			if end < 0 {
				return open
			}
			line, open = line[end:], ""
			continue
		}
		i := strings.IndexAny(line, `"'#`)
		if i >= 0 && line[i] == '#' {
			return "" // a comment, whose apostrophes open nothing
		}
		if i < 0 {
			return ""
		}
		if triple := strings.Repeat(line[i:i+1], 3); strings.HasPrefix(line[i:], triple) {
			open, line = triple, line[i+3:]
			continue
		}
		line = behindText(line[i:])
	}
}

// closing returns where the text behind the closing triple quotes begins, or -1.
func closing(line, quotes string) int {
	for i := 0; i+3 <= len(line); i++ {
		if line[i] == '\\' && quotes[0] == '"' {
			i++
			continue
		}
		if line[i:i+3] == quotes {
			return i + 3
		}
	}
	return -1
}

// behindText returns what stands behind the quoted text that line begins with.
func behindText(line string) string {
	for i := 1; i < len(line); i++ {
		switch {
		case line[i] == '\\' && line[0] == '"':
			i++
		case line[i] == line[0]:
			return line[i+1:]
		}
	}
	return ""
}

// isSecretHeader reports whether a table's header names a secret field, so that
// every key below it is one.
func (c *Catalog) isSecretHeader(header string) bool {
	for _, name := range c.secrets {
		if strings.Contains(header, name) {
			return true
		}
	}
	return false
}

// minSecret is the length of a line of a secret that is looked for elsewhere: a
// shorter one would hide half of every text, and its own line is hidden anyway.
const minSecret = 4

// secretLines returns the lines of the secrets that a value holds as far as it
// can be parsed: one may go over several lines, or stand twice.
func (c *Catalog) secretLines(text string) (out []string) {
	root, bad := spec.Parse(text)
	if bad != nil {
		return nil
	}
	inputs, ok := root.Get("inputs")
	if !ok {
		return nil
	}
	for _, in := range inputs.Node.Keys {
		k, ok := c.plugins[in.Name]
		if !ok {
			continue
		}
		collectTables(in.Node, k.schema.Fields, &out)
	}
	return out
}

// collectTables adds the secrets of a table, or of a list of them.
func collectTables(n *spec.Node, fields []spec.Field, out *[]string) {
	for i := range n.Items {
		collectTables(&n.Items[i], fields, out)
	}
	for _, k := range n.Keys {
		for _, f := range fields {
			if f.Name != k.Name {
				continue
			}
			if f.Secret {
				collect(k.Node, out)
			} else {
				collectTables(k.Node, f.Fields, out)
			}
		}
	}
}

// collect adds every text below n.
func collect(n *spec.Node, out *[]string) {
	if s, ok := n.Scalar.(string); ok {
		for line := range strings.SplitSeq(s, "\n") {
			if line = strings.TrimSpace(line); len(line) >= minSecret {
				*out = append(*out, line)
			}
		}
	}
	for i := range n.Items {
		collect(&n.Items[i], out)
	}
	for _, k := range n.Keys {
		collect(k.Node, out)
	}
}

func holdsAny(line string, parts []string) bool {
	for _, p := range parts {
		if strings.Contains(line, p) {
			return true
		}
	}
	return false
}
