//go:build unix

package e2e

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"datakit.dev/internal/spec"
	"datakit.dev/internal/testserver"
)

// shells are those that run install.sh: the smallest one, and the one of the
// plan's example.
var shells = []string{"dash", "bash"}

// each runs a test with every shell that install.sh is to run in.
func each(t *testing.T, test func(t *testing.T, shell string)) {
	for _, shell := range shells {
		t.Run(shell, func(t *testing.T) {
			testserver.Need(t, shell, "apt-get install "+shell)
			test(t, shell)
		})
	}
}

// runScript runs install.sh as people do, from its text, with variables; a service
// is not asked for.
func runScript(t *testing.T, shell string, env ...string) (out string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	text, err := os.ReadFile("../../deploy/install.sh")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(ctx, shell, "-c", string(text))
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "TMPDIR=" + t.TempDir(), "DK_FILES_ONLY=1"}, env...)
	var b bytes.Buffer
	cmd.Stdout, cmd.Stderr = &b, &b
	err = cmd.Run()
	return b.String(), err
}

// nasty is a value with what a shell, a list and TOML take for their own.
const nasty = ` a b'c"d$HOME${HOME}$(id)` + "`id`" + `\e[f],{g}=h;i|j&k<l>m*n?o#p!q~r%s 中 `

func TestValuesSurviveFromTheEnvironmentToTheFile(t *testing.T) {
	r := publish(t, binary)
	each(t, func(t *testing.T, shell string) {
		dir := filepath.Join(t.TempDir(), "in stall")
		env := []string{
			"DK_INSTALLER_BASE_URL=" + r.url, "DK_INSTALL_DIR=" + dir,
			"DK_CONFD_BACKEND=redis", `DK_CONFD_BACKEND_NODES=["127.0.0.1:6379","[::1]:6379"]`,
			"DK_CONFD_PASSWORD=" + nasty, "CONFD_USERNAME=" + nasty, "DK_CONFD_BASIC_AUTH=true", "DK_CONFD_CIRCLE_INTERVAL=7",
			"DK_DATAWAY=https://one.example.com?token=a%20b&c=$d,https://two.example.com", "DK_DEF_INPUTS=cpu, mem",
			"DK_GLOBAL_HOST_TAGS=[\"team=a, b\",\"x.y=c=d\"]", "DK_HTTP_LISTEN=0.0.0.0", "DK_HOSTNAME=web-1",
		}
		out, err := runScript(t, shell, env...)
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		if strings.Contains(out, "a b'c") || strings.Contains(out, "token=") {
			t.Errorf("it prints secrets:\n%s", out)
		}
		path := filepath.Join(dir, "conf.d/datakit.conf")
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		root, bad := spec.Parse(string(text))
		if bad != nil {
			t.Fatal(bad.Text())
		}
		get := func(n *spec.Node, name string) *spec.Node {
			t.Helper()
			k, ok := n.Get(name)
			if !ok {
				t.Fatalf("no %s in\n%s", name, tail(string(text), 900))
			}
			return k.Node
		}
		strs := func(n *spec.Node) (out []string) {
			for i := range n.Items {
				s, _ := n.Items[i].Scalar.(string)
				out = append(out, s)
			}
			return out
		}
		store := &get(root, "confds").Items[0]
		for name, want := range map[string]any{
			"enable": true, "backend": "redis", "password": nasty, "username": nasty, "basic_auth": true, "circle_interval": int64(7),
		} {
			if got := get(store, name).Scalar; got != want {
				t.Errorf("%s = %#v, want %#v", name, got, want)
			}
		}
		for _, c := range []struct {
			node *spec.Node
			want []string
		}{
			{get(store, "nodes"), []string{"127.0.0.1:6379", "[::1]:6379"}},
			{get(get(root, "dataway"), "urls"), []string{"https://one.example.com?token=a%20b&c=$d", "https://two.example.com"}},
			{get(root, "default_enabled_inputs"), []string{"cpu", "mem"}},
		} {
			if got := strs(c.node); !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		}
		tags := get(root, "global_host_tags")
		if get(tags, "team").Scalar != "a, b" || get(tags, "x.y").Scalar != "c=d" || get(get(root, "http_api"), "listen").Scalar != "0.0.0.0:9529" || get(root, "hostname").Scalar != "web-1" {
			t.Errorf("of\n%s", tail(string(text), 900))
		}
		if st, err := os.Stat(path); err != nil || st.Mode().Perm() != 0o640 {
			t.Errorf("mode %v, %v", st.Mode(), err)
		}
		if code, _, errs := datakit(t, "", "check", "--dir", dir); code != 0 {
			t.Errorf("check: %s", errs)
		}

		before := tree(t, dir, ".")
		if out, err := runScript(t, shell, env...); err != nil || tree(t, dir, ".") != before {
			t.Errorf("a second time: %v\n%s\nfrom %s\nto %s", err, out, before, tree(t, dir, "."))
		}
		// Nothing given changes nothing, whatever is there.
		if out, err := runScript(t, shell, env[:2]...); err != nil || tree(t, dir, ".") != before {
			t.Errorf("with no values: %v\n%s", err, out)
		}
	})
}

