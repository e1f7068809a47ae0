package dynamodb

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// What is written is read back, whatever its bytes.
func TestAttributeHoldsAnyValue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := string(rapid.SliceOf(rapid.Byte()).Draw(t, "value"))
		raw, err := json.Marshal(attributeOf(want))
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := text(raw); !ok || got != want {
			t.Fatalf("%s is %q, %v", raw, got, ok)
		}
		if strings.HasPrefix(string(raw), `{"S"`) != utf8.ValidString(want) {
			t.Fatalf("%q is stored as %s", want, raw)
		}
	})
}

// Whatever an item holds, it is one key below the root or none, and never lost
// for its value.
func FuzzItem(f *testing.F) {
	for _, s := range []string{
		`{"key":{"S":"/datakit/confd/a"},"value":{"S":"1"}}`, `{"key":{"S":"/datakit/confd/a"},"value":{"B":"AA=="}}`,
		`{"key":{"S":"/datakit/a"}}`, `{"key":{"S":"/datakit/a"},"value":{"NULL":true}}`, `{"key":{"S":null}}`, `{"key":{"S":"/datakit/a"},"value":{"B":"%"}}`,
		`{"key":{"N":"1"},"value":null}`, `{"key":{"S":"/datakit/a"},"value":{"S":"1","B":"AA=="}}`, `{}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var it item
		if json.Unmarshal(body, &it) != nil {
			return
		}
		key, isText := text(it["key"])
		e, ok := entryOf("/datakit/", it)
		if want := isText && strings.HasPrefix(key, "/datakit/") && key != "/datakit/"; ok != want {
			t.Fatalf("%s: %v", body, e)
		}
		if ok && ("/datakit/"+e.Key != key || e.Revision == "") {
			t.Errorf("%s: %v", body, e)
		}
		if value, is := text(it["value"]); ok && is && e.Value != value || ok && !is && !strings.HasPrefix(e.Value, "!! ") {
			t.Errorf("%s: %v", body, e)
		}
	})
}
