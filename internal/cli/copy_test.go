package cli_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"datakit.dev/internal/cli"
	"datakit.dev/internal/store"
	"datakit.dev/internal/store/memory"
	"datakit.dev/internal/stores/file"
)

// two are the stores of a copy, one of which is a vault.
func two(v *vault, env map[string]string) func(*cli.Deps) {
	return func(d *cli.Deps) {
		d.Parts.Backends = []store.Backend{v.backend(), file.Backend()}
		d.Env = env
	}
}

// A secret goes to the store that it is for, and to no other.
func TestCopyGivesEachStoreItsOwnSecrets(t *testing.T) {
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("from-a-file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{
		"ENV_CONFD_TO_PASSWORD": "right", "ENV_CONFD_FROM_PASSWORD": "of-the-other", "ENV_CONFD_PASSWORD": "of-a-third",
		"ENV_CONFD_FROM_AUTH_TOKEN": "of-the-other",
	}
	v := &vault{Store: memory.New()}
	command(t.Context(), two(v, env), "confd", "copy", "--from", "file="+t.TempDir(), "--to", "vault=a:1,b:2",
		"--to-option", "username=u", "--to-secret", "auth_token="+token).expect(t, 0, "")
	o := v.opened.Values
	if o.String("password") != "right" || o.String("auth_token") != "from-a-file" || o.String("username") != "u" ||
		strings.Join(o.Strings("nodes"), " ") != "a:1 b:2" {
		t.Errorf("opened with %v", o)
	}
}

// What the other store cannot take is found before anything is written.
func TestCopyIsRefusedAsAWhole(t *testing.T) {
	v := &vault{Store: memory.New()}
	dir := t.TempDir()
	for key, value := range map[string]string{"a.conf": "small", "z.conf": strings.Repeat("#", 100)} {
		if err := os.WriteFile(filepath.Join(dir, key), []byte(value), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	command(t.Context(), func(d *cli.Deps) {
		b := v.backend()
		b.Traits.MaxValue = 50
		d.Parts.Backends = []store.Backend{b, file.Backend()}
	}, "confd", "copy", "--from", "file="+dir, "--to", "vault").expect(t, 1, "holds 100 bytes, and vault takes at most 50")
	if snap, _ := v.Read(t.Context()); len(snap.Entries) != 0 {
		t.Errorf("%d keys were written", len(snap.Entries))
	}
}

// creator is a store without the place for its keys until that is made.
type creator struct {
	vault
	created int
}

func (c *creator) Read(ctx context.Context) (store.Snapshot, error) {
	if c.created == 0 {
		return store.Snapshot{}, errors.New("there is no table")
	}
	return c.Store.Read(ctx)
}

func (c *creator) Create(context.Context) error {
	c.created++
	return nil
}

func TestCreateMakesWhatIsMissing(t *testing.T) {
	dir := t.TempDir()
	value := filepath.Join(dir, "tick.conf")
	if err := os.WriteFile(value, []byte("[[inputs.tick]]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"put", "tick", value, "--backend", "vault"},
		{"import", dir, "--backend", "vault"},
		{"copy", "--from", "file=" + dir, "--to", "vault"},
	} {
		t.Run(args[0], func(t *testing.T) {
			c := &creator{vault: vault{Store: memory.New()}}
			change := func(d *cli.Deps) {
				b := c.backend()
				b.Open = func(store.Options) (store.Store, error) { return c, nil }
				d.Parts.Backends = []store.Backend{b, file.Backend()}
			}
			args := append([]string{"confd"}, args...)
			command(t.Context(), change, args...).expect(t, 1, "there is no table")
			if c.created != 0 {
				t.Fatal("it was made without being asked for")
			}
			command(t.Context(), change, append(args, "--create")...).expect(t, 0, "put /datakit/confd/tick")
		})
	}
}

// A key that somebody changes between the difference and the write stays as they
// have made it, and both are shown.
func TestConflictShowsWhatSomebodyElseDid(t *testing.T) {
	v := &racing{vault{Store: memory.New()}}
	r := command(t.Context(), func(d *cli.Deps) {
		b := v.backend()
		b.Open = func(store.Options) (store.Store, error) { return v, nil }
		d.Parts.Backends = []store.Backend{b}
		d.Stdin = strings.NewReader("[[inputs.tick]]\n")
	}, "confd", "put", "pipeline/metric/x.p", "--backend", "vault", "--force")
	r.expect(t, 0, "put ") // another key than the one that is raced for
	r = command(t.Context(), func(d *cli.Deps) {
		b := v.backend()
		b.Open = func(store.Options) (store.Store, error) { return v, nil }
		d.Parts.Backends = []store.Backend{b}
	}, "confd", "rm", "tick", "--backend", "vault")
	r.expect(t, 1, "somebody else was faster, and nothing was written")
	if !strings.Contains(r.err, "--- /datakit/confd/tick\n") {
		t.Errorf("the difference is not shown: %s", r.err)
	}
}
