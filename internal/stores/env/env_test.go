package env_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
	"datakit.dev/internal/store/storetest"
	"datakit.dev/internal/stores/env"
)

// process is the environment of this process.
type process struct{}

func (process) ReadOnce() {}

func (process) Open(t *testing.T) store.Store { return open(t, nil) }

func (process) Put(t *testing.T, key, value string) { t.Setenv(variable(key), value) }

func (process) Delete(t *testing.T, key string) {
	if err := os.Unsetenv(variable(key)); err != nil {
		t.Fatal(err)
	}
}

func (process) PutBeside(t *testing.T, key, value string) {
	t.Setenv("DATAKITX"+strings.TrimPrefix(variable(key), "DATAKIT"), value)
}

// Takes leaves out what no variable can hold: a zero, and a name that cannot be
// told from that of another key.
func (process) Takes(key, value string) bool {
	return plain.MatchString(key) && !strings.Contains(value, "\x00")
}

var plain = regexp.MustCompile(`^(confd/[a-z0-9_.]+|pipeline/(metric|logging)/[a-z0-9_]+\.p)$`)

// variable returns the name that the manual gives a key.
func variable(key string) string {
	name, script := strings.CutSuffix(key, ".p")
	if script {
		name += "_p"
	}
	return "DATAKIT_" + strings.ToUpper(strings.ReplaceAll(name, "/", "_"))
}

func open(t *testing.T, v spec.Values) store.Store {
	t.Helper()
	st, err := env.Backend().Open(store.Options{Root: store.RootOf(v), Values: v})
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func TestConformance(t *testing.T) {
	storetest.Run(t, env.Backend().Traits, func(t *testing.T) storetest.Server {
		forget(t)
		return process{}
	})
}

// forget takes every variable of ours out of the environment until the test ends.
func forget(t *testing.T) {
	t.Helper()
	for _, v := range os.Environ() {
		if name, _, _ := strings.Cut(v, "="); strings.HasPrefix(name, "DATAKIT_") {
			t.Setenv(name, "") // comes back at the end
			_ = os.Unsetenv(name)
		}
	}
}

// The environment is what it was at the start, whatever the process does to its
// own later.
func TestReadOnce(t *testing.T) {
	forget(t)
	t.Setenv("DATAKIT_CONFD_CPU", "1")
	st := open(t, nil)
	t.Setenv("DATAKIT_CONFD_CPU", "2")
	t.Setenv("DATAKIT_CONFD_MEM", "2")
	storetest.ReadUntil(t, st, "confd/cpu=1")
	storetest.ReadUntil(t, open(t, nil), "confd/cpu=2 confd/mem=2")
}

func TestPrefix(t *testing.T) {
	forget(t)
	t.Setenv("DATAKIT_CONFD_CPU", "1")
	t.Setenv("DATAKITX_CONFD_CPU", "2")
	t.Setenv("TEAM_A_PROD_CONFD_MEM", "3")
	storetest.ReadUntil(t, open(t, nil), "confd/cpu=1")
	storetest.ReadUntil(t, open(t, spec.Values{"prefix": "/team-a/prod"}), "confd/mem=3")
}

func TestPrefixThatNoVariableHas(t *testing.T) {
	for _, prefix := range []string{"/a=b", "/a\x00b"} {
		_, err := env.Backend().Open(store.Options{Root: prefix})
		if err == nil || !strings.Contains(err.Error(), "no variable can have such a name") {
			t.Errorf("%q: %v", prefix, err)
		}
	}
}

func TestNobodyWrites(t *testing.T) {
	if _, ok := open(t, nil).(store.Writer); ok || env.Backend().Traits.Writes {
		t.Error("the environment of a process cannot be written from outside, and its store says it can")
	}
}

// A tree over the bounds is an error, and not a part of it.
func TestTooManyVariables(t *testing.T) {
	environ := make([]string, store.MaxEntries+1)
	for i := range environ {
		environ[i] = fmt.Sprintf("DATAKIT_CONFD_N%d=1", i)
	}
	if st, err := env.OpenIn("/datakit", environ); err == nil {
		snap, _ := st.Read(t.Context())
		t.Fatalf("%d variables are taken as %d keys", len(environ), len(snap.Entries))
	}
}

// childVar makes TestProcess print what a process with that environment reads.
const childVar = "ENVTEST_CHILD"

func TestProcess(t *testing.T) {
	if os.Getenv(childVar) == "" {
		t.Skip("run by TestWhatAProcessIsStartedWith")
	}
	snap, err := open(t, nil).Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	out, err := json.Marshal(snap.Entries)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(os.Getenv(childVar), out, 0o600); err != nil {
		t.Fatal(err)
	}
}

// The real thing: a process is started with an environment, as a container is.
func TestWhatAProcessIsStartedWith(t *testing.T) {
	out := filepath.Join(t.TempDir(), "entries")
	odd := "# 温度 🌡 100% $HOME \"x\" 'y' = \\ \t\r\n[[inputs.cpu]]\n  interval = \"5s\"\n"
	large := strings.Repeat("x", env.Backend().Traits.MaxValue)
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestProcess$")
	cmd.Env = []string{
		childVar + "=" + out, "PATH=" + os.Getenv("PATH"),
		"DATAKIT_CONFD_CPU=" + odd, "DATAKIT_CONFD_LARGE=" + large, "DATAKIT_PIPELINE_LOGGING_NGINX_P=x = 1\n",
		"DATAKIT_HOME=/opt/datakit", "DATAKIT_CONFD_EMPTY=",
	}
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	text, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	var entries []store.Entry
	if err := json.Unmarshal(text, &entries); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, e := range entries {
		got[e.Key] = e.Value
	}
	want := map[string]string{"confd/cpu": odd, "confd/large": large, "confd/empty": "", "pipeline/logging/nginx.p": "x = 1\n"}
	for key, value := range want {
		if have, ok := got[key]; !ok || have != value {
			t.Errorf("%s is %.60q, %v", key, have, ok)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d keys are read, want %d", len(got), len(want))
	}
}

func TestCloseIsSaid(t *testing.T) {
	st := open(t, nil)
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := st.Read(t.Context()); !errors.Is(err, store.ErrClosed) || !strings.Contains(err.Error(), "read the environment") {
		t.Errorf("Read: %v", err)
	}
}
