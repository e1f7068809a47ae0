package testserver

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A ConsulOption changes how Consul is started.
type ConsulOption func(*Consul)

// WithConsulTLS lets clients connect by TLS only, with certificates of ca;
// mutual asks them for one of their own.
func WithConsulTLS(ca *CA, mutual bool) ConsulOption {
	return func(c *Consul) { c.ca, c.mutual = ca, mutual }
}

// WithConsulACL turns access control on. policy is what a token may do that no
// rule speaks of: "deny" or "allow".
func WithConsulACL(policy string) ConsulOption {
	return func(c *Consul) { c.policy, c.Token = policy, consulMaster }
}

// WithConsulConfig adds a file of configuration, HCL.
func WithConsulConfig(text string) ConsulOption {
	return func(c *Consul) { c.extra += text + "\n" }
}

// consulMaster is the token that may do everything.
const consulMaster = "5f8ad1a0-0000-4000-8000-00000000da7a"

// A Consul is one Consul server, whose data is on disk.
type Consul struct {
	machine

	Endpoint string // URL of the HTTP API
	Token    string // that may do everything; empty without access control

	name    string
	program string
	rpc     string   // host:port between servers
	serf    string   // host:port of the gossip
	join    []string // the gossip of all servers
	servers int      // that make up the cluster; 0 for an agent that is none
	policy  string
	extra   string
	ca      *CA
	mutual  bool
	client  *http.Client
}

// StartConsul starts one server and ends it with the test.
func StartConsul(tb testing.TB, options ...ConsulOption) *Consul {
	tb.Helper()
	return StartConsulCluster(tb, 1, options...)[0]
}

// StartConsulCluster starts a cluster of n servers and ends it with the test.
func StartConsulCluster(tb testing.TB, n int, options ...ConsulOption) []*Consul {
	tb.Helper()
	nodes := make([]*Consul, n)
	var join []string
	for i := range nodes {
		nodes[i] = newConsul(tb, fmt.Sprintf("n%d", i), options)
		join = append(join, nodes[i].serf)
	}
	for _, c := range nodes {
		c.join, c.servers = join, n
		c.launch(tb)
		tb.Cleanup(func() { c.cmd.kill() })
	}
	for _, c := range nodes {
		c.ready(tb)
	}
	return nodes
}

// StartConsulAgent starts what Consul runs on every other machine: an agent that
// holds nothing and asks the servers, here the one that it joins.
func StartConsulAgent(tb testing.TB, server *Consul, options ...ConsulOption) *Consul {
	tb.Helper()
	c := newConsul(tb, "agent", options)
	c.join = server.join
	c.launch(tb)
	tb.Cleanup(func() { c.cmd.kill() })
	c.ready(tb)
	return c
}

func newConsul(tb testing.TB, name string, options []ConsulOption) *Consul {
	tb.Helper()
	c := &Consul{name: name, program: tool(tb, "consul"), machine: machine{DataDir: filepath.Join(tb.TempDir(), name)}, rpc: freeAddress(tb), serf: freeAddress(tb)}
	for _, o := range options {
		o(c)
	}
	c.Endpoint = "http://" + freeAddress(tb)
	var conf *tls.Config
	if c.ca != nil {
		c.Endpoint, conf = "https://"+strings.TrimPrefix(c.Endpoint, "http://"), c.ca.client()
	}
	c.client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: conf}, Timeout: 30 * time.Second}
	return c
}

