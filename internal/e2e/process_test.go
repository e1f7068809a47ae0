package e2e

import (
	"net"
	"os"
	"strings"
	"syscall"
	"testing"

	"datakit.dev/internal/status"
)

const terminate = syscall.SIGTERM

func TestShutdownWritesWhatIsQueued(t *testing.T) {
	for _, sig := range []os.Signal{syscall.SIGTERM, syscall.SIGINT} {
		a := newAgent(t, "default_enabled_inputs = [\"mem\"]\n").start()
		a.until("mem has gathered", func(s status.Status) bool { return unit(s, "mem").Points > 0 })
		a.signal(sig)
		if a.cmd.ProcessState.ExitCode() != 0 {
			t.Errorf("%v: exit code %d\n%s", sig, a.cmd.ProcessState.ExitCode(), a.log)
		}
		if len(a.points()) == 0 {
			t.Errorf("%v: the point is lost", sig)
		}
	}
}

func TestReloadReadsTheLocalFiles(t *testing.T) {
	a := newAgent(t, "default_enabled_inputs = [\"mem\", \"swap\"]\n")
	a.write("conf.d/cpu.conf", "[[inputs.cpu]]\n")
	a.start()
	a.until("cpu runs", running("cpu"))

	a.write("conf.d/cpu.conf", "[[inputs.cpu]]\n  nope = 1\n")
	a.write("conf.d/net.conf", "[[inputs.net]]\n")
	a.signal(syscall.SIGHUP)
	s := a.until("net runs, cpu is kept", func(s status.Status) bool {
		return running("net")(s) && key(s, "cpu.conf").State == status.Kept
	})
	if u := unit(s, "cpu"); u.Starts != 1 || u.State != status.Running {
		t.Errorf("cpu %+v", u)
	}

	a.configure("default_enabled_inputs = [\"mem\", \"-swap\"]\n")
	a.write("conf.d/cpu.conf", "[[inputs.cpu]]\n")
	if code, body := a.post("/v1/reload", "{}"); code != 200 {
		t.Fatalf("reload: %d %s", code, body)
	}
	s = a.until("swap is gone", gone("swap"))
	if unit(s, "cpu").Starts != 1 || unit(s, "mem").Starts != 1 {
		t.Errorf("units %+v", s.Units)
	}

	a.write("conf.d/datakit.conf", "hostname = [\n")
	if code, body := a.post("/v1/reload", "{}"); code < 400 || !strings.Contains(body, "datakit.conf:1") {
		t.Errorf("a bad datakit.conf: %d %s", code, body)
	}
	s = a.until("the error shows", func(s status.Status) bool { return len(s.Errors) > 0 })
	if unit(s, "cpu").Starts != 1 || unit(s, "net").State != status.Running {
		t.Errorf("units %+v", s.Units)
	}
}

func TestPortInUseStopsNothing(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	a := newAgent(t, "")
	a.addr = l.Addr().String()
	a.configure("default_enabled_inputs = [\"mem\"]\n")
	a.start()
	a.untilPoint("mem", named("mem"))
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	a.until("it listens once the port is free", running("mem"))
}

func TestTruncatedBackupGivesWhatIsWhole(t *testing.T) {
	a := newAgent(t, "[[confds]]\n  backend = \"etcdv3\"\n  nodes = [\"127.0.0.1:1\"]\n")
	a.write("data/remote.conf", "#: {\"store\":\"etcdv3\",\"key\":\"/datakit/con")
	a.start()
	s := a.until("up", func(s status.Status) bool { return s.Generation > 0 })
	if len(s.Units) != 0 {
		t.Errorf("units %+v", s.Units)
	}
}

func TestBackupThatCannotBeWrittenIsTold(t *testing.T) {
	a := newAgent(t, "")
	a.write("data/remote.conf/in the way", "x") // a folder where the file should be
	a.write("store/confd/mem", "[[inputs.mem]]\n")
	a.configure("[[confds]]\n  backend = \"file\"\n  file = [\"" + a.dir + "/store\"]\n")
	a.start()
	s := a.until("mem runs", func(s status.Status) bool { return running("mem")(s) && len(s.Errors) > 0 })
	if !strings.Contains(s.Errors[0], "remote.conf") {
		t.Errorf("errors %q", s.Errors)
	}
}

func TestKilledAgentRunsItsBackup(t *testing.T) {
	a := newAgent(t, "")
	a.write("store/confd/mem", "[[inputs.mem]]\n")
	conf := "[[confds]]\n  backend = \"file\"\n  file = [\"" + a.dir + "/store\"]\n"
	a.configure(conf)
	a.start()
	a.until("mem runs", func(s status.Status) bool { return running("mem")(s) && s.Converged })
	a.signal(syscall.SIGKILL)
	if err := os.Rename(a.dir+"/store", a.dir+"/away"); err != nil {
		t.Fatal(err)
	}
	a.start()
	s := a.until("mem runs", running("mem"))
	if s.Converged || s.Stores[0].State != status.Stale {
		t.Errorf("stores %+v", s.Stores)
	}
}
