//go:build unix

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"datakit.dev/internal/install"
	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
)

// watched is a datakit that writes the command line of every process of this user to
// a file, and then is the real one: what ps would show while it installs.
func watched(t *testing.T) (program, seen string) {
	t.Helper()
	dir := t.TempDir()
	program, seen = filepath.Join(dir, "datakit"), filepath.Join(dir, "seen")
	script := "#!/bin/sh\nfor p in /proc/[0-9]*/cmdline; do tr '\\0' ' ' <\"$p\" && echo; done >>" + seen + " 2>/dev/null\nexec " + binary + " \"$@\"\n"
	if err := os.WriteFile(program, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	return program, seen
}

// given returns what a variable of the store is set to here, and what the file then
// holds. Every text has what a shell, a list and TOML take for their own, and lines.
func given(v install.Variable, f spec.Field) (text string, want any) {
	hush := "hush-" + strings.ToLower(v.Name) + nasty + "\nsecond line\n\tthird ]"
	switch {
	case f.Name == "backend":
		return "redis", "redis"
	case f.Name == "circle_interval":
		return " 7 ", int64(7)
	case f.Type == spec.Bool:
		return "true", true
	case f.Type == spec.Strings:
		return `["a,b c", "d'e\"f$HOME\ng"]`, []string{"a,b c", "d'e\"f$HOME\ng"}
	case len(f.OneOf) > 0:
		return f.OneOf[len(f.OneOf)-1], f.OneOf[len(f.OneOf)-1]
	}
	return hush, hush
}

// Every name of a store in datakit.conf arrives there as it was typed, by DK_NAME and
// by NAME alone, and nothing on the way shows a value.
func TestEveryVariableOfTheStoreSurvives(t *testing.T) {
	program, seen := watched(t)
	r := publish(t, program)
	for _, prefix := range []string{"DK_", ""} {
		t.Run(prefix+"CONFD", func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "datakit")
			env := []string{"DK_INSTALLER_BASE_URL=" + r.url, "DK_INSTALL_DIR=" + dir}
			want := map[string]any{}
			for _, v := range install.Variables() {
				i := slices.IndexFunc(store.Fields(), func(f spec.Field) bool { return f.Name == v.Field })
				if v.Field == "" || i < 0 {
					continue
				}
				text, value := given(v, store.Fields()[i])
				env = append(env, prefix+v.Name+"="+text)
				want[v.Field] = value
			}
			if len(want) < 29 {
				t.Fatalf("only %d variables", len(want))
			}
			out, err := runScript(t, shells[len(prefix)%2], env...)
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			text, err := os.ReadFile(filepath.Join(dir, "conf.d", "datakit.conf"))
			if err != nil {
				t.Fatal(err)
			}
			compareStore(t, string(text), want)
			lines, err := os.ReadFile(seen)
			if runtime.GOOS == "linux" && (err != nil || !strings.Contains(string(lines), "install --program")) {
				t.Errorf("what ran was not seen: %v", err)
			}
			for where, text := range map[string]string{"ps": string(lines), "the output": out, "the log": below(t, filepath.Join(dir, "log"))} {
				if strings.Contains(text, "hush-") {
					t.Errorf("%s shows a value", where)
				}
			}
		})
	}
}

// compareStore holds the first [[confds]] of a file against what it should be.
func compareStore(t *testing.T, text string, want map[string]any) {
	t.Helper()
	root, bad := spec.Parse(text)
	if bad != nil {
		t.Fatal(bad.Text())
	}
	confds, ok := root.Get("confds")
	if !ok || len(confds.Node.Items) != 1 {
		t.Fatalf("no store in\n%s", tail(text, 900))
	}
	for name, value := range want {
		k, ok := confds.Node.Items[0].Get(name)
		if !ok {
			t.Errorf("no %s", name)
			continue
		}
		got := k.Node.Scalar
		if len(k.Node.Items) > 0 {
			var list []string
			for i := range k.Node.Items {
				list = append(list, fmt.Sprint(k.Node.Items[i].Scalar))
			}
			got = list
		}
		if fmt.Sprintf("%#v", got) != fmt.Sprintf("%#v", value) {
			t.Errorf("%s = %#v, want %#v", name, got, value)
		}
	}
}

// below returns the text of all files in a folder.
func below(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		b.Write(text)
	}
	return b.String()
}