// config is what the server is told, as JSON. Consul elects a leader quickly, and
// says quickly that there is none, only where it is told to; and it takes 200
// connections from one address, where a test with a hundred agents needs more. A
// server that a test takes away has to remain a member that can come back.
func (c *Consul) config(tb testing.TB) []byte {
	tb.Helper()
	type object = map[string]any
	conf := object{
		"retry_join": c.join, "retry_interval": "300ms",
		"node_name": c.name, "data_dir": c.DataDir, "bind_addr": "127.0.0.1", "client_addr": "127.0.0.1", "log_level": "warn",
		"disable_update_check": true, "disable_anonymous_signature": true,
		"connect": object{"enabled": false}, "peering": object{"enabled": false},
		"performance": object{"raft_multiplier": 1, "leave_drain_time": "0s", "rpc_hold_timeout": "1s"},
		"limits":      object{"http_max_conns_per_client": -1},
		"autopilot":   object{"cleanup_dead_servers": false},
	}
	if c.servers > 0 {
		conf["server"], conf["bootstrap_expect"] = true, c.servers
	}
	ports := object{
		"http": -1, "https": -1, "dns": -1, "grpc": -1, "grpc_tls": -1, "serf_wan": -1,
		"server": portOf(tb, c.rpc), "serf_lan": portOf(tb, c.serf),
	}
	ports[c.scheme()] = portOf(tb, c.host())
	conf["ports"] = ports
	if c.ca != nil {
		pair := c.ca.Issue(tb, "127.0.0.1")
		conf["tls"] = object{"https": object{"ca_file": c.ca.File, "cert_file": pair.Cert, "key_file": pair.Key, "verify_incoming": c.mutual}}
	}
	if c.policy != "" {
		conf["acl"] = object{"enabled": true, "default_policy": c.policy, "tokens": object{"initial_management": consulMaster, "agent": consulMaster}}
	}
	text, err := json.Marshal(conf)
	if err != nil {
		tb.Fatal(err)
	}
	return text
}

func (c *Consul) scheme() string {
	scheme, _, _ := strings.Cut(c.Endpoint, "://")
	return scheme
}

func (c *Consul) host() string { return strings.TrimPrefix(c.Endpoint, c.scheme()+"://") }

func (c *Consul) launch(tb testing.TB) {
	tb.Helper()
	if err := os.MkdirAll(c.DataDir, 0o700); err != nil {
		tb.Fatal(err)
	}
	dir := tb.TempDir()
	for name, text := range map[string][]byte{"server.json": c.config(tb), "test.hcl": []byte(c.extra)} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			tb.Fatal(err)
		}
	}
	c.cmd = start(tb, exec.CommandContext(context.Background(), c.program, "agent", "-config-dir", dir))
}

// ready waits until the server has a leader, and knows the token.
func (c *Consul) ready(tb testing.TB) {
	tb.Helper()
	c.cmd.ready(tb, startup, func(ctx context.Context) error {
		// A request may be held by a server that has found no leader yet, for longer
		// than it takes to find one.
		ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
		defer cancel()
		_, status, err := c.send(ctx, http.MethodGet, "/v1/kv/ready?consistent", nil)
		if err == nil && status != http.StatusOK && status != http.StatusNotFound {
			err = fmt.Errorf("status %d", status)
		}
		return err
	})
}

// Start starts a stopped server on the same address and data, and waits for it.
func (c *Consul) Start(tb testing.TB) {
	tb.Helper()
	c.launch(tb)
	c.ready(tb)
}

// Save returns a snapshot of everything in the cluster, as `consul snapshot
// save` writes it.
func (c *Consul) Save(tb testing.TB) []byte {
	tb.Helper()
	return c.call(tb, http.MethodGet, "/v1/snapshot", nil)
}

// Restore sets the cluster back to a snapshot.
func (c *Consul) Restore(tb testing.TB, snapshot []byte) {
	tb.Helper()
	c.call(tb, http.MethodPut, "/v1/snapshot", snapshot)
}

// Put writes a key. It goes by a transaction where it can, which takes keys that
// the plain request refuses.
func (c *Consul) Put(tb testing.TB, key, value string) {
	tb.Helper()
	if len(value) > maxConsulTxn {
		c.call(tb, http.MethodPut, consulPath(key), []byte(value))
		return
	}
	c.Txn(tb, "set", map[string]string{key: value})
}

// maxConsulTxn is the size of a value that a transaction of 512 KiB takes, with
// its encoding.
const maxConsulTxn = 256 << 10

// Txn does verb, such as "set", on several keys at one instant.
func (c *Consul) Txn(tb testing.TB, verb string, pairs map[string]string) {
	tb.Helper()
	type kv struct{ Verb, Key, Value string }
	var ops []map[string]kv
	for key, value := range pairs {
		ops = append(ops, map[string]kv{"KV": {verb, key, b64(value)}})
	}
	body, err := json.Marshal(ops)
	if err != nil {
		tb.Fatal(err)
	}
	c.call(tb, http.MethodPut, "/v1/txn", body)
}

