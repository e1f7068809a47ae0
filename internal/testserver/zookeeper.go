package testserver

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-zookeeper/zk"
)

const (
	// The manifest of zookeeper.jar names the jars it needs, but for two parts of
	// Netty, without which there is no TLS; slf4j-simple has warnings reach the log
	// that a failing test shows.
	zookeeperClasses = "/usr/share/java/zookeeper.jar:/usr/share/java/netty-codec.jar:/usr/share/java/netty-resolver.jar:/usr/share/java/slf4j-simple.jar"
	zookeeperCli     = "/usr/share/zookeeper/bin/zkCli.sh"

	// The server's superuser, which every ACL lets through. The digest is that of
	// the user and password, as the server wants it.
	zookeeperSuper       = "super:admin"
	zookeeperSuperDigest = "super:xQJmxLMiHGwaqBvst5y6rkB6HQs="
)

// A ZooKeeperOption changes how ZooKeeper is started.
type ZooKeeperOption func(*ZooKeeper)

// WithZooKeeperConfig adds lines to zoo.cfg.
func WithZooKeeperConfig(lines ...string) ZooKeeperOption {
	return func(z *ZooKeeper) { z.config = append(z.config, lines...) }
}

// WithZooKeeperTLS opens SecureAddress beside Address, by TLS only, with
// certificates of ca; mutual asks clients for one of their own.
func WithZooKeeperTLS(ca *CA, mutual bool) ZooKeeperOption {
	return func(z *ZooKeeper) { z.ca, z.mutual = ca, mutual }
}

// A ZooKeeper is one ZooKeeper server, alone or in an ensemble.
type ZooKeeper struct {
	machine

	Address       string // host:port of the client port
	SecureAddress string // host:port of the TLS port, empty without WithZooKeeperTLS

	id       int
	dir      string
	ensemble []string // the server.N lines, none where it is alone
	config   []string
	ca       *CA
	mutual   bool

	mu     sync.Mutex
	client *zk.Conn
}

// StartZooKeeper starts one server and ends it with the test.
func StartZooKeeper(tb testing.TB, options ...ZooKeeperOption) *ZooKeeper {
	tb.Helper()
	return StartZooKeeperEnsemble(tb, 1, options...)[0]
}

// StartZooKeeperEnsemble starts an ensemble of n servers and ends it with the
// test.
func StartZooKeeperEnsemble(tb testing.TB, n int, options ...ZooKeeperOption) []*ZooKeeper {
	tb.Helper()
	Need(tb, zookeeperCli, "apt-get install zookeeper")
	nodes := make([]*ZooKeeper, n)
	var ensemble []string
	for i := range nodes {
		z := &ZooKeeper{id: i + 1, dir: tb.TempDir(), Address: freeAddress(tb)}
		for _, o := range options {
			o(z)
		}
		if z.ca != nil {
			z.SecureAddress = freeAddress(tb)
		}
		z.DataDir = filepath.Join(z.dir, "data")
		ensemble = append(ensemble, fmt.Sprintf("server.%d=%s:%d", z.id, freeAddress(tb), portOf(tb, freeAddress(tb))))
		nodes[i] = z
	}
	for _, z := range nodes {
		if n > 1 {
			z.ensemble = ensemble
		}
		z.configure(tb)
		z.launch(tb)
		tb.Cleanup(func() {
			z.disconnect()
			z.cmd.kill()
		})
	}
	for _, z := range nodes {
		z.ready(tb)
	}
	return nodes
}

// configure writes zoo.cfg. The tick is short, so that a server notices within
// few seconds that it has lost the others or a client.
func (z *ZooKeeper) configure(tb testing.TB) {
	tb.Helper()
	lines := []string{
		"tickTime=200", "initLimit=100", "syncLimit=15", "maxClientCnxns=0", "dataDir=" + z.DataDir,
		"clientPortAddress=127.0.0.1", fmt.Sprint("clientPort=", portOf(tb, z.Address)),
		"admin.enableServer=false", "4lw.commands.whitelist=*",
	}
	lines = append(append(lines, z.ensemble...), z.config...)
	if z.ca != nil {
		lines = append(lines, z.secure(tb)...)
	}
	if err := os.WriteFile(z.configFile(), []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		tb.Fatal(err)
	}
}

