package testserver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// NacosUser is the administrator of a Nacos that asks for a login.
const NacosUser = "nacos"

// A NacosOption changes how Nacos is started.
type NacosOption func(*Nacos)

// WithNacosAuth has Nacos ask for a login, whose tokens are good for ttl.
func WithNacosAuth(ttl time.Duration) NacosOption { return func(n *Nacos) { n.ttl = ttl } }

// A Nacos is one Nacos server: that in Java, or the one in Rust.
type Nacos struct {
	machine

	Endpoint string // URL of the HTTP port
	Password string // of NacosUser

	program string // "nacos" or "rnacos"
	path    string
	port    int
	ttl     time.Duration
	client  *http.Client
	token   string
}

// StartNacos starts the Nacos in Java, which takes ten seconds, and ends it with
// the test.
func StartNacos(tb testing.TB, options ...NacosOption) *Nacos {
	tb.Helper()
	return startNacos(tb, "nacos", options)
}

// StartRNacos starts r-nacos and ends it with the test.
func StartRNacos(tb testing.TB, options ...NacosOption) *Nacos {
	tb.Helper()
	if os.Getenv("DATAKIT_TEST_ALL") == "" {
		tb.Skip("r-nacos does not always start on a busy machine: `make test-all` tries it")
	}
	return startNacos(tb, "rnacos", options)
}

func startNacos(tb testing.TB, program string, options []NacosOption) *Nacos {
	tb.Helper()
	n := &Nacos{program: program, path: tool(tb, program), port: nacosPort(tb), machine: machine{DataDir: filepath.Join(tb.TempDir(), "home")}, Password: "nacos"}
	if program == "rnacos" {
		n.Password = "r1ght/P4ss word%"
	}
	for _, o := range options {
		o(n)
	}
	n.Endpoint = "http://127.0.0.1:" + strconv.Itoa(n.port)
	// A connection that a frozen server has closed meanwhile is not found out in
	// time to send a write again.
	n.client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	n.configure(tb)
	tb.Cleanup(func() { n.cmd.kill() })
	n.Start(tb)
	return n
}

// nacosPort returns a port that is free together with those that Nacos takes for
// its other protocol, 1000 and 1001 further on.
func nacosPort(tb testing.TB) int {
	tb.Helper()
	for range 100 {
		_, text, err := net.SplitHostPort(freeAddress(tb))
		if err != nil {
			tb.Fatal(err)
		}
		port, err := strconv.Atoi(text)
		if err != nil {
			tb.Fatal(err)
		}
		if port < 64000 && isFree(port+1000) && isFree(port+1001) {
			return port
		}
	}
	tb.Fatal("no free port")
	return 0
}

func isFree(port int) bool {
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:"+strconv.Itoa(port))
	if err != nil {
		return false
	}
	_ = l.Close()
	return true
}

// configure writes the configuration of the Nacos in Java.
func (n *Nacos) configure(tb testing.TB) {
	tb.Helper()
	lines := []string{
		"server.servlet.contextPath=/nacos", "server.address=127.0.0.1", "server.port=" + strconv.Itoa(n.port),
		"server.error.include-message=ALWAYS", "server.tomcat.accesslog.enabled=false",
		"nacos.core.auth.system.type=nacos", "nacos.core.auth.caching.enabled=false", "nacos.core.auth.enable.userAgentAuthWhite=false",
		"nacos.core.auth.server.identity.key=k", "nacos.core.auth.server.identity.value=v",
		"nacos.core.auth.plugin.nacos.token.secret.key=U2VjcmV0S2V5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5",
		fmt.Sprintf("nacos.core.auth.enabled=%t", n.ttl > 0),
		fmt.Sprintf("nacos.core.auth.plugin.nacos.token.expire.seconds=%d", int(n.ttl.Seconds())),
	}
	if err := os.MkdirAll(filepath.Join(n.DataDir, "conf"), 0o700); err != nil {
		tb.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(n.DataDir, "conf", "application.properties"), []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		tb.Fatal(err)
	}
}

// Start starts a stopped server on the same address and data, and waits for it.
func (n *Nacos) Start(tb testing.TB) {
	tb.Helper()
	for range 8 {
		n.launch(tb)
		if !n.stuck() {
			break
		}
		n.cmd.kill()
	}
	n.cmd.ready(tb, startup, n.ready)
}

func (n *Nacos) launch(tb testing.TB) {
	tb.Helper()
	cmd := exec.CommandContext(context.Background(), n.path, n.DataDir)
	if n.program == "rnacos" {
		cmd = exec.CommandContext(context.Background(), n.path)
		cmd.Env = append(os.Environ(),
			"RNACOS_HTTP_PORT="+strconv.Itoa(n.port), "RNACOS_GRPC_PORT="+strconv.Itoa(n.port+1000), "RNACOS_HTTP_CONSOLE_PORT=0",
			"RNACOS_SDK_HOST=127.0.0.1", "RNACOS_HTTP_WORKERS=2", "RNACOS_DATA_DIR="+n.DataDir, "RNACOS_CONFIG_DB_DIR="+n.DataDir,
			"RNACOS_INIT_ADMIN_USERNAME="+NacosUser, "RNACOS_INIT_ADMIN_PASSWORD="+n.Password,
			"RNACOS_API_LOGIN_ONE_MINUTE_LIMIT=1000000",
			fmt.Sprintf("RNACOS_ENABLE_OPEN_API_AUTH=%t", n.ttl > 0), fmt.Sprintf("RNACOS_API_LOGIN_TIMEOUT=%d", int(n.ttl.Seconds())),
		)
	}
	cmd.Dir = n.DataDir
	n.token = ""
	n.cmd = start(tb, cmd)
}

