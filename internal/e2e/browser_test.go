package e2e

import (
	"errors"
	"flag"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"datakit.dev/internal/status"
	"datakit.dev/internal/testserver"
)

// update writes the pictures of the manuals.
var update = flag.Bool("update", false, "write docs/images/console")

// acts are what a scenario has its test do, by name.
type acts = map[string]func(args ...string) string

// browse runs a scenario of web/e2e against the agent.
func (a *agent) browse(scenario string, more acts, env ...string) {
	a.t.Helper()
	if _, page, err := a.get("/"); err != nil || !strings.Contains(page, `type="module"`) {
		testserver.Missing(a.t, "the console in the agent", "make console")
	}
	all := acts{
		// restart ends the agent and starts it again.
		"restart": func(...string) string {
			a.signal(terminate)
			a.start()
			return ""
		},
		// stop ends it alone.
		"stop":  func(...string) string { a.signal(terminate); return "" },
		"start": func(...string) string { a.start(); return "" },
		// write puts a file into the work directory, remove takes it away.
		"write": func(args ...string) string { a.write(args[0], args[1]); return "" },
		"remove": func(args ...string) string {
			if err := os.Remove(filepath.Join(a.dir, filepath.FromSlash(args[0]))); err != nil && !errors.Is(err, fs.ErrNotExist) {
				a.t.Error(err)
			}
			return ""
		},
		// datakit runs a command of the agent, and returns what it prints.
		"datakit": func(args ...string) string {
			code, out, errs := datakit(a.t, "", append(args, "--dir", a.dir)...)
			if code != 0 {
				a.t.Errorf("datakit %s: %d %s", strings.Join(args, " "), code, errs)
			}
			return strings.TrimSpace(out)
		},
	}
	maps.Copy(all, more)
	testserver.RunScenario(a.t, testserver.Scenario{Name: scenario, URL: "http://" + a.addr, Acts: all, Env: env})
}

// etcdctl is the act that runs etcd's own command line.
func etcdctl(t *testing.T, e *testserver.Etcd) func(args ...string) string {
	return func(args ...string) string {
		tool(t, "etcdctl", append([]string{"--endpoints", e.Endpoint}, args...)...)
		return ""
	}
}

// consulctl is the act that runs Consul's.
func consulctl(t *testing.T, c *testserver.Consul) func(args ...string) string {
	return func(args ...string) string { return c.CLI(t, args...) }
}

// writable lets the console change keys.
const writable = "[console]\n  write = true\n"

// The plan's first step in the browser: a key is edited in the page and with
// etcdctl, and each time the unit and the timeline show it without a reload.
func TestAKeyIsEditedInTheBrowser(t *testing.T) {
	t.Parallel()
	e := testserver.StartEtcd(t)
	e.Put(t, "/datakit/confd/mem", "[[inputs.mem]]\n  interval = \"1s\"\n")
	a := newAgent(t, writable+follow(e, "")).start()
	a.until("mem runs", running("mem"))
	a.browse("edit", acts{"etcdctl": etcdctl(t, e)})
	a.until("mem is gone", gone("mem"))
}

// The plan's query, asked in the browser: one instance of nvidia_smi comes from
// etcd, one from Consul, and both answer.
func TestBothInstancesAnswerInTheBrowser(t *testing.T) {
	t.Parallel()
	e, c, program := testserver.StartEtcd(t), testserver.StartConsul(t), card(t)
	a := newAgent(t, atOnce(place{backend: "etcdv3", values: nodes(e.Endpoint)}, place{backend: "consul", values: nodes(c.Endpoint)})).start()
	e.Put(t, "/datakit/confd/nvidia_smi", nvidia(program, "one"))
	c.Put(t, "datakit/confd/nvidia_smi", nvidia(program, "two"))
	c.Put(t, "datakit/pipeline/metric/nvidia_smi.p", "add_key(tconsul, 1)")
	a.until("both run", func(s status.Status) bool { return len(units(s, "nvidia_smi")) == 2 && s.Converged })
	a.browse("query", acts{"etcdctl": etcdctl(t, e), "consul": consulctl(t, c)}, "DATAKIT_QUERY="+planned)
}