// Delete removes a key.
func (c *Consul) Delete(tb testing.TB, key string) {
	tb.Helper()
	c.Txn(tb, "delete", map[string]string{key: ""})
}

// DeleteTree removes every key that begins with prefix.
func (c *Consul) DeleteTree(tb testing.TB, prefix string) {
	tb.Helper()
	c.Txn(tb, "delete-tree", map[string]string{prefix: ""})
}

// ModifyIndex returns the index that wrote key last.
func (c *Consul) ModifyIndex(tb testing.TB, key string) uint64 {
	tb.Helper()
	var out []struct{ ModifyIndex uint64 }
	if err := json.Unmarshal(c.call(tb, http.MethodGet, consulPath(key), nil), &out); err != nil || len(out) != 1 {
		tb.Fatalf("%s: %v, %v", key, out, err)
	}
	return out[0].ModifyIndex
}

// IsLeader reports whether this server leads its cluster.
func (c *Consul) IsLeader(tb testing.TB) bool {
	tb.Helper()
	var leader string
	if err := json.Unmarshal(c.call(tb, http.MethodGet, "/v1/status/leader", nil), &leader); err != nil {
		tb.Fatal(err)
	}
	return leader == c.rpc
}

// GrantToken creates the token secret, a UUID, that may do what rules say.
func (c *Consul) GrantToken(tb testing.TB, secret, rules string) {
	tb.Helper()
	policy := fmt.Sprintf("test-%d", time.Now().UnixNano())
	c.callJSON(tb, "/v1/acl/policy", map[string]any{"Name": policy, "Rules": rules})
	c.callJSON(tb, "/v1/acl/token", map[string]any{"SecretID": secret, "Policies": []map[string]string{{"Name": policy}}})
}

// RevokeToken takes the token secret away, as its end does.
func (c *Consul) RevokeToken(tb testing.TB, secret string) {
	tb.Helper()
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, c.Endpoint+"/v1/acl/token/self", nil)
	if err != nil {
		tb.Fatal(err)
	}
	req.Header.Set("X-Consul-Token", secret)
	body, status, err := c.answer(req)
	var self struct{ AccessorID string }
	if err != nil || status != http.StatusOK || json.Unmarshal(body, &self) != nil {
		tb.Fatalf("consul token: %d: %s (%v)", status, body, err)
	}
	c.call(tb, http.MethodDelete, "/v1/acl/token/"+self.AccessorID, nil)
}

// CLI runs the vendor's command line, such as `consul kv put KEY VALUE`, and
// returns what it prints.
func (c *Consul) CLI(tb testing.TB, args ...string) string {
	tb.Helper()
	cmd := exec.CommandContext(context.Background(), c.program, args...)
	cmd.Env = append(os.Environ(), "CONSUL_HTTP_ADDR="+c.Endpoint, "CONSUL_HTTP_TOKEN="+c.Token)
	out, err := cmd.CombinedOutput()
	if err != nil {
		tb.Errorf("consul %s: %v: %s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

func (c *Consul) callJSON(tb testing.TB, path string, body any) {
	tb.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		tb.Fatal(err)
	}
	c.call(tb, http.MethodPut, path, text)
}

// call sends one request that has to succeed.
func (c *Consul) call(tb testing.TB, method, path string, body []byte) []byte {
	tb.Helper()
	answer, status, err := c.send(context.Background(), method, path, body)
	if err != nil || status != http.StatusOK {
		tb.Errorf("consul %s %s: %d: %s (%v)", method, path, status, answer, err)
	}
	return answer
}

func (c *Consul) send(ctx context.Context, method, path string, body []byte) ([]byte, int, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.Endpoint+path, bytes.NewReader(body))
	if err != nil {
		return nil, 0, err
	}
	if c.Token != "" {
		req.Header.Set("X-Consul-Token", c.Token)
	}
	return c.answer(req)
}

func (c *Consul) answer(req *http.Request) ([]byte, int, error) {
	resp, err := c.client.Do(req)
	if err != nil {
		return nil, 0, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	return body, resp.StatusCode, err
}

func consulPath(key string) string { return (&url.URL{Path: "/v1/kv/" + key}).EscapedPath() }