// stuck reports whether r-nacos has lost one of the races that its parts have
// with each other, and with a client, when it starts: it then runs on, and is
// never ready.
func (n *Nacos) stuck() bool {
	if n.program != "rnacos" {
		return false
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return true
		case <-n.cmd.done:
			return false
		case <-tick.C:
			if strings.Contains(n.cmd.log.String(), "panicked at") {
				return true
			}
			if n.ready(ctx) == nil {
				return false
			}
		}
	}
}

// ready returns nil once the server answers. A write that reaches r-nacos before
// it is a cluster of one keeps it from ever becoming one, and a login is a write.
func (n *Nacos) ready(ctx context.Context) error {
	switch {
	case n.program == "rnacos" && !strings.Contains(n.cmd.log.String(), "UpdateNodes,size:1"):
		return errors.New("it has no leader")
	case n.ttl > 0:
		return n.logIn(ctx)
	}
	_, err := n.request(ctx, http.MethodGet, "/nacos/v1/cs/configs", url.Values{
		"search": {"accurate"}, "dataId": {""}, "group": {""}, "pageNo": {"1"}, "pageSize": {"1"},
	}, nil)
	return err
}

// Stop kills the server as a power cut would; what it holds stays. The last write
// to r-nacos before such an end shows again only when another one follows: so
// this makes another the last one.
func (n *Nacos) Stop(tb testing.TB) {
	tb.Helper()
	if n.program == "rnacos" {
		n.Put(tb, "last", "last", "last", "last")
	}
	n.machine.Stop(tb)
}

// Guarded reports whether the server asks for a login.
func (n *Nacos) Guarded() bool { return n.ttl > 0 }

// Put publishes a configuration.
func (n *Nacos) Put(tb testing.TB, tenant, group, dataID, content string) {
	tb.Helper()
	n.must(tb, http.MethodPost, "/nacos/v1/cs/configs", nil, url.Values{"tenant": {tenant}, "group": {group}, "dataId": {dataID}, "content": {content}})
}

// Delete removes a configuration.
func (n *Nacos) Delete(tb testing.TB, tenant, group, dataID string) {
	tb.Helper()
	n.must(tb, http.MethodDelete, "/nacos/v1/cs/configs", url.Values{"tenant": {tenant}, "group": {group}, "dataId": {dataID}}, nil)
}

// AddUser adds a user that may do with the namespaces what action says: "r", "w"
// or "rw". Only the Nacos in Java has permissions.
func (n *Nacos) AddUser(tb testing.TB, user, password, action string, tenants ...string) {
	tb.Helper()
	n.must(tb, http.MethodPost, "/nacos/v1/auth/users", nil, url.Values{"username": {user}, "password": {password}})
	n.must(tb, http.MethodPost, "/nacos/v1/auth/roles", nil, url.Values{"role": {"role-" + user}, "username": {user}})
	for _, tenant := range tenants {
		n.must(tb, http.MethodPost, "/nacos/v1/auth/permissions", nil, url.Values{"role": {"role-" + user}, "resource": {tenant + ":*:*"}, "action": {action}})
	}
}

func (n *Nacos) must(tb testing.TB, method, path string, query, form url.Values) {
	tb.Helper()
	_, err := n.request(context.Background(), method, path, query, form)
	if err != nil && n.ttl > 0 { // the token may have run out since the last call
		if err = n.logIn(context.Background()); err == nil {
			_, err = n.request(context.Background(), method, path, query, form)
		}
	}
	if err != nil {
		tb.Errorf("nacos: %v", err)
	}
}

func (n *Nacos) logIn(ctx context.Context) error {
	n.token = ""
	body, err := n.request(ctx, http.MethodPost, "/nacos/v1/auth/login", nil, url.Values{"username": {NacosUser}, "password": {n.Password}})
	if err != nil {
		return err
	}
	var out struct {
		AccessToken string `json:"accessToken"`
	}
	err = json.Unmarshal(body, &out)
	n.token = out.AccessToken
	return err
}

func (n *Nacos) request(ctx context.Context, method, path string, query, form url.Values) ([]byte, error) {
	target := n.Endpoint + path + "?" + query.Encode()
	if n.token != "" {
		target += "&accessToken=" + url.QueryEscape(n.token)
	}
	req, err := http.NewRequestWithContext(ctx, method, target, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := n.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s %s: %s: %.300s", method, path, resp.Status, body)
	}
	return body, err
}
