package e2e

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"datakit.dev/internal/status"
	"datakit.dev/internal/testserver"
)

// container starts an agent as a container does: with an empty work directory, no
// datakit.conf, and these variables only.
func container(t *testing.T, env ...string) *agent {
	t.Helper()
	a := &agent{t: t, dir: filepath.Join(t.TempDir(), "work"), addr: freeAddress(t)}
	return a.startIn(append(env, "ENV_HTTP_LISTEN="+a.addr, "ENV_LOG=stdout"))
}

func TestContainerFollowsItsStore(t *testing.T) {
	e := testserver.StartEtcd(t)
	a := container(t, "ENV_CONFD_BACKEND=etcdv3", "ENV_CONFD_BACKEND_NODES=["+fmt.Sprintf("%q", e.Endpoint)+"]", "ENV_CONFD_PREFIX=/web",
		"ENV_HOSTNAME=node-7", "ENV_DEFAULT_ENABLED_INPUTS=mem")
	a.until("the default input runs", running("mem"))
	if _, err := os.Stat(filepath.Join(a.dir, "conf.d", "datakit.conf")); !os.IsNotExist(err) {
		t.Errorf("there is a datakit.conf: %v", err)
	}
	e.Put(t, "/datakit/confd/swap", "[[inputs.swap]]\n") // of another root
	e.Put(t, "/web/confd/cpu", fmt.Sprintf(cpuTagged, "one"))
	s := a.until("the key is applied", func(s status.Status) bool {
		return key(s, "/web/confd/cpu").State == status.Applied && running("cpu")(s)
	})
	if s.Hostname != "node-7" || len(s.Units) != 2 || len(s.Stores) != 1 || s.Stores[0].Nodes[0] != e.Endpoint {
		t.Errorf("status %+v", s)
	}
	e.Put(t, "/web/confd/cpu", fmt.Sprintf(cpuTagged, "two"))
	a.until("the change is applied", func(s status.Status) bool { return unit(s, "cpu").Updates > 0 })
	if !strings.Contains(a.read("data/remote.conf"), `v = "two"`) {
		t.Errorf("backup:\n%s", a.read("data/remote.conf"))
	}
	e.Delete(t, "/web/confd/cpu")
	a.until("cpu is gone", gone("cpu"))
}

// A second start finds the backup that the first one left in the volume.
func TestContainerComesBackWithoutItsStore(t *testing.T) {
	e := testserver.StartEtcd(t)
	a := container(t, "ENV_CONFD_BACKEND=etcdv3", "ENV_CONFD_BACKEND_NODES="+e.Endpoint, "ENV_DEFAULT_ENABLED_INPUTS=-cpu")
	e.Put(t, "/datakit/confd/mem", "[[inputs.mem]]\n")
	a.until("mem runs", func(s status.Status) bool { return running("mem")(s) && s.Converged })
	a.signal(terminate)
	e.Stop(t)
	a.startIn(a.cmd.Env)
	a.until("mem runs without the store", func(s status.Status) bool { return running("mem")(s) && !s.Converged })
}

// In a cluster no variable is needed but the name of the backend; here the
// address and the token stand for what a pod finds in its files.
func TestConfigMapChangesOneCollectorLive(t *testing.T) {
	k := testserver.StartKubernetes(t)
	k.Namespace(t, "datakit")
	token := k.Grant(t, "datakit", "agent", testserver.Object{"apiGroups": []string{""}, "resources": []string{"configmaps"}, "verbs": []string{"list", "watch"}})
	a := container(t, "ENV_CONFD_BACKEND=kubernetes", "ENV_CONFD_BACKEND_NODES="+k.Endpoint, "ENV_CONFD_AUTH_TOKEN="+token,
		"ENV_CONFD_CLIENT_CA_KEYS="+k.CA.File, "ENV_CONFD_CONFD_NAMESPACE=datakit", "ENV_CONFD_TABLE=configmaps", "ENV_DEFAULT_ENABLED_INPUTS=mem")
	mem := unit(a.until("mem runs", running("mem")), "mem")
	k.Kubectl(t, fmt.Sprintf(cpuTagged, "one"), "-n", "datakit", "create", "configmap", "web", "--from-file=cpu.conf=/dev/stdin")
	k.Kubectl(t, "", "-n", "datakit", "label", "configmap", "web", "datakit.dev/config=true")
	a.until("cpu runs", func(s status.Status) bool {
		return key(s, "/datakit/confd/cpu.conf").State == status.Applied && running("cpu")(s)
	})
	k.ConfigMap(t, "datakit", "scripts", map[string]string{"datakit.dev/config": "true"}, map[string]string{"datakit.dev/path": "pipeline/metric"},
		map[string]string{"cpu.p": "add_key(team, \"web\")\n"})
	a.until("the script is active", func(s status.Status) bool { return len(s.Scripts) == 1 && s.Scripts[0].State == "active" })
	k.Kubectl(t, "", "-n", "datakit", "delete", "configmap", "web")
	s := a.until("cpu is gone", gone("cpu"))
	if u := unit(s, "mem"); u.Starts != 1 || u.Since != mem.Since {
		t.Errorf("mem was touched: %+v", u)
	}
	if text := a.log.String(); strings.Contains(text, token) || strings.Contains(text, base64.StdEncoding.EncodeToString([]byte(token))) {
		t.Error("the token is in the log")
	}
}
