package install

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"testing"

	"datakit.dev/internal/config"
	"datakit.dev/internal/store"
)

// The names that the contract promises; each is a flag and a DK_ variable.
const promised = `BACKEND BACKEND_NODES AUTH_TOKEN AUTH_TYPE BASIC_AUTH CLIENT_CA_KEYS CLIENT_CERT CLIENT_KEY CLIENT_INSECURE PASSWORD
	SCHEME TABLE SEPARATOR USERNAME APP_ID USER_ID ROLE_ID SECRET_ID FILTER PATH ROLE FILE PREFIX ACCESS_KEY SECRET_KEY
	CIRCLE_INTERVAL CONFD_NAMESPACE PIPELINE_NAMESPACE REGION`

func TestEveryNameOfTheContractIsAFlag(t *testing.T) {
	have := map[string]string{}
	for _, v := range Variables() {
		have[v.Name] = v.Flag()
	}
	for name := range strings.FieldsSeq(promised) {
		if want := "confd-" + strings.ToLower(strings.ReplaceAll(name, "_", "-")); have["CONFD_"+name] != want {
			t.Errorf("CONFD_%s: flag %q, want %q", name, have["CONFD_"+name], want)
		}
	}
	for _, name := range []string{"DATAWAY", "DEF_INPUTS", "GLOBAL_HOST_TAGS", "HTTP_LISTEN", "HOSTNAME"} {
		if have[name] == "" {
			t.Errorf("no %s", name)
		}
	}
	if want := len(store.Fields()) - 1 + 5; len(have) != want {
		t.Errorf("%d variables, want %d", len(have), want)
	}
	var out bytes.Buffer
	for _, cmd := range Commands(Deps{Parts: parts(), Env: map[string]string{}, Stdout: &out}) {
		if cmd.Name() != "install" {
			continue
		}
		for name, flag := range have {
			f := cmd.Flags().Lookup(flag)
			if f == nil {
				t.Errorf("install has no --%s", flag)
			} else if secret := strings.Contains(f.Usage, "ps shows it"); secret != slices.ContainsFunc(Variables(), func(v Variable) bool { return v.Name == name && v.Secret }) {
				t.Errorf("--%s: %s", flag, f.Usage)
			}
		}
	}
}

func TestFlagsGoBeforeTheEnvironment(t *testing.T) {
	env := map[string]string{
		"DK_CONFD_BACKEND": "etcdv3", "CONFD_BACKEND": "redis", "DK_CONFD_PASSWORD": "env", "CONFD_USERNAME": "short",
		"HOSTNAME": "the shell's", "DATAWAY": "nobody's", "DK_HTTP_LISTEN": "env:1",
	}
	s, err := Read(map[string]string{"CONFD_PASSWORD": "flag"}, env)
	if err != nil {
		t.Fatal(err)
	}
	if s.Backend != "etcdv3" || s.Listen != "env:1" || !maps.Equal(s.Options, map[string]string{"password": "flag", "username": "short"}) {
		t.Errorf("%+v", s)
	}
	// Many a shell exports its own HOSTNAME: only the store's variables have a
	// short name.
	if s.Hostname != "" || s.Dataway != nil {
		t.Errorf("%+v", s)
	}
}

func TestWrongValuesAreRefused(t *testing.T) {
	for _, c := range []struct {
		says string
		env  []string
	}{
		{"DK_CONFD_BASIC_AUTH: expected true or false", []string{"CONFD_BACKEND", "etcdv3", "CONFD_BASIC_AUTH", "maybe"}},
		{"DK_CONFD_CIRCLE_INTERVAL: expected an integer", []string{"CONFD_BACKEND", "etcdv3", "CONFD_CIRCLE_INTERVAL", "1m"}},
		{"password is given without a store", []string{"CONFD_PASSWORD", "hush"}},
		{"DK_GLOBAL_HOST_TAGS: expected key=value", []string{"GLOBAL_HOST_TAGS", "a=b,c"}},
		{"DK_CONFD_PASSWORD: the value is not valid UTF-8", []string{"CONFD_BACKEND", "etcdv3", "CONFD_PASSWORD", "hush\xff"}},
		{"DK_HOSTNAME: the value is not valid UTF-8", []string{"HOSTNAME", "a\x00b"}},
	} {
		_, err := Read(nil, environment(c.env))
		if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "hush") {
			t.Errorf("%v: %v", c.env, err)
		}
	}
	// What only the merge can know: a value that no agent would take.
	s := read(t, "CONFD_BACKEND", "etcdv3", "CONFD_CIRCLE_INTERVAL", "0")
	if _, _, err := Merge("", s, parts()); err == nil || !strings.Contains(err.Error(), "circle_interval") {
		t.Errorf("%v", err)
	}
}

func TestListenTakesAHostAlone(t *testing.T) {
	for in, want := range map[string]string{
		"0.0.0.0": "0.0.0.0:9529", "localhost:80": "localhost:80", "::1": "[::1]:9529", "[::1]": "[::1]:9529", "[::1]:80": "[::1]:80",
		"/run/datakit.sock": "/run/datakit.sock", ":9529": ":9529",
	} {
		if got := read(t, "HTTP_LISTEN", in).Listen; got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

// On every system the same values make the same file: none of what decides it
// asks for the system.
func TestTheFileIsTheSameOnEverySystem(t *testing.T) {
	text, _, err := Merge("", everySetting(t), parts())
	if err != nil {
		t.Fatal(err)
	}
	m, bad, _ := config.ParseMain(text, nil, parts())
	if bad != nil || len(m.Stores) != 1 || m.Stores[0].Values.String("password") != "x" || !m.Stores[0].Values.Bool("client_insecure") {
		t.Errorf("%s\n%s", bad.Text(), text)
	}
	windows := `C:\Program Files\datakit\a "b".pem`
	text, _, err = Merge("", read(t, "CONFD_BACKEND", "etcdv3", "CONFD_CLIENT_CERT", windows), parts())
	if err != nil {
		t.Fatal(err)
	}
	if m, _, _ := config.ParseMain(text, nil, parts()); m.Stores[0].Values.String("client_cert") != windows {
		t.Errorf("a path of Windows became %q", m.Stores[0].Values.String("client_cert"))
	}
}
