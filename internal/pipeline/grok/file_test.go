package grok

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

func TestReadPatterns(t *testing.T) {
	files := fstest.MapFS{
		"a":         {Data: []byte("# a comment\n\nONE  x y \nword\nTWO second\r\n")},
		"b.pattern": {Data: []byte("TWO again\n THREE no name\nFOUR %{ONE}")},
		"sub/c":     {Data: []byte("FIVE not read\n")},
	}
	got, err := ReadPatterns(files)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"ONE": " x y ", "TWO": "again", "FOUR": "%{ONE}"}
	if !maps.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	set, err := NewSet(got)
	if err != nil {
		t.Fatal(err)
	}
	if got := captured(t, set, "%{FOUR:f}", "a x y b"); got != "f= x y " {
		t.Errorf("got %q", got)
	}
}

func TestALinkToAFolderIsSkipped(t *testing.T) {
	folder := t.TempDir()
	if err := os.Mkdir(filepath.Join(folder, "..data"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "..data", "mine"), []byte("ONE x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for link, target := range map[string]string{"..link": "..data", "mine": "..data/mine"} {
		if err := os.Symlink(target, filepath.Join(folder, link)); err != nil {
			t.Skip(err)
		}
	}
	got, err := ReadPatterns(os.DirFS(folder))
	if err != nil || !maps.Equal(got, map[string]string{"ONE": "x"}) {
		t.Errorf("got %q %v", got, err)
	}
}

func TestAnUnreadableFileLeavesTheOthers(t *testing.T) {
	files := fstest.MapFS{
		"big":  {Data: make([]byte, maxFile+1)},
		"long": {Data: []byte("LONG " + strings.Repeat("x", maxLine))},
		"ok":   {Data: []byte("ONE x\n")},
		"pipe": {Mode: fs.ModeNamedPipe},
	}
	got, err := ReadPatterns(files)
	if !maps.Equal(got, map[string]string{"ONE": "x"}) {
		t.Errorf("got %q", got)
	}
	if !errors.Is(err, ErrLimit) {
		t.Errorf("got %v, want %v", err, ErrLimit)
	}
	for _, want := range []string{"file big", "file long", "file pipe: not a regular file"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not say %q", err, want)
		}
	}
}

func TestAMissingFolderIsAnError(t *testing.T) {
	if _, err := ReadPatterns(fstest.MapFS{"x/y": {}}); err != nil {
		t.Errorf("an empty top folder: %v", err)
	}
	sub, err := fs.Sub(fstest.MapFS{}, "pattern")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ReadPatterns(sub); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want %v", err, fs.ErrNotExist)
	}
}