func TestNodesAreTakenInEverySpelling(t *testing.T) {
	r := publish(t, binary)
	for _, nodes := range []string{"[127.0.0.1:1,b:2]", `["127.0.0.1:1","b:2"]`, "127.0.0.1:1,b:2", " [ 127.0.0.1:1 , 'b:2' ] "} {
		dir := t.TempDir()
		out, err := runScript(t, "sh", "DK_INSTALLER_BASE_URL="+r.url, "DK_INSTALL_DIR="+dir, "DK_CONFD_BACKEND=etcdv3", "DK_CONFD_BACKEND_NODES="+nodes)
		text, _ := os.ReadFile(dir + "/conf.d/datakit.conf")
		if err != nil || !strings.Contains(string(text), `nodes = ["127.0.0.1:1", "b:2"]`) {
			t.Errorf("%s: %v\n%s", nodes, err, out)
		}
	}
}

func TestWhatIsNotTheReleaseIsRefused(t *testing.T) {
	r := publish(t, binary)
	good, err := os.ReadFile(filepath.Join(r.dir, "SHA256SUMS"))
	if err != nil {
		t.Fatal(err)
	}
	key, sign := signer(t)
	otherKey, _ := signer(t)
	signature := sign(good)
	for _, c := range []struct {
		name, says string
		breaks     func(t *testing.T)
		env        []string
	}{
		{"another archive", "is not what SHA256SUMS says", func(t *testing.T) { r.sums(t, "x") }, nil},
		{"an archive that is not named", "SHA256SUMS does not name", func(t *testing.T) { r.write(t, "SHA256SUMS", "") }, nil},
		{"no checksums", "SHA256SUMS could not be fetched", func(t *testing.T) {
			if err := os.Remove(filepath.Join(r.dir, "SHA256SUMS")); err != nil {
				t.Fatal(err)
			}
		}, nil},
		{"no signature", "SHA256SUMS.sig could not be fetched", func(*testing.T) {}, []string{"DK_PUBLIC_KEY=" + key}},
		{"another key", "not signed with the key", func(t *testing.T) { r.write(t, "SHA256SUMS.sig", signature) }, []string{"DK_PUBLIC_KEY=" + otherKey}},
		{"another text", "not signed with the key", func(t *testing.T) {
			r.write(t, "SHA256SUMS", string(good)+"\n")
			r.write(t, "SHA256SUMS.sig", signature)
		}, []string{"DK_PUBLIC_KEY=" + key}},
		{"no key at all", "not signed with the key", func(t *testing.T) { r.write(t, "SHA256SUMS.sig", signature) }, []string{"DK_PUBLIC_KEY=x"}},
		{"no server", "could not be fetched", func(*testing.T) {}, []string{"DK_INSTALLER_BASE_URL=http://" + freeAddress(t)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.breaks(t)
			t.Cleanup(func() {
				_ = os.Remove(filepath.Join(r.dir, "SHA256SUMS.sig"))
				r.write(t, "SHA256SUMS", string(good))
			})
			dir := filepath.Join(t.TempDir(), "datakit")
			out, err := runScript(t, "sh", append([]string{"DK_INSTALLER_BASE_URL=" + r.url, "DK_INSTALL_DIR=" + dir}, c.env...)...)
			if err == nil || !strings.Contains(out, c.says) {
				t.Errorf("%v\n%s", err, out)
			}
			if _, err := os.Stat(dir); err == nil {
				t.Error("something was installed")
			}
		})
	}
	r.write(t, "SHA256SUMS.sig", signature)
	if out, err := runScript(t, "sh", "DK_INSTALLER_BASE_URL="+r.url, "DK_INSTALL_DIR="+t.TempDir(), "DK_PUBLIC_KEY="+key); err != nil {
		t.Errorf("the right signature: %v\n%s", err, out)
	}
}