func (z *ZooKeeper) configFile() string { return filepath.Join(z.dir, "zoo.cfg") }

// secure returns the lines for the TLS port, and writes the files they name.
func (z *ZooKeeper) secure(tb testing.TB) []string {
	tb.Helper()
	pair := z.ca.Issue(tb, "127.0.0.1")
	store := filepath.Join(z.dir, "store.pem")
	var both []byte
	for _, file := range []string{pair.Key, pair.Cert} {
		b, err := os.ReadFile(file)
		if err != nil {
			tb.Fatal(err)
		}
		both = append(both, b...)
	}
	if err := os.WriteFile(store, both, 0o600); err != nil {
		tb.Fatal(err)
	}
	auth := "none"
	if z.mutual {
		auth = "need"
	}
	return []string{
		"serverCnxnFactory=org.apache.zookeeper.server.NettyServerCnxnFactory",
		"secureClientPortAddress=127.0.0.1", fmt.Sprint("secureClientPort=", portOf(tb, z.SecureAddress)),
		"ssl.keyStore.type=PEM", "ssl.keyStore.location=" + store,
		"ssl.trustStore.type=PEM", "ssl.trustStore.location=" + z.ca.File,
		"ssl.clientAuth=" + auth, "ssl.hostnameVerification=false",
	}
}

func (z *ZooKeeper) launch(tb testing.TB) {
	tb.Helper()
	if err := os.MkdirAll(z.DataDir, 0o700); err != nil {
		tb.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(z.DataDir, "myid"), fmt.Appendln(nil, z.id), 0o600); err != nil {
		tb.Fatal(err)
	}
	z.cmd = start(tb, exec.CommandContext(context.Background(), "java",
		"-Xmx128m", "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC",
		"-Dzookeeper.forceSync=no", "-Dzookeeper.DigestAuthenticationProvider.superDigest="+zookeeperSuperDigest,
		"-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
		"-cp", zookeeperClasses, "org.apache.zookeeper.server.quorum.QuorumPeerMain", z.configFile()))
}

// ready waits until the server serves: alone, or with a leader.
func (z *ZooKeeper) ready(tb testing.TB) {
	tb.Helper()
	z.cmd.ready(tb, startup, func(ctx context.Context) error {
		_, err := z.Mode(ctx)
		return err
	})
}

// Mode returns standalone, leader or follower, or an error while it is none of
// them.
func (z *ZooKeeper) Mode(ctx context.Context) (string, error) {
	text, err := z.ask(ctx, "srvr")
	if err != nil {
		return "", err
	}
	_, mode, ok := strings.Cut(text, "Mode: ")
	if !ok {
		return "", fmt.Errorf("not serving: %.100s", text)
	}
	mode, _, _ = strings.Cut(mode, "\n")
	return mode, nil
}

// ask sends one of the four-letter commands.
func (z *ZooKeeper) ask(ctx context.Context, command string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	c, err := new(net.Dialer).DialContext(ctx, "tcp", z.Address)
	if err != nil {
		return "", err
	}
	defer func() { _ = c.Close() }()
	defer context.AfterFunc(ctx, func() { _ = c.Close() })()
	if _, err := io.WriteString(c, command); err != nil {
		return "", err
	}
	b, err := io.ReadAll(io.LimitReader(c, 1<<20))
	return string(b), err
}

// Watches returns how many watches the server holds.
func (z *ZooKeeper) Watches(tb testing.TB) (n int) {
	tb.Helper()
	text, err := z.ask(context.Background(), "mntr")
	if err != nil {
		tb.Fatal(err)
	}
	_, count, _ := strings.Cut(text, "zk_watch_count\t")
	if _, err := fmt.Sscan(count, &n); err != nil {
		tb.Fatalf("no count of watches in %q", text)
	}
	return n
}

// Stop kills the server as a power cut would; what it holds stays.
func (z *ZooKeeper) Stop(tb testing.TB) {
	tb.Helper()
	z.disconnect()
	z.machine.Stop(tb)
}

