package main

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// A container is the agent in the root of the image, as the config says that it
// is run, and with nothing of this machine around it.
type container struct {
	t      *testing.T
	root   string
	addr   string
	output *bytes.Buffer
}

// startContainer runs the image with env, until the test ends.
func startContainer(t *testing.T, config v1.ConfigFile, layer []byte, env ...string) *container {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root may change the root folder")
	}
	c := &container{t: t, root: t.TempDir(), addr: freeAddr(t), output: new(bytes.Buffer)}
	unpackRoot(t, c.root, layer)
	args := append(append([]string{}, config.Config.Entrypoint...), config.Config.Cmd...)
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), args[0], args[1:]...) // it ends by a signal, as a container does
	cmd.Dir = config.Config.WorkingDir
	cmd.Env = append(append(append([]string{}, config.Config.Env...), "ENV_HTTP_LISTEN="+c.addr), env...)
	cmd.Stdout, cmd.Stderr = c.output, c.output
	cmd.SysProcAttr = confined(c.root, nobody)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // an error says that it has ended already
		kill := time.AfterFunc(20*time.Second, func() { _ = cmd.Process.Kill() })
		defer kill.Stop()
		if err := cmd.Wait(); err != nil {
			t.Errorf("the agent did not end well: %v", err)
		}
		if t.Failed() {
			t.Logf("it wrote\n%s", c.output)
		}
	})
	return c
}

// unpackRoot unpacks a layer with its owners and modes.
func unpackRoot(t *testing.T, root string, layer []byte) {
	t.Helper()
	headers, bodies := untar(t, bytes.NewReader(layer))
	for _, h := range headers {
		path := filepath.Join(root, h.Name)
		var err error
		if h.Typeflag == tar.TypeDir {
			err = os.Mkdir(path, 0o700)
		} else {
			err = os.WriteFile(path, bodies[h.Name], 0o600)
		}
		if err == nil {
			err = os.Chown(path, h.Uid, h.Gid)
		}
		if err == nil {
			err = os.Chmod(path, h.FileInfo().Mode())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(root, 0o755); err != nil {
		t.Fatal(err)
	}
}

// get returns what the agent answers; "" where it does not.
func (c *container) get(path string) string {
	req, err := http.NewRequestWithContext(c.t.Context(), http.MethodGet, "http://"+c.addr+path, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return ""
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		return ""
	}
	return string(body)
}

func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// until asks again and again, for half a minute at most.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	limit := time.NewTimer(30 * time.Second)
	defer limit.Stop()
	for !ok() {
		select {
		case <-again.C:
		case <-limit.C:
			t.Fatalf("%s: not within half a minute", what)
		}
	}
}

// In the root of the image there is no datakit.conf, no shell and no other
// library: the agent serves by what its environment says, and as nobody.
func TestImageRuns(t *testing.T) {
	onLinux(t)
	configs, layers := openImage(t, built(t)).images()
	c := startContainer(t, configs[0], layers[0], "ENV_HOSTNAME=pod-1")
	var ping struct {
		Content struct{ Version, Host string }
	}
	until(t, "ping", func() bool { return json.Unmarshal([]byte(c.get("/v1/ping")), &ping) == nil })
	if ping.Content.Version != testVersion || ping.Content.Host != "pod-1" {
		t.Errorf("it answers %+v", ping)
	}
}

// The way of a pod: the store is named by the environment alone, and what an
// operator puts there is live, and backed up where a volume keeps it.
func TestImageFollowsEtcd(t *testing.T) {
	onLinux(t)
	store := startEtcd(t)
	store("put", "/datakit/confd/mem", "[[inputs.mem]]\n  interval = \"1s\"\n")
	configs, layers := openImage(t, built(t)).images()
	c := startContainer(t, configs[0], layers[0], "ENV_CONFD_BACKEND=etcdv3", fmt.Sprintf(`ENV_CONFD_BACKEND_NODES=["%s"]`, store("addr")))
	until(t, "the key that is there at the start", func() bool {
		return strings.Contains(c.get("/v1/status"), `"etcdv3:/datakit/confd/mem"`)
	})
	store("put", "/datakit/confd/swap", "[[inputs.swap]]\n")
	until(t, "a key that comes later", func() bool {
		return strings.Contains(c.get("/v1/status"), `"etcdv3:/datakit/confd/swap"`)
	})
	backup := filepath.Join(c.root, workDir, "data", "remote.conf")
	until(t, "the backup", func() bool {
		text, err := os.ReadFile(backup)
		return err == nil && strings.Contains(string(text), "[[inputs.swap]]")
	})
	if info, err := os.Stat(backup); err != nil || info.Mode().Perm() != 0o600 || ownerOf(info) != nobody {
		t.Errorf("the backup is %v (%v)", info, err)
	}
}

// startEtcd runs a real etcd until the test ends, and returns etcdctl for it;
// "addr" returns its address.
func startEtcd(t *testing.T) func(args ...string) string {
	t.Helper()
	for _, tool := range []string{"etcd", "etcdctl"} {
		if _, err := exec.LookPath(tool); err != nil {
			if os.Getenv("CI") != "" {
				t.Fatalf("no %s here", tool)
			}
			t.Skipf("no %s here: `make deps` installs it", tool)
		}
	}
	addr, peer := freeAddr(t), freeAddr(t)
	cmd := exec.CommandContext(t.Context(), "etcd", "--data-dir", t.TempDir(), "--log-level", "error",
		"--listen-client-urls", "http://"+addr, "--advertise-client-urls", "http://"+addr,
		"--listen-peer-urls", "http://"+peer, "--initial-advertise-peer-urls", "http://"+peer, "--initial-cluster", "default=http://"+peer)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	ctl := func(args ...string) *exec.Cmd {
		c := exec.CommandContext(t.Context(), "etcdctl", append([]string{"--endpoints", addr}, args...)...)
		c.Env = append(os.Environ(), "ETCDCTL_API=3")
		return c
	}
	until(t, "etcd", func() bool { return ctl("endpoint", "health").Run() == nil })
	return func(args ...string) string {
		if args[0] == "addr" {
			return addr
		}
		out, err := ctl(args...).CombinedOutput()
		if err != nil {
			t.Fatalf("etcdctl %v: %v\n%s", args, err, out)
		}
		return string(out)
	}
}
