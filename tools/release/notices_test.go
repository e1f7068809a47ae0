package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Every module that the bill names brings its licence along.
func TestEveryModuleHasItsLicence(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(unpacked(t, built(t)), noticesFile))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range *readBill(t).Components {
		name := c.Name + " " + c.Version + ": "
		if c.Name == "std" {
			name = "The Go standard library: LICENSE"
		}
		if !bytes.Contains(text, []byte("\n"+name)) {
			t.Errorf("no licence of %s", name)
		}
	}
	// What asks for its text has it there, word by word.
	for _, words := range []string{"Redistributions in binary form must reproduce the above copyright", "Apache License", "Permission is hereby granted"} {
		if !bytes.Contains(text, []byte(words)) {
			t.Errorf("no %q", words)
		}
	}
}

func TestWhatCountsAsALicence(t *testing.T) {
	for name, want := range map[string]bool{
		"LICENSE": true, "LICENCE": true, "license.md": true, "LICENSE-APACHE": true, "COPYING": true, "NOTICE.txt": true, "PATENTS": true,
		"licenses.go": false, "LICENSED": false, "README.md": false, "noticeboard.txt": false,
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, name), []byte("words"), 0o600); err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		err := writeNotices(&b, "example.com/m v1", dir)
		if (err == nil) != want || want != strings.Contains(b.String(), "words") {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && !strings.Contains(err.Error(), "example.com/m v1 comes without a licence") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
