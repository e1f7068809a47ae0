package vault

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"datakit.dev/internal/store"
)

// valueField is the field of a secret that holds the content of its key.
const valueField = "value"

// A secret is what one path of Vault holds. Without contents there is none: it
// was deleted, or never written.
type secret struct {
	stamp    stamp
	contents []content
}

// A stamp names one version of a secret, for version 2 of the engine. A number
// alone does not: a secret whose metadata was deleted, or a server that was
// restored, begins again with numbers that meant something else.
type stamp struct {
	Version   int64  `json:"version"`
	Created   string `json:"created_time"`
	Deletion  string `json:"deletion_time"` // may be in the future
	Destroyed bool   `json:"destroyed"`
}

// same reports whether s is the secret that now names.
func (s secret) same(now stamp) bool {
	// One with a time to be deleted at may be gone by now, by the server's clock.
	return s.stamp == now && (now.Deletion == "" || len(s.contents) == 0)
}

// A content is one entry that a secret makes.
type content struct {
	sub      string // what comes after the key of the secret
	value    string
	tooLarge int
	revision store.Revision
}

// stampOf reads the metadata of a secret.
func stampOf(a answer) (stamp, error) {
	var out struct {
		Data struct {
			CurrentVersion int64            `json:"current_version"`
			Versions       map[string]stamp `json:"versions"`
		} `json:"data"`
	}
	if err := a.decode(&out); err != nil {
		return stamp{}, err
	}
	d := out.Data
	now := d.Versions[strconv.FormatInt(d.CurrentVersion, 10)]
	now.Version = d.CurrentVersion
	return now, nil
}

// secretOf reads an answer that was found, or says that there is nothing.
func secretOf(a answer, version int) (secret, error) {
	if version == 1 {
		if !a.found() {
			return secret{}, nil
		}
		var out struct {
			Data map[string]json.RawMessage `json:"data"`
		}
		if err := a.decode(&out); err != nil {
			return secret{}, err
		}
		if out.Data == nil {
			return secret{}, errAnswer
		}
		return secret{contents: contentsOf(out.Data, "")}, nil
	}
	var out struct {
		Data *struct {
			Data     map[string]json.RawMessage `json:"data"`
			Metadata stamp                      `json:"metadata"`
		} `json:"data"`
	}
	if err := a.decode(&out); err != nil {
		return secret{}, err
	}
	switch {
	case out.Data == nil && a.found(), out.Data != nil && out.Data.Metadata.Version <= 0:
		return secret{}, fmt.Errorf("%w: a secret without a version", errAnswer)
	case out.Data == nil:
		return secret{}, nil // never written
	case !a.found():
		return secret{stamp: out.Data.Metadata}, nil // deleted
	}
	rev := store.Revision(strconv.FormatInt(out.Data.Metadata.Version, 10))
	return secret{stamp: out.Data.Metadata, contents: contentsOf(out.Data.Data, rev)}, nil
}

// contentsOf returns what the fields of a secret stand for: the field "value",
// or the only one there is, is the content of the key; of several others each
// is a key of its own below, as the fields of a hash are. rev is the revision,
// "" where the store has none.
func contentsOf(fields map[string]json.RawMessage, rev store.Revision) []content {
	if v, ok := fields[valueField]; ok {
		return []content{contentOf("", v, rev)}
	}
	names := slices.Sorted(maps.Keys(fields))
	switch len(names) {
	case 0:
		return []content{contentOf("", nil, rev)}
	case 1:
		return []content{contentOf("", fields[names[0]], rev)}
	}
	out := make([]content, len(names))
	for i, name := range names {
		out[i] = contentOf("/"+name, fields[name], rev)
	}
	return out
}

func contentOf(sub string, field json.RawMessage, rev store.Revision) content {
	c := content{sub: sub, revision: rev}
	if field != nil && json.Unmarshal(field, &c.value) != nil {
		c.value = strings.ToValidUTF8(string(field), "\uFFFD") // a number or a list is what it is written as
	}
	if rev == "" {
		c.revision = store.RevisionOf(c.value)
	}
	if len(c.value) > store.MaxValue {
		c.tooLarge, c.value = len(c.value), ""
	}
	return c
}

// revision returns the revision of the key of the secret, "" where there is
// none. For a secret of several keys it is one that all of them make.
func (s secret) revision() store.Revision {
	if len(s.contents) == 0 {
		return ""
	}
	if len(s.contents) == 1 || s.stamp.Version > 0 {
		return s.contents[0].revision
	}
	all := make([]string, len(s.contents))
	for i, c := range s.contents {
		all[i] = strconv.Quote(c.sub) + string(c.revision)
	}
	return store.RevisionOf(strings.Join(all, ""))
}
