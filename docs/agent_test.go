package docs

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"datakit.dev/internal/config"
	"datakit.dev/internal/testserver"
)

// A desk is a machine with an agent that follows etcd and Redis, and a `datakit` for
// which its work directory is the one of the system.
type desk struct {
	t     *testing.T
	etcd  *testserver.Etcd
	redis *testserver.Redis
	addr  string // of the agent
	work  string
	bin   string
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	for program, from := range map[string]string{"etcdctl": "etcd-client", "jq": "jq", "script": "bsdutils"} {
		testserver.Need(t, program, "apt-get install "+from)
	}
	d := &desk{t: t, etcd: testserver.StartEtcd(t), redis: testserver.StartRedis(t), addr: free(t), work: filepath.Join(t.TempDir(), "datakit"), bin: t.TempDir()}
	// Its agents end before the folder goes.
	program(t, d.bin, d.work)
	return d
}

// program makes a `datakit` whose default work directory is another one.
func program(t *testing.T, bin, work string) {
	t.Helper()
	datakit, err := exec.LookPath("datakit")
	if err != nil {
		t.Fatal(err)
	}
	script := fmt.Sprintf("#!/bin/sh\n"+
		"case \" $1 $* \" in *\" --dir\"* | *\" --help \"*) ;;\n"+
		"*\" status \"* | *\" confd \"* | *\" check \"* | *\" console \"* | *\" monitor \"* | *\" run \"* | *\" dql \"* | *\" uninstall \"*) set -- \"$@\" --dir %q ;;\n"+
		"esac\nexec %q \"$@\"\n", work, datakit)
	if err := os.WriteFile(filepath.Join(bin, "datakit"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
}

// open opens a page at this desk.
func (d *desk) open(t *testing.T, page string) *reader {
	t.Helper()
	r := newReader(t, page, "localhost:9529", d.addr, "127.0.0.1:2379", d.etcd.Endpoint, "10.0.0.7:9529", d.addr, "/usr/local/datakit", d.work)
	return d.seat(r)
}

func (d *desk) seat(r *reader) *reader {
	r.env = append(r.env, "PATH="+d.bin+string(filepath.ListSeparator)+os.Getenv("PATH"), "ETCDCTL_API=3", "ETCDCTL_ENDPOINTS="+d.etcd.Endpoint, "TERM=xterm")
	nginx := `10.0.0.7 - - [24/Mar/2024:13:00:00 +0800] "GET /api HTTP/1.1" 502 12`
	r.has(
		"mem.conf", "[[inputs.mem]]\n  interval = \"5s\"\n", "cpu.conf", "[[inputs.cpu]]\n", "access.log", nginx+"\n",
		"nginx.p", ofLang(r.t, "docs/pipeline.md", "python")[0].text, "disk.p", ofLang(r.t, "docs/moving-from-telegraf.md", "python")[0].text,
	)
	return r
}

// Every command of the pages for who has an agent running, in the order of each.
func TestThePagesAboutARunningAgent(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for _, page := range []struct {
		name string
		read func(*desk, *reader)
	}{
		{"docs/confd.md", readConfd},
		{"docs/console.md", readConsole},
		{"docs/dql.md", readDQL},
		{"docs/monitor.md", readMonitor},
		{"docs/moving-from-datakit.md", nil},
		{"docs/moving-from-telegraf.md", nil},
		{"docs/pipeline.md", readPipeline},
		{"docs/status.md", readStatus},
		{"docs/stores/env.md", readEnv},
		{"docs/troubleshooting.md", nil},
	} {
		if page.name == "docs/confd.md" {
			d.start()
		}
		t.Run(strings.TrimSuffix(filepath.Base(page.name), ".md"), func(t *testing.T) {
			r := d.open(t, page.name)
			if page.read == nil {
				r.rest()
				return
			}
			page.read(d, r)
		})
	}
}

// start starts the agent, with both stores and keys for the examples to find.
func (d *desk) start() {
	d.t.Helper()
	r := d.seat(&reader{t: d.t, dir: d.t.TempDir(), page: "the agent", env: os.Environ(), swap: strings.NewReplacer(), points: &output{}})
	conf := fmt.Sprintf("[confd]\n  debounce = \"100ms\"\n[console]\n  write = true\n[http_api]\n  listen = %q\n[io]\n  output_file = %q\n"+
		"[[confds]]\n  backend = \"etcdv3\"\n  nodes = [%q]\n[[confds]]\n  backend = \"redis\"\n  nodes = [%q]\n",
		d.addr, filepath.Join(d.work, "points.lp"), d.etcd.Endpoint, d.redis.Host()+":"+d.redis.Port())
	path := filepath.Join(d.work, "conf.d", "datakit.conf")
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		d.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(conf), 0o600); err != nil {
		d.t.Fatal(err)
	}
	d.redis.Put(d.t, "/datakit/confd/swap", "[[inputs.swap]]\n")
	r.start("datakit run --dir " + d.work)
	r.see(`(?m)^converged`, func() string {
		out, _ := r.command("datakit status").CombinedOutput()
		return string(out)
	})
}

// environ returns what the shell has set after an example.
func (r *reader) environ(example string) map[string]string {
	r.t.Helper()
	env := map[string]string{}
	for pair := range strings.SplitSeq(r.do("set -a\n"+example+"\nenv -0"), "\x00") {
		if k, v, _ := strings.Cut(pair, "="); strings.HasPrefix(k, "ENV_") {
			env[k] = v
		}
	}
	return env
}

func readConfd(d *desk, r *reader) {
	r.swap = strings.NewReplacer("/etc/datakit", filepath.Join(r.dir, "etc"))
	r.do(r.next())
	if text, err := os.ReadFile(filepath.Join(r.dir, "etc/store/confd/mem.conf")); err != nil || len(check(parts(r.t), string(text))) > 0 {
		r.t.Errorf("%s: %v", text, err)
	}
	r.swap = strings.NewReplacer("localhost:9529", d.addr)
	r.do(r.next())
	shows(r.t, r.do(r.next()), "/datakit/confd/mem", "/datakit/confd/swap")
	r.see(`input/mem .* etcdv3:/datakit/confd/mem`, func() string { return r.do("datakit status") })

	m, bad, warnings := config.ParseMain("", r.environ(r.next()), parts(r.t))
	if len(bad)+len(warnings) > 0 || len(m.Stores) != 1 || len(m.Stores[0].Nodes) != 2 || m.Stores[0].Values.String("password") != "change me" {
		r.t.Errorf("%v %v: %+v", bad, warnings, m.Stores)
	}
	r.do(r.next())

	// Two more servers, as far away as a test can have them.
	ca := testserver.NewCA(r.t)
	secure, other := testserver.StartEtcd(r.t, testserver.WithEtcdTLS(ca, false)), testserver.StartEtcd(r.t)
	pem, err := os.ReadFile(ca.File)
	if err != nil {
		r.t.Fatal(err)
	}
	r.has("pw.txt", "root\n", "ca.pem", string(pem))
	for _, e := range []*testserver.Etcd{secure, other} {
		e.Put(r.t, "/team/confd/cpu", "[[inputs.cpu]]\n")
		e.EnableAuth(r.t, "agent", "pw", "/team/")
	}
	r.swap = strings.NewReplacer("10.0.0.5:2379", secure.Endpoint)
	shows(r.t, r.do(r.next()), "/team/confd/cpu")
	r.swap = strings.NewReplacer("10.0.0.5:2379", other.Endpoint)
	r.do(r.next())
	shows(r.t, r.ls("--backend etcdv3 --username root --password-file pw.txt --node "+other.Endpoint), "/datakit/confd/swap")
	if text, err := os.ReadFile(filepath.Join(r.dir, "tree/confd/mem")); err != nil || !strings.Contains(string(text), "[[inputs.mem]]") {
		r.t.Errorf("%s: %v", text, err)
	}
	// A password is asked for at a terminal; here the shell hands it over.
	r.swap = strings.NewReplacer("user add datakit ", "user add datakit --interactive=false <<< pw ")
	shows(r.t, r.do(r.next()), "Role datakit-read updated", "User datakit created", "Role datakit-read is granted to user datakit")
	d.redis.Delete(r.t, "/datakit/confd/swap")
	r.do("etcdctl user add ops --interactive=false <<< pw")
	shows(r.t, r.do(r.next()), "Role datakit-write is granted to user ops")
}

func readConsole(d *desk, r *reader) {
	token := regexp.MustCompile(`\S{40,}`)
	shows(r.t, r.do(r.next()), "this is shown once")
	r.do(r.next())
	made := token.FindString(r.do("datakit console token"))
	r.swap = strings.NewReplacer("localhost:9529", d.addr, `"…"`, `"`+made+`"`)
	r.do(r.next())
	if jar, err := os.ReadFile(filepath.Join(r.dir, "jar")); err != nil || !strings.Contains(string(jar), "#HttpOnly_") {
		r.t.Errorf("no cookie: %s %v", jar, err)
	}
	r.do("datakit console token --revoke")
	etag := regexp.MustCompile(`(?i)etag: ("[^"]+")`).FindStringSubmatch(r.do("curl -si localhost:9529/v1/keys/etcdv3/confd/mem"))
	r.swap = strings.NewReplacer("localhost:9529", d.addr, `"42"`, etag[1])
	shows(r.t, r.do(r.next()), `"revision"`)
	trial := r.next()
	r.see(`"seen":true`, func() string { return r.do(trial) })
	changes := r.next()
	r.see(`"complete":true`, func() string { return r.do(changes) })
	r.stays(strings.TrimSpace(r.next()), `event: hello`)
}

func readDQL(_ *desk, r *reader) {
	r.see(`usage_total`, func() string { return r.do("datakit dql 'M::cpu:(usage_total) LIMIT 5'") })
	for _, line := range lines(r.next()) {
		if strings.Contains(line, "--watch") {
			r.stays(line, `.`)
			continue
		}
		r.do(line)
	}
	shows(r.t, r.do(r.next()), `"raw_query"`)
}

// A terminal is what script makes; the monitor ends with its key q.
func readMonitor(d *desk, r *reader) {
	r.swap = strings.NewReplacer("datakit-dev", d.work, "10.0.0.7:9529", d.addr, "--interval 10s", "--interval 1s")
	for _, line := range lines(r.next()) {
		if strings.Contains(line, "--once") {
			shows(r.t, r.do(line), "UNITS", "input/cpu")
			continue
		}
		shows(r.t, r.do("(sleep 1; printf q) | script -qec '"+line+"' /dev/null"), "UNITS", "input/cpu")
	}
}

func readPipeline(_ *desk, r *reader) {
	shows(r.t, r.do(r.next()), "+ tag   method")
	commands := lines(r.next())
	r.stays(commands[0], `\+ tag   method`)
	r.do(strings.Join(commands[1:], "\n"))
	r.see(`logging/nginx.p +confd +active`, func() string { return r.do("datakit status") })
}

func readStatus(d *desk, r *reader) {
	// The page waits for a revision that this etcd is behind of.
	r.swap = strings.NewReplacer("localhost:9529", d.addr, ">= 42", ">= 2")
	for len(r.steps) > 0 {
		example := r.steps[0]
		out := r.do(r.next())
		if strings.Contains(example.text, "/v1/") && !strings.Contains(example.text, "jq") && !json.Valid([]byte(out)) {
			r.t.Errorf("%s:%d: it answers %s", example.page, example.line, out)
		}
	}
}

// The agent of this page has that store, and no other.
func readEnv(d *desk, r *reader) {
	set, others, _ := strings.Cut(r.next(), "datakit run ")
	_, others, _ = strings.Cut(others, "\n")
	addr := free(r.t)
	alone := filepath.Join(r.dir, "alone")
	r.has("alone/conf.d/datakit.conf", fmt.Sprintf("default_enabled_inputs = [\"mem\"]\n[http_api]\n  listen = %q\n[[confds]]\n  backend = \"env\"\n", addr))
	program(r.t, d.bin, alone)
	defer program(r.t, d.bin, d.work)
	stop := r.startAfter(set, "datakit run")
	r.see(`input/cpu .* env:/datakit/confd/cpu`, func() string {
		out, _ := r.command("datakit status").CombinedOutput()
		return string(out)
	})
	stop()
	shows(r.t, r.do(set+others), "/datakit/confd/cpu")
}