// signer returns a public key, and what signs with its other half.
func signer(t *testing.T) (key string, sign func(text []byte) string) {
	t.Helper()
	testserver.Need(t, "ssh-keygen", "apt-get install openssh-client")
	path := filepath.Join(t.TempDir(), "key")
	if out, err := exec.CommandContext(t.Context(), "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", path).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	public, err := os.ReadFile(path + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(public)), func(text []byte) string {
		cmd := exec.CommandContext(t.Context(), "ssh-keygen", "-q", "-Y", "sign", "-f", path, "-n", "datakit")
		cmd.Stdin = bytes.NewReader(text)
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
}

// Whoever may run ps sees the arguments of every command: none holds a value.
func TestNoSecretIsOnACommandLine(t *testing.T) {
	r := publish(t, binary)
	for _, fetcher := range []string{"curl", "wget"} {
		t.Run(fetcher, func(t *testing.T) {
			bin, log := tracedTools(t, fetcher)
			dir := t.TempDir()
			user := strings.Replace(r.url, "://", "://user:hush-url@", 1)
			out, err := runScript(t, "sh", "PATH="+bin, "DK_INSTALLER_BASE_URL="+user, "DK_INSTALL_DIR="+dir,
				"DK_CONFD_BACKEND=etcdv3", "DK_CONFD_PASSWORD=hush-password", "DK_DATAWAY=https://x.example.com?token=hush-token")
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			lines, err := os.ReadFile(log)
			if err != nil || !strings.Contains(string(lines), fetcher+" ") || !strings.Contains(string(lines), "tar ") {
				t.Fatalf("what ran was not seen: %v\n%s", err, lines)
			}
			if strings.Contains(string(lines)+out, "hush") {
				t.Errorf("a secret shows:\n%s\n%s", lines, out)
			}
		})
	}
}

// tracedTools makes a folder of the programs that install.sh uses, with one to
// fetch, each of which writes its arguments to a file before it runs.
func tracedTools(t *testing.T, fetcher string) (bin, log string) {
	t.Helper()
	bin, log = t.TempDir(), filepath.Join(t.TempDir(), "log")
	for _, name := range []string{fetcher, "sh", "uname", "sed", "sha256sum", "cut", "awk", "mktemp", "tar", "gzip", "chmod", "rm", "id"} {
		testserver.Need(t, name, "apt-get install "+name)
		path, err := exec.LookPath(name)
		if err != nil {
			t.Fatal(err)
		}
		text := "#!/bin/sh\nprintf '%s\\n' \"" + name + " $*\" >>" + log + "\nexec " + path + " \"$@\"\n"
		if name == "sh" {
			text = "#!/bin/sh\nexec " + path + " \"$@\"\n"
		}
		if err := os.WriteFile(filepath.Join(bin, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return bin, log
}

func TestScriptUpgradesTheProgramOnly(t *testing.T) {
	r := publish(t, binary)
	dir := t.TempDir()
	env := []string{"DK_INSTALLER_BASE_URL=" + r.url, "DK_INSTALL_DIR=" + dir, "DK_CONFD_BACKEND=etcdv3"}
	if out, err := runScript(t, "sh", append(env, "DK_UPGRADE=1")...); err == nil || !strings.Contains(out, "no agent is installed there") {
		t.Errorf("an upgrade of nothing: %v\n%s", err, out)
	}
	if out, err := runScript(t, "sh", env...); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	conf := tree(t, dir, "conf.d")
	next := versioned(t, "9.9.9")
	r.put(t, next)
	if out, err := runScript(t, "sh", append(env, "DK_UPGRADE=1", "DK_CONFD_PASSWORD=x")...); err != nil || !strings.Contains(out, "9.9.9") {
		t.Fatalf("%v\n%s", err, out)
	}
	out, err := exec.CommandContext(t.Context(), filepath.Join(dir, "datakit"), "version").Output()
	if err != nil || !strings.Contains(string(out), "9.9.9") || tree(t, dir, "conf.d") != conf {
		t.Errorf("%v %s", err, out)
	}
	broken := filepath.Join(t.TempDir(), "datakit")
	if err := os.WriteFile(broken, []byte("no program\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	r.put(t, broken)
	if out, err := runScript(t, "sh", append(env, "DK_UPGRADE=1")...); err == nil {
		t.Errorf("a program that does not run was taken:\n%s", out)
	}
	if same, err := os.ReadFile(filepath.Join(dir, "datakit")); err != nil || !bytes.Equal(same, must(os.ReadFile(next))) {
		t.Errorf("the program was touched: %v", err)
	}
}

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}

// Wrong use is told from what failed, and each error is one line.
func TestExitCodesOfTheInstaller(t *testing.T) {
	broken := t.TempDir()
	if err := os.MkdirAll(broken+"/conf.d", 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(broken+"/conf.d/datakit.conf", []byte("[x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		code int
		says string
		args []string
	}{
		{2, "unknown flag", []string{"install", "--nope"}},
		{2, "unknown command", []string{"install", "now"}},
		{1, "a directory of its own", []string{"install", "--files-only", "--dir", "/etc"}},
		{1, "no backend \"oracle\"", []string{"install", "--files-only", "--dir", t.TempDir(), "--confd-backend", "oracle"}},
		{1, "--confd-basic-auth: expected true or false", []string{"install", "--files-only", "--dir", t.TempDir(), "--confd-backend=etcdv3", "--confd-basic-auth=perhaps"}},
		{1, "correct them first", []string{"install", "--files-only", "--dir", broken}},
		{1, "no agent is installed there", []string{"upgrade", "--files-only", "--dir", t.TempDir()}},
		{1, "no agent is installed there", []string{"uninstall", "--files-only", "--dir", t.TempDir()}},
		{0, "", []string{"install", "--files-only", "--dir", t.TempDir(), "--confd-backend", "etcdv3", "--confd-backend-nodes", "[127.0.0.1:2379]", "--confd-basic-auth"}},
	} {
		code, _, errs := datakit(t, "", c.args...)
		if code != c.code || !strings.Contains(errs, c.says) || strings.Count(errs, "\n") > 1 {
			t.Errorf("%v: exit code %d, want %d: %s", c.args, code, c.code, errs)
		}
	}
}