// Start starts a stopped server on the same address and data, and waits for it.
func (z *ZooKeeper) Start(tb testing.TB) {
	tb.Helper()
	z.launch(tb)
	z.ready(tb)
}

// Pause freezes the server: it keeps its connections and answers nothing. The
// operator's own is made anew after it.
func (z *ZooKeeper) Pause(tb testing.TB) {
	tb.Helper()
	z.disconnect()
	z.machine.Pause(tb)
}

// Put writes a node, and makes its parents.
func (z *ZooKeeper) Put(tb testing.TB, path, value string) {
	tb.Helper()
	c := z.Client(tb)
	_, err := c.Set(path, []byte(value), -1)
	if err == zk.ErrNoNode { //nolint:errorlint // the library wraps nothing
		for i := 1; i < len(path); i++ {
			if path[i] != '/' {
				continue
			}
			if _, err := c.Create(path[:i], nil, 0, zk.WorldACL(zk.PermAll)); err != nil && err != zk.ErrNodeExists { //nolint:errorlint // as above
				tb.Errorf("zookeeper create %s: %v", path[:i], err)
				return
			}
		}
		_, err = c.Create(path, []byte(value), 0, zk.WorldACL(zk.PermAll))
	}
	if err != nil {
		tb.Errorf("zookeeper put %s: %v", path, err)
	}
}

// Delete removes a node, which has no children.
func (z *ZooKeeper) Delete(tb testing.TB, path string) {
	tb.Helper()
	if err := z.Client(tb).Delete(path, -1); err != nil {
		tb.Errorf("zookeeper delete %s: %v", path, err)
	}
}

// Protect lets just the user into a node and everything that is below it now.
func (z *ZooKeeper) Protect(tb testing.TB, path, user, password string) {
	tb.Helper()
	z.SetACL(tb, path, zk.DigestACL(zk.PermAll, user, password))
}

// SetACL sets the ACL of a node and of everything that is below it now. It
// makes the node where there is none.
func (z *ZooKeeper) SetACL(tb testing.TB, path string, acl []zk.ACL) {
	tb.Helper()
	c := z.Client(tb)
	if there, _, err := c.Exists(path); err == nil && !there {
		if _, err := c.Create(path, nil, 0, acl); err != nil {
			tb.Fatalf("zookeeper create %s: %v", path, err)
		}
	}
	if _, err := c.SetACL(path, acl, -1); err != nil {
		tb.Fatalf("zookeeper acl %s: %v", path, err)
	}
	children, _, err := c.Children(path)
	if err != nil {
		tb.Fatalf("zookeeper ls %s: %v", path, err)
	}
	for _, name := range children {
		z.SetACL(tb, path+"/"+name, acl)
	}
}

// Client returns the operator's own connection, as the superuser. It ends with
// the server.
func (z *ZooKeeper) Client(tb testing.TB) *zk.Conn {
	tb.Helper()
	z.mu.Lock()
	defer z.mu.Unlock()
	if z.client != nil {
		return z.client
	}
	c, _, err := zk.Connect([]string{z.Address}, 20*time.Second, zk.WithLogger(quiet{}), zk.WithLogInfo(false))
	if err != nil {
		tb.Fatal(err)
	}
	if err := c.AddAuth("digest", []byte(zookeeperSuper)); err != nil {
		c.Close()
		tb.Fatal(err)
	}
	z.client = c
	return c
}

func (z *ZooKeeper) disconnect() {
	z.mu.Lock()
	defer z.mu.Unlock()
	if z.client != nil {
		z.client.Close()
		z.client = nil
	}
}

// RunZooKeeperCli runs the vendor's command line tool with one command.
func (z *ZooKeeper) RunZooKeeperCli(tb testing.TB, command ...string) {
	tb.Helper()
	args := append([]string{"-server", z.Address}, command...)
	out, err := exec.CommandContext(context.Background(), zookeeperCli, args...).CombinedOutput()
	if err != nil {
		tb.Fatalf("zkCli.sh %s: %v\n%s", command, err, out)
	}
}

// quiet drops what the client library would write to standard error.
type quiet struct{}

func (quiet) Printf(string, ...any) {}
