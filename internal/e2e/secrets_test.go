package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"datakit.dev/internal/status"
	"datakit.dev/internal/testserver"
)

// The password of a store, refused or taken, is in nothing that an agent shows.
func TestPasswordOfAStoreIsToldToNobody(t *testing.T) {
	t.Parallel()
	const secret = "s3cret-0f/the agent"
	e := testserver.StartEtcd(t)
	e.EnableAuth(t, "agent", "another", "/datakit/")
	login := fmt.Sprintf("  basic_auth = true\n  username = \"agent\"\n  password = %q\n", secret)
	a := newAgent(t, follow(e, "")+login+"[logging]\n  level = \"debug\"\n").start()
	a.until("it is refused", func(s status.Status) bool { return s.Stores[0].State == status.Denied })
	hidden := func() {
		t.Helper()
		for _, path := range []string{"/v1/status", "/metrics"} {
			code, body, err := a.get(path)
			if err != nil || code != http.StatusOK {
				t.Fatalf("%s: %d %v", path, code, err)
			}
			if strings.Contains(body, "s3cret") {
				t.Errorf("%s tells it: %s", path, body)
			}
		}
		_, out, errs := datakit(t, "", "status", "--dir", a.dir)
		_, _, denied := datakit(t, "", "confd", "ls", "--dir", a.dir)
		if told := out + errs + denied + a.log.String() + a.read("data/remote.conf"); strings.Contains(told, "s3cret") {
			t.Errorf("it is told: %s", told)
		}
	}
	hidden()
	e.SetPassword(t, "agent", secret)
	e.Put(t, "/datakit/confd/mem", "[[inputs.mem]]\n")
	a.until("it is taken", running("mem"))
	hidden()
}
