package cli_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"datakit.dev/internal/cli"
	"datakit.dev/internal/config"
	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
	"datakit.dev/internal/store/memory"
)

// result is what one command left.
type result struct {
	code     int
	out, err string
}

// command runs one command line in this process, with more dependencies where
// change says so.
func command(ctx context.Context, change func(*cli.Deps), args ...string) result {
	var out, errs bytes.Buffer
	d := deps(strings.NewReader(""), &out, &errs)
	if change != nil {
		change(&d)
	}
	code := cli.Execute(ctx, d, args)
	return result{code, out.String(), errs.String()}
}

func (r result) expect(t *testing.T, code int, part string) {
	t.Helper()
	if r.code != code || !strings.Contains(r.out+r.err, part) {
		t.Errorf("exit code %d, expected %d with %q\nout: %s\nerr: %s", r.code, code, part, r.out, r.err)
	}
	if r.code != 0 && !isOneError(r.err) {
		t.Errorf("the error is not one line: %q", r.err)
	}
}

// What an error repeats of a password or of a terminal's codes stays in.
func TestErrorsAreOneHarmlessLine(t *testing.T) {
	r := command(t.Context(), func(d *cli.Deps) {
		d.Run = func(context.Context, cli.RunOptions) error {
			return errors.New("no answer of redis://u:hunter2@h\n\x1b[2Jhttp://g?token=hunter2 failed")
		}
	}, "run")
	r.expect(t, 1, "no answer of redis://u:******@h ")
	if strings.Contains(r.err, "hunter2") || strings.Contains(r.err, "\x1b") {
		t.Errorf("got %q", r.err)
	}
}

func TestInterruptedRunIsDone(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	command(ctx, func(d *cli.Deps) {
		d.Run = func(context.Context, cli.RunOptions) error { return nil }
	}, "run").expect(t, 0, "")
	command(ctx, nil, "confd", "ls", "--backend", "file", "--file", t.TempDir()).expect(t, 1, "interrupted")
}

// A value that no store takes is refused before any store is written.
func TestPutRefusesTooLarge(t *testing.T) {
	path := filepath.Join(t.TempDir(), "big.conf")
	if err := os.WriteFile(path, bytes.Repeat([]byte("#"), store.MaxValue+1), 0o600); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	command(t.Context(), nil, "confd", "put", "big", path, "--force", "--backend", "file", "--file", dir).
		expect(t, 1, "split it into several keys")
	if files, _ := os.ReadDir(dir); len(files) != 0 {
		t.Errorf("%d files were written", len(files))
	}
}

// A value in the store that no agent takes is shown for what it is, and can be
// removed.
func TestTooLargeInTheStore(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "confd"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "confd", "big"), bytes.Repeat([]byte("#"), store.MaxValue+1), 0o600); err != nil {
		t.Fatal(err)
	}
	confd := func(args ...string) result {
		return command(t.Context(), nil, append([]string{"confd", "--backend", "file", "--file", dir}, args...)...)
	}
	confd("ls", "-l").expect(t, 0, "  1048577\n")
	confd("get", "big").expect(t, 1, "/datakit/confd/big holds 1048577 bytes, at most 1048576 are taken")
	confd("edit", "big").expect(t, 1, "make it smaller with the store's own tools")
	confd("rm", "big").expect(t, 0, "deleted /datakit/confd/big")
}

// vault is a store that wants secrets, and remembers what it was opened with.
type vault struct {
	*memory.Store
	opened store.Options
}

// Close leaves the store open, for the test to look at.
func (v *vault) Close() error { return nil }

func (v *vault) backend() store.Backend {
	return store.Backend{
		Name:   "vault",
		Spec:   spec.Schema{Name: "confds", Fields: store.Pick("nodes", "prefix", "username", "password", "auth_token", "client_insecure", "region", "basic_auth")},
		Traits: store.Traits{Writes: true},
		Open: func(o store.Options) (store.Store, error) {
			v.opened = o
			return v, nil
		},
	}
}

