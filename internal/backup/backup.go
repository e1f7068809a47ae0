// Package backup keeps the last good value of every key on disk, so that an
// agent that starts while its stores are down runs what it ran before.
//
// data/remote.conf is one TOML file that people can read: each entry stands
// under a comment with its store, key and revision, and with the length and
// checksum by which a later start finds it again. A file that was cut off gives
// back the entries that are whole.
package backup

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"datakit.dev/internal/atomicfile"
	"datakit.dev/internal/store"
)

const (
	header = "# The last good inputs of the config stores, written by the agent. Do not edit:\n" +
		"# change the keys in their stores, or put inputs under conf.d.\n"
	mark = "#: " // begins the comment before each entry

	// maxFile bounds what is read back at a start.
	maxFile = 512 << 20
)

// An Entry is the last good value of one key.
type Entry struct {
	Source   string         `json:"store"`    // the source's ID: "etcdv3", "etcdv3#2"
	Backend  string         `json:"backend"`  // "etcdv3"
	Key      string         `json:"key"`      // as people see it: "/datakit/confd/cpu"
	Short    string         `json:"short"`    // below the root: "confd/cpu"
	Revision store.Revision `json:"revision"` // of the key
	// Script is the file of a script below the folder of the script backup,
	// "metric/cpu.p"; "" for an input, whose text follows.
	Script string `json:"script,omitempty"`
	Text   string `json:"-"` // what the value stands for: TOML, or a script
}

// comment is what stands before each text.
type comment struct {
	Entry
	Bytes  int    `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// Write replaces the file at path with entries, readable by its owner only: the
// values may hold passwords. Scripts go to files of their own below the folder
// scripts; where that is "" they are left out.
func Write(path, scripts string, entries []Entry) error {
	if scripts == "" {
		entries = slices.DeleteFunc(slices.Clone(entries), func(e Entry) bool { return e.Script != "" })
	}
	text, err := render(entries)
	if err != nil {
		return fmt.Errorf("back up to %s: %w", path, err)
	}
	if err := writeScripts(scripts, entries); err != nil {
		return fmt.Errorf("back up the scripts to %s: %w", scripts, err)
	}
	if err := atomicfile.Write(path, text, 0o600); err != nil {
		return fmt.Errorf("back up to %s: %w", path, err)
	}
	return nil
}

func render(entries []Entry) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString(header)
	for _, e := range entries {
		c, text := comment{Entry: e, SHA256: checksum(e.Text)}, ""
		if e.Script == "" {
			var err error
			if text, err = tables(e.Text); err != nil {
				return nil, fmt.Errorf("%s: %w", e.Key, err)
			}
			c.Bytes, c.SHA256 = len(text), checksum(text)
		}
		line, err := json.Marshal(c)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", e.Key, err)
		}
		fmt.Fprintf(&b, "\n%s%s\n%s", mark, line, text)
		if text != "" && !strings.HasSuffix(text, "\n") {
			b.WriteByte('\n')
		}
	}
	return b.Bytes(), nil
}

// tables returns text in the one form that can be put behind another entry and
// still be valid TOML: [[inputs.NAME]] headers only. What is written so already
// keeps its layout and comments.
func tables(text string) (string, error) {
	if appendable(text) {
		return text, nil
	}
	var doc struct {
		Inputs map[string]any `toml:"inputs"`
	}
	if err := toml.Unmarshal([]byte(text), &doc); err != nil {
		return "", fmt.Errorf("render: %w", err)
	}
	var b bytes.Buffer
	for _, name := range sortedKeys(doc.Inputs) {
		list, ok := doc.Inputs[name].([]any)
		if !ok {
			list = []any{doc.Inputs[name]}
		}
		one, err := toml.Marshal(map[string]any{"inputs": map[string]any{name: list}})
		if err != nil {
			return "", fmt.Errorf("render: %w", err)
		}
		b.Write(bytes.ReplaceAll(one, []byte("[inputs]\n"), nil))
	}
	return b.String(), nil
}

// Read returns the entries of the file at path that are whole. A missing file
// holds none. The error tells of entries that were lost; what was found is
// returned with it.
func Read(path, scripts string) ([]Entry, error) {
	st, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("read the backup: %w", err)
	case st.Size() > maxFile || !st.Mode().IsRegular():
		return nil, fmt.Errorf("read the backup: %s is no file of at most %d bytes", path, maxFile)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the backup: %w", err)
	}
	entries, lost := parse(string(text), scripts)
	if lost > 0 {
		return entries, fmt.Errorf("read the backup: %s is damaged: %d entries are whole, at least %d are not", path, len(entries), lost)
	}
	return entries, nil
}

func parse(text, scripts string) (entries []Entry, lost int) {
	for {
		i := 0
		if !strings.HasPrefix(text, mark) {
			if i = strings.Index(text, "\n"+mark); i < 0 {
				return entries, lost
			}
			i++
		}
		line, rest, _ := strings.Cut(text[i+len(mark):], "\n")
		var c comment
		if json.Unmarshal([]byte(line), &c) != nil || c.Bytes < 0 || c.Bytes > len(rest) || !c.find(rest, scripts) {
			lost++
			text = rest
			continue
		}
		entries = append(entries, c.Entry)
		text = rest[c.Bytes:]
	}
}

// find fills in the text of the entry: what follows its comment, or the file of
// a script. It reports whether that is what was written.
func (c *comment) find(rest, scripts string) bool {
	c.Text = rest[:c.Bytes]
	if c.Script != "" {
		c.Text = readScript(scripts, c.Script)
	}
	return checksum(c.Text) == c.SHA256
}

func checksum(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
