package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"datakit.dev/internal/status"
	"datakit.dev/internal/testserver"
)

// One value goes round three stores, two of them of one backend: whoever moves
// it, and in whichever order, the input that it asks for never stops.
func TestValueMovesBetweenStores(t *testing.T) {
	t.Parallel()
	e := testserver.StartEtcd(t)
	a := newAgent(t, "")
	a.write("store/confd/mem", "[[inputs.mem]]\n")
	conf := "[confd]\n  debounce = \"500ms\"\n"
	conf += fmt.Sprintf("[[confds]]\n  backend = \"etcdv3\"\n  nodes = [%q]\n", e.Endpoint)
	conf += fmt.Sprintf("[[confds]]\n  backend = \"file\"\n  file = [%q]\n", filepath.Join(a.dir, "store"))
	conf += fmt.Sprintf("[[confds]]\n  backend = \"etcdv3\"\n  nodes = [%q]\n  prefix = \"/another\"\n", e.Endpoint)
	a.configure(conf)
	value := fmt.Sprintf(cpuTagged, "moves")
	e.Put(t, "/datakit/confd/cpu", value)
	a.start()
	first := unit(a.until("cpu and mem run", func(s status.Status) bool { return running("cpu")(s) && running("mem")(s) }), "cpu")
	from := func(origin string) {
		t.Helper()
		s := a.until("it comes from "+origin, func(s status.Status) bool { return unit(s, "cpu").Origin == origin && s.Converged })
		if u := unit(s, "cpu"); u.Starts != 1 || u.Since != first.Since || len(s.Units) != 2 {
			t.Fatalf("it did not just go on: %+v", s.Units)
		}
	}
	from("etcdv3:/datakit/confd/cpu")

	// It is put where it goes before it is deleted where it was.
	a.write("store/confd/here-now", "# moved\n"+value)
	a.until("it is there twice", func(s status.Status) bool { return key(s, "here-now").State == status.Duplicate })
	e.Delete(t, "/datakit/confd/cpu")
	from("file:/datakit/confd/here-now")

	// It is deleted first, and put at once.
	if err := os.Remove(filepath.Join(a.dir, "store", "confd", "here-now")); err != nil {
		t.Fatal(err)
	}
	e.Put(t, "/another/confd/cpu", value)
	from("etcdv3:/another/confd/cpu")

	e.Delete(t, "/another/confd/cpu")
	e.Put(t, "/datakit/confd/cpu", value)
	from("etcdv3:/datakit/confd/cpu")
}