func (v *vault) deps(env map[string]string) func(*cli.Deps) {
	return func(d *cli.Deps) {
		d.Parts.Backends = []store.Backend{v.backend()}
		d.Env = env
	}
}

// Secrets come from the environment, so that `ps` does not show them; a flag
// goes before it. No other variable meddles.
func TestStoreOptionsFromFlagsAndEnvironment(t *testing.T) {
	v := &vault{Store: memory.New()}
	env := map[string]string{
		"ENV_CONFD_PASSWORD": "hunter2", "ENV_CONFD_AUTH_TOKEN": "env", "ENV_CONFD_PREFIX": "/not/this",
		"ENV_CONFD_BACKEND": "nosuch", "ENV_LOG_LEVEL": "silly",
	}
	command(t.Context(), v.deps(env), "confd", "ls", "--backend", "vault", "--node", "a:1", "--node", "b,c:2",
		"--username", "u", "--token", "flag", "--insecure", "--option", "region=r=1").expect(t, 0, "")
	o := v.opened.Values
	if o.String("password") != "hunter2" || o.String("auth_token") != "flag" || o.String("username") != "u" || !o.Bool("client_insecure") ||
		o.String("region") != "r=1" || strings.Join(o.Strings("nodes"), " ") != "a:1 b,c:2" || v.opened.Root != "/datakit" {
		t.Errorf("opened with %v below %s", o, v.opened.Root)
	}
	command(t.Context(), v.deps(nil), "confd", "ls", "--backend", "vault", "--prefix", "team/x/").expect(t, 0, "")
	if v.opened.Root != "/team/x" {
		t.Errorf("root %s", v.opened.Root)
	}
	r := command(t.Context(), v.deps(env), "confd", "ls", "--backend", "vault", "--option", "basic_auth=hunter3")
	r.expect(t, 2, "--backend vault: ")
	if strings.Contains(r.err, "hunter2") {
		t.Errorf("a password in %q", r.err)
	}
}

// Each failure of a store says what to do about it.
func TestStoreErrorsSayWhatToDo(t *testing.T) {
	for err, want := range map[error]string{
		store.ErrDenied:            "check the user name, the password or the token",
		store.ErrUnavailable:       "is it running, and reachable from here?",
		context.DeadlineExceeded:   "--timeout waits longer",
		errors.New("odd\nfailure"): "store vault: read: odd failure",
	} {
		v := &vault{Store: memory.New()}
		v.Fail(err)
		command(t.Context(), v.deps(nil), "confd", "ls", "--backend", "vault", "--timeout", "5s").expect(t, 1, want)
	}
}

// Somebody else's key in between is told, not overwritten.
func TestPutOfAKeyChangedMeanwhile(t *testing.T) {
	v := &racing{vault{Store: memory.New()}}
	r := command(t.Context(), func(d *cli.Deps) {
		b := v.backend()
		b.Open = func(store.Options) (store.Store, error) { return v, nil }
		d.Parts.Backends = []store.Backend{b}
		d.Stdin = strings.NewReader("[[inputs.tick]]\n")
	}, "confd", "put", "tick", "--backend", "vault")
	r.expect(t, 1, "the key has changed meanwhile: look at it with `datakit confd get`")
	snap, _ := v.Store.Read(t.Context())
	if e, _ := snap.Get("confd/tick"); e.Value != "theirs" {
		t.Errorf("the store has %q", e.Value)
	}
}

// racing is a store in which somebody writes after each read.
type racing struct{ vault }

func (r *racing) Read(ctx context.Context) (store.Snapshot, error) {
	snap, err := r.Store.Read(ctx)
	_, perr := r.Put(ctx, "confd/tick", "theirs", store.Cond{})
	return snap, errors.Join(err, perr)
}

