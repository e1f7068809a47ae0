package docs

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"datakit.dev/internal/testserver"
)

// The README's examples, in its order, with the agent that make run starts.
func TestTheReadme(t *testing.T) {
	t.Parallel()
	testserver.Need(t, "etcdctl", "apt-get install etcd-client")
	etcd, addr := testserver.StartEtcd(t).Endpoint, free(t)
	r := newReader(t, "README.md", "localhost:9529", addr, "127.0.0.1:2379", etcd, "etcd & ", ": ")
	r.env = append(r.env, "ENV_HTTP_LISTEN="+addr, "ETCDCTL_API=3", "ETCDCTL_ENDPOINTS="+etcd)
	datakit, err := exec.LookPath("datakit")
	if err == nil {
		err = os.Mkdir(filepath.Join(r.dir, "bin"), 0o700)
	}
	if err == nil {
		err = os.Symlink(datakit, filepath.Join(r.dir, "bin", "datakit"))
	}
	if err != nil {
		t.Fatal(err)
	}
	if first := r.next(); !strings.HasPrefix(first, "make run ") {
		t.Errorf("it begins with %s", first)
	}
	status := func() string {
		out, _ := r.command("bin/datakit status --dir datakit-dev").CombinedOutput()
		return string(out)
	}
	r.start("bin/datakit run --dev")
	r.see(`(?m)^cpu,cpu=cpu-total,`, r.points.String)

	r.do(r.next())
	r.see(`(?m)^cpu,cpu=cpu0,`, r.points.String)
	r.see(`input/mem +running .*file:/datakit/confd/mem`, status)

	good, bad, _ := strings.Cut(r.next(), "  # live at once")
	r.do(good)
	r.see(`input/net +running .*etcdv3:/datakit/confd/net`, status)
	r.do(": " + strings.TrimPrefix(bad, ","))
	r.see(`/datakit/confd/net +kept .*nett`, status)
	r.see(`input/net +running .*etcdv3:/datakit/confd/net`, status)

	scripts := lines(r.next())
	r.do(scripts[0])
	r.see(`(?m)^cpu,.*busy=`, r.points.String)
	r.do(scripts[1])
	r.see(`metric/cpu.p +confd +kept`, status)
	r.do(scripts[2])
	r.see(`^gone$`, func() string {
		if out := status(); strings.Contains(out, "STORES") && !strings.Contains(out, "SCRIPTS") {
			return "gone"
		}
		return "still there"
	})
}
