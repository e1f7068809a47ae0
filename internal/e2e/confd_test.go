package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"datakit.dev/internal/store"
	"datakit.dev/internal/stores/all"
)

// The command line does the same with every store that can be written: what is
// put with it is read by the store's own means and the other way round.
func TestCommandLineOnEveryStore(t *testing.T) {
	for backend, start := range starters() {
		t.Run(backend, func(t *testing.T) {
			t.Parallel()
			if b, err := store.Find(all.All(), backend); err != nil || !b.Traits.Writes {
				t.Skip("it can only be read")
			}
			p := start(t)
			dir, mem := t.TempDir(), p.folder()+"mem"
			writeConf(t, dir, "conf.d/datakit.conf", p.table())
			writeConf(t, dir, "other/.keep", "")
			confd := func(stdin string, code int, args ...string) (stdout, stderr string) {
				t.Helper()
				got, out, errs := datakit(t, stdin, append([]string{"confd"}, append(args, "--dir", dir)...)...)
				if got != code {
					t.Fatalf("confd %v: exit code %d: %s%s", args, got, out, errs)
				}
				return out, errs
			}
			const one, two, script = "[[inputs.mem]]\n  interval = \"11s\"\n", "[[inputs.mem]]\n  interval = \"12s\"\n", "f1 = 1\n"

			// A value is put, shown, changed with its difference, and deleted.
			confd(one, 0, "put", mem, "--create")
			if out, _ := confd("", 0, "get", mem); out != one {
				t.Errorf("got %q", out)
			}
			if _, diff := confd(two, 0, "put", mem); !strings.Contains(diff, `-  interval = "11s"`) || !strings.Contains(diff, `+  interval = "12s"`) {
				t.Errorf("difference:\n%s", diff)
			}
			confd("", 0, "rm", mem)
			confd("", 1, "get", mem)

			// What the store's own tool writes goes through a folder, a file and
			// another store, and comes back.
			p.put(t, "/datakit/confd/mem", one)
			confd(script, 0, "put", "pipeline/metric/mem.p")
			keys, _ := confd("", 0, "ls")
			if keys != "/datakit/confd/"+mem+"\n/datakit/pipeline/metric/mem.p\n" {
				t.Fatalf("keys:\n%s", keys)
			}
			tree, file, other := filepath.Join(dir, "tree"), filepath.Join(dir, "tree.json"), "file="+filepath.Join(dir, "other")
			confd("", 0, "export", tree)
			confd("", 0, "export", file)
			confd("", 0, "copy", "--from", backend, "--to", other)
			for _, back := range [][]string{{"import", tree}, {"import", file}, {"copy", "--from", other, "--to", backend}} {
				confd("", 0, "rm", mem)
				confd("", 0, "rm", "pipeline/metric/mem.p")
				confd("", 0, back...)
				if got, _ := confd("", 0, "ls"); got != keys {
					t.Errorf("after %s:\n%s", back[0], got)
				}
				if got, _ := confd("", 0, "get", mem); got != one {
					t.Errorf("after %s: %q", back[0], got)
				}
			}

			// A copy that shall be the same deletes what is more.
			p.put(t, "/datakit/confd/more", "# more\n")
			if out, _ := confd("", 0, "copy", "--from", other, "--to", backend, "--delete", "--yes"); !strings.Contains(out, "deleted /datakit/confd/"+p.folder()+"more") {
				t.Errorf("copy --delete:\n%s", out)
			}
			p.remove(t, "/datakit/confd/mem")
			if got, _ := confd("", 0, "ls"); got != "/datakit/pipeline/metric/mem.p\n" {
				t.Errorf("in the end:\n%s", got)
			}
		})
	}
}

// writeConf puts a file below dir.
func writeConf(t *testing.T, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