// watch prints what changes until it is interrupted, and outlives an outage.
func TestWatchPrintsChanges(t *testing.T) {
	v := &vault{Store: memory.New()}
	put := func(key, value string) {
		if _, err := v.Put(t.Context(), key, value, store.Cond{}); err != nil {
			t.Error(err)
		}
	}
	put("confd/old", "x")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out, outW := io.Pipe()
	errs, errsW := io.Pipe()
	done := make(chan int, 1)
	go func() {
		d := deps(strings.NewReader(""), outW, errsW)
		v.deps(nil)(&d)
		done <- cli.Execute(ctx, d, []string{"confd", "watch", "--backend", "vault"})
	}()
	lines, says := bufio.NewScanner(out), bufio.NewScanner(errs)
	next := func(s *bufio.Scanner, want string) {
		t.Helper()
		if !s.Scan() || !strings.Contains(s.Text(), want) {
			t.Fatalf("got %q, expected %q", s.Text(), want)
		}
	}
	next(says, "watching /datakit in vault: 1 keys; interrupt to end")
	put("confd/new", "four")
	next(lines, " put /datakit/confd/new, revision ")
	v.Fail(store.ErrUnavailable)
	next(says, "is it running, and reachable from here?; it is tried again")
	if err := v.Delete(t.Context(), "confd/old", store.Cond{}); err != nil {
		t.Fatal(err)
	}
	v.Fail(nil)
	next(lines, " del /datakit/confd/old")
	cancel()
	if code := <-done; code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// What answers may be anything: it neither steers the terminal nor is believed.
func TestStatusOfHostileAgents(t *testing.T) {
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		code   int
		want   string
	}{
		"no agent": {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") }, 1, "is no agent"},
		"an error": {func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, `{"message":"not\nnow"}`, http.StatusServiceUnavailable)
		}, 1, "not now"},
		"other page": {func(w http.ResponseWriter, _ *http.Request) { http.NotFound(w, nil) }, 1, "is no agent, or an older one: 404"},
		"a redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://192.0.2.1/", http.StatusFound)
		}, 1, "302 Found"},
		"a list": {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "[]") }, 1, "cannot be read"},
		"escapes": {func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"version":"\u001b[2J","units":[{"id":"input/x","last_error":"a\nb\u001b]0;x\u0007"}],"keys":null}`)
		}, 0, "input/x"},
		"never": {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, 1, "--addr"},
	} {
		t.Run(name, func(t *testing.T) {
			s := httptest.NewServer(c.answer)
			defer s.Close()
			r := command(t.Context(), nil, "status", "--addr", s.URL, "--timeout", "300ms")
			r.expect(t, c.code, c.want)
			if strings.ContainsAny(r.out+r.err, "\x1b\x07") {
				t.Errorf("the terminal is steered: %q", r.out+r.err)
			}
		})
	}
}

func TestValidateKnowsKeys(t *testing.T) {
	parts := deps(nil, nil, nil).Parts
	for key, want := range map[string]string{
		"confd/tick": "", "confd/a/b/tick.conf": "", "tick": "",
		"other/tick": "neither confd/NAME", "pipeline/metric/x": "ends in .p", "pipeline/nosuch/x.p": "unknown category",
		"confd//x": "no parts of a key", "confd/\x1b": "control characters", "": "empty",
	} {
		bad := config.Validate(parts.Catalog, nil, key, "[[inputs.tick]]\n")
		if want == "" && len(bad) > 0 || want != "" && !strings.Contains(bad.Error(), want) {
			t.Errorf("key %q: %v, expected %q", key, bad, want)
		}
	}
	// A line that holds a secret is not shown, whatever else is wrong in it.
	bad := config.Validate(parts.Catalog, nil, "confd/tick", "[[inputs.tick]]\n  password = \"hunter2\" oops\n")
	if len(bad) == 0 || strings.Contains(bad.Text(), "hunter2") {
		t.Errorf("got %s", bad.Text())
	}
	if bad := config.Validate(parts.Catalog, nil, "confd/tick", strings.Repeat("#", store.MaxValue+1)); len(bad) == 0 {
		t.Error("a value that is too large is fine")
	}
}
