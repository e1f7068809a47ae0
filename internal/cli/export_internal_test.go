package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"datakit.dev/internal/store"
)

// oddKeys draws keys of any bytes that a store may hold.
func oddKeys() *rapid.Generator[string] {
	part := rapid.OneOf(
		rapid.StringOfN(rapid.RuneFrom([]rune("aZ.%~ 2Ff:\\*?\"<>|#名\x01\u202e")), 0, 6, -1),
		rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 4), func(b []byte) string { return strings.ReplaceAll(string(b), "/", "") }),
		rapid.SampledFrom([]string{".", "..", "%", "%%", "con", "samples", ".git", exportMark}),
	)
	return rapid.Map(rapid.SliceOfN(part, 1, 4), func(parts []string) string { return strings.Join(parts, "/") })
}

// Whatever a key is called, its file is below the folder, can be seen there, and
// is the key's again.
func TestEveryKeyHasAFileOfItsOwn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := oddKeys().Draw(t, "key")
		rel, err := pathOfKey(key)
		if err != nil {
			t.Fatal(err)
		}
		for part := range strings.SplitSeq(rel, "/") {
			if part == "" || strings.HasPrefix(part, ".") || strings.HasSuffix(part, ".") || strings.HasSuffix(part, " ") || strings.ContainsAny(part, "\\:*?\"<>|\x00\n") {
				t.Fatalf("key %q has the file %q", key, rel)
			}
		}
		for _, name := range []string{rel, rel + "%"} {
			if back, err := keyOfPath(name); err != nil || back != key {
				t.Fatalf("key %q has the file %q, which is the key %q (%v)", key, name, back, err)
			}
		}
	})
}

func TestNamesThatNoExportHas(t *testing.T) {
	for name, want := range map[string]string{"confd/%zz": "%zz", "confd/a%2": "two hexadecimal digits", "a%2Fb": "%2F", "%-1x": "%-1"} {
		if key, err := keyOfPath(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is the key %q, %v", name, key, err)
		}
	}
}

// FuzzUnescape takes any name, and never makes two parts of one.
func FuzzUnescape(f *testing.F) {
	for _, name := range []string{"", "%", "%25", "%2e%2E", "a%", "%%", "%2", "é%"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		part, err := unescape(name)
		if err != nil || strings.Contains(name, "/") {
			return
		}
		if strings.Contains(part, "/") {
			t.Fatalf("%q is %q", name, part)
		}
		if again, err := unescape(escape(part)); err != nil || again != part {
			t.Fatalf("%q is %q, which comes back as %q (%v)", name, part, again, err)
		}
	})
}

// An export, as a folder or a file, is what import reads.
func TestExportComesBackWhole(t *testing.T) {
	dir, n := t.TempDir(), 0
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.OneOf(rapid.String(), rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 20), func(b []byte) string { return string(b) }))
		tree := rapid.MapOfN(oddKeys(), values, 1, 8).Draw(t, "tree")
		want := make([]store.Entry, 0, len(tree))
		for k, v := range tree {
			want = append(want, store.Entry{Key: k, Value: v})
		}
		slices.SortFunc(want, func(a, b store.Entry) int { return strings.Compare(a.Key, b.Key) })

		text, err := encodeTree("/datakit", want)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := decodeTree(bytes.NewReader(text)); err != nil || !slices.Equal(got, want) {
			t.Fatalf("from the file: %v, %v", got, err)
		}

		n++
		to := filepath.Join(dir, strconv.Itoa(n))
		if err := writeTree(to, want); err != nil {
			t.Fatal(err)
		}
		if got, err := new(confd).collectDir(to); err != nil || !slices.Equal(got, want) {
			t.Fatalf("from the folder: %v, %v; want %v", got, err, want)
		}
	})
}

// FuzzDecodeTree takes any file, and what it takes is written the same again.
func FuzzDecodeTree(f *testing.F) {
	f.Add([]byte(`{"root":"/datakit","entries":[{"key":"confd/a","value":"x"},{"key_base64":"/w==","value_base64":"AA=="}]}`))
	f.Add([]byte(`{"entries":[{"key":"a","key_base64":"/w==","value":""}]}`))
	f.Add([]byte(`[`))
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := decodeTree(bytes.NewReader(text))
		if err != nil {
			return
		}
		again, err := encodeTree("/datakit", got)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := decodeTree(bytes.NewReader(again)); err != nil || !slices.Equal(back, got) {
			t.Fatalf("%v came back as %v (%v)", got, back, err)
		}
	})
}

// A failure leaves neither half an export nor a temporary folder.
func TestFailedExportLeavesWhatWasThere(t *testing.T) {
	dir := t.TempDir()
	to := filepath.Join(dir, "out")
	if err := writeTree(to, []store.Entry{{Key: "confd/a", Value: "old"}}); err != nil {
		t.Fatal(err)
	}
	long := store.Entry{Key: "confd/" + strings.Repeat("n", maxName+1)}
	err := writeTree(to, []store.Entry{{Key: "confd/a", Value: "new"}, long})
	if err == nil || !strings.Contains(err.Error(), "too long for a file: export to a FILE.json") {
		t.Fatalf("export: %v", err)
	}
	if text, err := os.ReadFile(filepath.Join(to, "confd", "a")); err != nil || string(text) != "old" {
		t.Errorf("the old export: %q, %v", text, err)
	}
	if list, _ := os.ReadDir(dir); len(list) != 1 {
		t.Errorf("left behind: %v", list)
	}
}
