package dynamodb

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"datakit.dev/internal/store"
)

// An attribute is a value with its type as DynamoDB writes it: {"S": "text"}. It
// is kept as it came, so that a condition can name it again.
type attribute = json.RawMessage

// An item is one row of the table.
type item map[string]attribute

// text returns a string or bytes; ok is false for any other type.
func text(a attribute) (value string, ok bool) {
	var v map[string]json.RawMessage
	if json.Unmarshal(a, &v) != nil || len(v) != 1 {
		return "", false
	}
	if s, is := v["S"]; is {
		return value, string(s) != "null" && json.Unmarshal(s, &value) == nil
	}
	var b []byte
	if raw, is := v["B"]; is && string(raw) != "null" && json.Unmarshal(raw, &b) == nil {
		return string(b), true
	}
	return "", false
}

// attributeOf returns what stands for value: a string, or bytes where it is no
// text, which JSON could not carry.
func attributeOf(value string) any {
	if utf8.ValidString(value) {
		return map[string]string{"S": value}
	}
	return map[string][]byte{"B": []byte(value)}
}

// entryOf returns the entry of an item below prefix, and false where it is none.
//
// An item whose value is no text stays a key: were it left out, what runs from
// it would be stopped. Its value is then a line that says what is wrong, and
// that no reader of configuration takes, so that the last good one stays.
func entryOf(prefix string, it item) (store.Entry, bool) {
	full, ok := text(it[keyName])
	key, below := strings.CutPrefix(full, prefix)
	if !ok || !below || key == "" {
		return store.Entry{}, false
	}
	value, ok := text(it[valueName])
	if !ok {
		value = fmt.Sprintf("!! the attribute %q of this item is %s; write a string (S) or bytes (B)", valueName, kind(it[valueName]))
	}
	return store.Entry{Key: key, Value: value, Revision: store.RevisionOf(value)}, true
}

// kind says what type an attribute has.
func kind(a attribute) string {
	var v map[string]json.RawMessage
	if json.Unmarshal(a, &v) != nil || len(v) != 1 {
		return "not there"
	}
	name := slices.Collect(maps.Keys(v))[0]
	return fmt.Sprintf("of the type %.8q", name)
}
