package docs

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"datakit.dev/internal/app"
	"datakit.dev/internal/testserver"
)

// TestMain makes `datakit` a command: the shell examples run the real program.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"datakit": func() {
		os.Exit(app.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
	}})
}

func (r *reader) status() string {
	out, _ := r.command("datakit status --dir datakit-dev").CombinedOutput()
	return string(out)
}

// Each step of the quick start, in its order, shows what the page says. The
// Chinese page has the same examples: another test compares them.
func TestTheQuickStart(t *testing.T) {
	t.Parallel()
	etcd, addr := testserver.StartEtcd(t).Endpoint, free(t)
	r := newReader(t, "docs/quick-start.md", "localhost:9529", addr, "127.0.0.1:2379", etcd)
	r.env = append(r.env, "ENV_HTTP_LISTEN="+addr, "ETCDCTL_API=3", "ETCDCTL_ENDPOINTS="+etcd)
	r.build(r.next())

	r.start(r.next())
	r.see(`(?m)^cpu,cpu=cpu-total,\S* .*usage_idle=`, r.points.String)
	status := r.next()
	r.see(`(?m)^converged: what runs is what is asked for$`, func() string { return r.do(status) })

	r.do(r.next())
	r.see(`(?m)^cpu,cpu=cpu0,`, r.points.String)
	r.see(`input/cpu +running +\S+ +2 `, r.status)
	r.see(`input/disk +running +\S+ +1 `, r.status)

	if out := r.do(r.next()); !strings.Contains(out, "/datakit/confd/mem") {
		t.Error(out)
	}
	r.see(`input/mem +running .*file:/datakit/confd/mem`, r.status)

	r.do(r.next())
	r.see(`/datakit/confd/mem +kept .*:2:\d+: interval: `, r.status)
	r.see(`input/mem +running `, r.status)
	r.do(r.next())
	r.see(`input/mem +running .* default`, r.status)

	r.do(r.next())
	r.see(`(?m)^cpu,.*busy=`, r.points.String)

	r.do(r.next())
	r.do(r.next())
	r.see(`input/net +running .*etcdv3:/datakit/confd/net`, r.status)
	if last := r.next(); len(r.steps) > 0 || last != "rm -r datakit-dev\n" {
		t.Errorf("the page has more steps than this test, or another last one: %s", last)
	}
}

// build checks the first step. CI builds with that very command; here the program
// is this test's own.
func (r *reader) build(example string) {
	r.t.Helper()
	makefile, err := os.ReadFile(filepath.Join("..", "Makefile"))
	lines := strings.SplitN(example, "\n", 3)
	if err != nil || lines[0] != "make build" || !strings.Contains(string(makefile), "\nbuild: ") {
		r.t.Errorf("%v: there is no such target: %s", err, example)
	}
	if out := r.do(lines[2]); !strings.HasPrefix(out, "datakit ") {
		r.t.Error(out)
	}
}
