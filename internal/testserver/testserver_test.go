package testserver_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"

	"datakit.dev/internal/testserver"
)

// What an operator does to etcd, these tests can do too: the data survives a
// stop, not a wipe, and comes back with a backup.
func TestEtcdKeepsItsData(t *testing.T) {
	e := testserver.StartEtcd(t)
	e.Put(t, "/a", "1")
	one := e.Revision(t)
	e.Stop(t)
	if echo(t, strings.TrimPrefix(e.Endpoint, "http://"))() == nil {
		t.Fatal("a stopped server answers")
	}
	backup := e.Save(t)
	e.Start(t)
	if now := e.Revision(t); now != one {
		t.Errorf("after a restart the revision is %d, not %d", now, one)
	}
	e.Put(t, "/a", "2")
	e.Delete(t, "/a")
	e.Compact(t)
	e.Stop(t)
	e.Restore(t, backup)
	e.Start(t)
	if now := e.Revision(t); now != one {
		t.Errorf("after a restore the revision is %d, not %d", now, one)
	}
	e.Stop(t)
	e.Wipe(t)
	e.Start(t)
	if now := e.Revision(t); now >= one {
		t.Errorf("after a wipe the revision is %d", now)
	}
}

func TestEtcdClusterHasOneLeader(t *testing.T) {
	leaders := 0
	for _, e := range testserver.StartEtcdCluster(t, 3) {
		if e.IsLeader(t) {
			leaders++
		}
	}
	if leaders != 1 {
		t.Errorf("%d leaders", leaders)
	}
}

// A missing program skips a test on a developer's machine, and fails it in CI.
func TestMissingProgram(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	for ci, want := range map[string]string{"": "skip", "true": "fail"} {
		t.Setenv("CI", ci)
		r := &recorder{TB: t}
		func() {
			defer func() {
				if err, ok := recover().(error); !ok || !errors.Is(err, errEnded) {
					t.Errorf("StartEtcd went on: %v", err)
				}
			}()
			testserver.StartEtcd(r)
		}()
		if r.outcome != want || !strings.Contains(r.text, "apt-get install etcd-server") {
			t.Errorf("CI=%q: %s %q, want %s with a way out", ci, r.outcome, r.text, want)
		}
	}
}

var errEnded = errors.New("the test has ended")

// A recorder is a test that only notes how it ended.
type recorder struct {
	testing.TB

	outcome, text string
}

func (r *recorder) Fatalf(format string, args ...any) { r.end("fail", format, args) }
func (r *recorder) Skipf(format string, args ...any)  { r.end("skip", format, args) }

func (r *recorder) end(outcome, format string, args []any) {
	r.outcome, r.text = outcome, format
	for _, a := range args {
		if s, ok := a.(string); ok {
			r.text += " " + s
		}
	}
	panic(errEnded)
}

func TestRelayCutsAndHeals(t *testing.T) {
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(c, c); _ = c.Close() }()
		}
	}()
	r := testserver.StartRelay(t, l.Addr().String())
	open := echo(t, r.Address)
	if err := open(); err != nil {
		t.Fatal(err)
	}
	r.Cut()
	if open() == nil {
		t.Error("an open connection survives the cut")
	}
	if echo(t, r.Address)() == nil {
		t.Error("a new connection works in spite of the cut")
	}
	r.Heal()
	if err := echo(t, r.Address)(); err != nil {
		t.Errorf("after healing: %v", err)
	}
}

// echo connects to address; each call sends a byte and waits for it to come back.
func echo(t *testing.T, address string) func() error {
	t.Helper()
	c, err := new(net.Dialer).DialContext(context.Background(), "tcp", address)
	if err != nil {
		return func() error { return err }
	}
	t.Cleanup(func() { _ = c.Close() })
	return func() error {
		if _, err := c.Write([]byte{1}); err != nil {
			return err
		}
		_, err := io.ReadFull(c, make([]byte, 1))
		return err
	}
}

func TestCertificatesAreOfTheirAuthority(t *testing.T) {
	ca, other := testserver.NewCA(t), testserver.NewCA(t)
	p := ca.Issue(t, "127.0.0.1")
	pair, err := tls.LoadX509KeyPair(p.Cert, p.Key)
	if err != nil {
		t.Fatal(err)
	}
	for c, want := range map[*testserver.CA]bool{ca: true, other: false} {
		pem, err := os.ReadFile(c.File)
		if err != nil {
			t.Fatal(err)
		}
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM(pem)
		if _, err := pair.Leaf.Verify(x509.VerifyOptions{DNSName: "127.0.0.1", Roots: pool}); (err == nil) != want {
			t.Errorf("%s: %v", c.File, err)
		}
	}
}