// The plan's scripts in the browser: that of the disk and that of etcd take turns.
func TestScriptsTakeTurnsInTheBrowser(t *testing.T) {
	t.Parallel()
	e := testserver.StartEtcd(t)
	a := newAgent(t, writable+follow(e, ""))
	a.write("conf.d/disk.conf", "[[inputs.disk]]\n  interval = \"500ms\"\n")
	a.write("pipeline/metric/disk.p", "add_key(tconfd, 4)\n")
	a.start()
	a.until("disk runs", running("disk"))
	a.browse("scripts", acts{"etcdctl": etcdctl(t, e)})
}

// Who has the token logs in with it, and out again; who guesses is slowed down.
func TestLogInWithTheBrowser(t *testing.T) {
	t.Parallel()
	a := newAgent(t, "default_enabled_inputs = [\"mem\"]\n").start()
	a.until("mem runs", running("mem"))
	a.browse("login", nil)
}

// What others do to the agent meanwhile: the page connects again by itself when it
// has been restarted.
func TestThePageFollowsARestartedAgent(t *testing.T) {
	t.Parallel()
	a := newAgent(t, "default_enabled_inputs = [\"mem\"]\n").start()
	a.until("mem runs", running("mem"))
	a.browse("reconnect", nil)
}

// furnished is an agent with something on every page, always the same.
func furnished(t *testing.T) (*agent, acts) {
	t.Helper()
	e, program := testserver.StartEtcd(t), card(t)
	e.Put(t, "/datakit/confd/mem", "[[inputs.mem]]\n  interval = \"1s\"\n")
	e.Put(t, "/datakit/confd/cpu", "[[inputs.cpu]]\n  interval = \"500ms\"\n") // for charts to have a course
	e.Put(t, "/datakit/confd/nvidia_smi", nvidia(program, "one"))
	e.Put(t, "/datakit/confd/broken", "[[inputs.mem]]\n  intervall = \"1s\"\n")
	e.Put(t, "/datakit/pipeline/metric/nvidia_smi.p", "add_key(tconsul, 1)\n")
	a := newAgent(t, "default_enabled_inputs = [\"cpu\", \"swap\"]\n"+writable+follow(e, ""))
	a.write("pipeline/metric/disk.p", "add_key(tconfd, 4)\n")
	a.start("ENV_HOSTNAME=web-1")
	a.until("all runs", func(s status.Status) bool { return running("mem")(s) && running("nvidia_smi")(s) && running("cpu")(s) })
	e.Put(t, "/datakit/confd/mem", "[[inputs.mem]]\n  interval = \"2s\"\n")
	a.until("mem is changed", func(s status.Status) bool { return unit(s, "mem").Updates+unit(s, "mem").Starts > 1 })
	return a, acts{"etcdctl": etcdctl(t, e)}
}

// Every page can be walked through with the keyboard alone, read by a screen
// reader, used on a telephone, and read in Chinese.
func TestEveryPageIsForEverybody(t *testing.T) {
	t.Parallel()
	a, more := furnished(t)
	for _, scenario := range []string{"keyboard", "accessible", "narrow", "chinese"} {
		t.Run(scenario, func(t *testing.T) {
			a.t = t
			a.browse(scenario, more)
		})
	}
}

// The pictures of the manuals: run with -update, it writes them.
func TestPicturesOfEveryPage(t *testing.T) {
	if !*update {
		t.Skip("pictures are written with -update")
	}
	a, more := furnished(t)
	dir, err := filepath.Abs("../../docs/images/console")
	if err != nil {
		t.Fatal(err)
	}
	a.browse("pictures", more, "DATAKIT_PICTURES="+dir)
	list, err := filepath.Glob(filepath.Join(dir, "*.png"))
	if err != nil || len(list) == 0 {
		t.Fatalf("no pictures in %s: %v", dir, err)
	}
	for _, path := range list {
		if err := shrink(path); err != nil {
			t.Error(err)
		}
	}
}
