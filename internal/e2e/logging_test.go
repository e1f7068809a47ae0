package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"datakit.dev/internal/point"
	"datakit.dev/internal/status"
	"datakit.dev/internal/testserver"
)

// A log line goes through the script that its instance names, and no line is
// lost or read twice while the instance's own configuration changes.
func TestLogLinesGoThroughTheirScript(t *testing.T) {
	e := testserver.StartEtcd(t)
	a := newAgent(t, follow(e, ""))
	path := filepath.Join(a.dir, "app.log")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
	a.start()
	a.until("etcd is followed", func(s status.Status) bool { return s.Converged })
	e.Put(t, "/datakit/pipeline/logging/app.p", "grok(_, \"n=%{INT:n:int}\")\n")
	input := func(service string) string {
		return fmt.Sprintf("[[inputs.logging]]\n  logfiles = [%q]\n  source = \"app\"\n  service = %q\n  pipeline = \"app.p\"\n  from_beginning = true\n", path, service)
	}
	e.Put(t, "/datakit/confd/app", input("one"))
	a.until("the log is followed", running("logging"))
	const lines = 300
	for i := range lines {
		if _, err := fmt.Fprintf(file, "line n=%d\n", i); err != nil {
			t.Fatal(err)
		}
		if i%50 == 25 { // the service is no live option: the instance restarts
			e.Put(t, "/datakit/confd/app", input(fmt.Sprint("restart", i)))
		}
	}
	a.untilPoint("the last line", func(p point.Point) bool {
		n, ok := p.Field("n")
		return ok && n.Int() == lines-1
	})
	a.signal(terminate)
	seen := map[int64]int{}
	for _, p := range a.points() {
		if n, ok := p.Field("n"); ok && p.Name == "app" {
			seen[n.Int()]++
		}
	}
	for i := range int64(lines) {
		if seen[i] != 1 {
			t.Errorf("line %d came %d times", i, seen[i])
		}
	}
}
