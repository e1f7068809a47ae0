// Package testserver starts real servers for tests: on loopback, with their
// data in the test's temporary directory, and ended with the test. A test asks
// for one with a single call; where the program is not installed it is skipped,
// but never in CI, where a skipped test would hide a broken one.
package testserver

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// startup is how long a server may take to be ready, on a slow machine.
const startup = 60 * time.Second

// An EtcdOption changes how etcd is started.
type EtcdOption func(*Etcd)

// WithEtcdArgs adds command line arguments.
func WithEtcdArgs(args ...string) EtcdOption {
	return func(e *Etcd) { e.args = append(e.args, args...) }
}

// WithEtcdTLS lets clients connect by TLS only, with certificates of ca; mutual
// asks them for one of their own.
func WithEtcdTLS(ca *CA, mutual bool) EtcdOption {
	return func(e *Etcd) { e.ca, e.mutual = ca, mutual }
}

// An Etcd is one etcd server.
type Etcd struct {
	machine

	Endpoint string // URL of the client port

	name     string
	peer     string // URL of the peer port
	initial  string // --initial-cluster
	args     []string
	ca       *CA
	mutual   bool
	client   *http.Client
	username string
	password string
}

// StartEtcd starts one server and ends it with the test.
func StartEtcd(tb testing.TB, options ...EtcdOption) *Etcd {
	tb.Helper()
	return StartEtcdCluster(tb, 1, options...)[0]
}

// StartEtcdCluster starts a cluster of n servers and ends it with the test.
func StartEtcdCluster(tb testing.TB, n int, options ...EtcdOption) []*Etcd {
	tb.Helper()
	Need(tb, "etcd", "apt-get install etcd-server")
	dir := tb.TempDir()
	nodes := make([]*Etcd, n)
	var initial []string
	for i := range nodes {
		e := &Etcd{name: fmt.Sprintf("n%d", i), peer: "http://" + freeAddress(tb)}
		for _, o := range options {
			o(e)
		}
		e.DataDir = filepath.Join(dir, e.name)
		e.Endpoint = e.scheme() + "://" + freeAddress(tb)
		e.client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: e.tls()}, Timeout: 10 * time.Second}
		initial = append(initial, e.name+"="+e.peer)
		nodes[i] = e
	}
	for _, e := range nodes {
		e.initial = strings.Join(initial, ",")
		e.launch(tb)
		tb.Cleanup(func() { e.cmd.kill() })
	}
	for _, e := range nodes {
		e.ready(tb)
	}
	return nodes
}

func (e *Etcd) scheme() string {
	if e.ca != nil {
		return "https"
	}
	return "http"
}

func (e *Etcd) tls() *tls.Config {
	if e.ca == nil {
		return nil
	}
	return e.ca.client()
}

func (e *Etcd) launch(tb testing.TB) {
	tb.Helper()
	args := []string{
		"--name", e.name, "--data-dir", e.DataDir,
		"--listen-client-urls", e.Endpoint, "--advertise-client-urls", e.Endpoint,
		"--listen-peer-urls", e.peer, "--initial-advertise-peer-urls", e.peer, "--initial-cluster", e.initial,
		"--heartbeat-interval", "50", "--election-timeout", "500",
	}
	if e.ca != nil {
		pair := e.ca.Issue(tb, "127.0.0.1")
		args = append(args, "--cert-file", pair.Cert, "--key-file", pair.Key)
		if e.mutual {
			args = append(args, "--client-cert-auth", "--trusted-ca-file", e.ca.File)
		}
	}
	e.cmd = start(tb, exec.CommandContext(context.Background(), "etcd", append(args, e.args...)...))
}

// ready waits until the server answers, with a leader.
func (e *Etcd) ready(tb testing.TB) {
	tb.Helper()
	e.cmd.ready(tb, startup, func(ctx context.Context) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, e.Endpoint+"/health", nil)
		if err != nil {
			return err
		}
		resp, err := e.client.Do(req)
		if err != nil {
			return err
		}
		defer func() { _ = resp.Body.Close() }()
		body, err := io.ReadAll(resp.Body)
		if err == nil && !bytes.Contains(body, []byte(`"true"`)) {
			err = fmt.Errorf("not healthy: %s", body)
		}
		return err
	})
}

// Start starts a stopped server on the same address and data, and waits for it.
func (e *Etcd) Start(tb testing.TB) {
	tb.Helper()
	e.launch(tb)
	e.ready(tb)
}

// Put writes a key.
func (e *Etcd) Put(tb testing.TB, key, value string) {
	tb.Helper()
	e.call(tb, "kv/put", map[string]any{"key": b64(key), "value": b64(value)})
}

// Delete removes a key.
func (e *Etcd) Delete(tb testing.TB, key string) {
	tb.Helper()
	e.call(tb, "kv/deleterange", map[string]any{"key": b64(key)})
}

// Compact forgets every revision before the current one.
func (e *Etcd) Compact(tb testing.TB) {
	tb.Helper()
	e.call(tb, "kv/compaction", map[string]any{"revision": strconv.FormatInt(e.Revision(tb), 10), "physical": true})
}

// Revision returns the server's current revision.
func (e *Etcd) Revision(tb testing.TB) int64 {
	tb.Helper()
	var out struct {
		Header struct {
			Revision int64 `json:"revision,string"`
		} `json:"header"`
	}
	if err := json.Unmarshal(e.call(tb, "kv/range", map[string]any{"key": b64("\x00")}), &out); err != nil {
		tb.Fatal(err)
	}
	return out.Header.Revision
}

// IsLeader reports whether this server leads its cluster.
func (e *Etcd) IsLeader(tb testing.TB) bool {
	tb.Helper()
	var out struct {
		Leader string `json:"leader"`
		Header struct {
			Member string `json:"member_id"`
		} `json:"header"`
	}
	if err := json.Unmarshal(e.call(tb, "maintenance/status", map[string]any{}), &out); err != nil {
		tb.Fatal(err)
	}
	return out.Leader == out.Header.Member
}

// EnableAuth creates root and a user that may read and write keys from prefix
// on, and turns authentication on.
func (e *Etcd) EnableAuth(tb testing.TB, user, password, prefix string) {
	tb.Helper()
	e.call(tb, "auth/user/add", map[string]any{"name": "root", "password": "root"})
	e.call(tb, "auth/user/grant", map[string]any{"user": "root", "role": "root"})
	e.call(tb, "auth/role/add", map[string]any{"name": "agent"})
	e.call(tb, "auth/role/grant", map[string]any{"name": "agent", "perm": map[string]any{
		"permType": "READWRITE", "key": b64(prefix), "range_end": b64(prefix[:len(prefix)-1] + string(prefix[len(prefix)-1]+1)),
	}})
	e.call(tb, "auth/user/add", map[string]any{"name": user, "password": password})
	e.call(tb, "auth/user/grant", map[string]any{"user": user, "role": "agent"})
	e.call(tb, "auth/enable", map[string]any{})
	e.username, e.password = "root", "root"
}

// SetPassword changes the password of a user.
func (e *Etcd) SetPassword(tb testing.TB, user, password string) {
	tb.Helper()
	e.call(tb, "auth/user/changepw", map[string]any{"name": user, "password": password})
}

// call sends one request to the JSON gateway, which needs no client library.
func (e *Etcd) call(tb testing.TB, what string, request any) []byte {
	tb.Helper()
	token := ""
	if e.username != "" && what != "auth/authenticate" {
		var out struct{ Token string }
		if err := json.Unmarshal(e.call(tb, "auth/authenticate", map[string]any{"name": e.username, "password": e.password}), &out); err != nil {
			tb.Fatal(err)
		}
		token = out.Token
	}
	body, err := json.Marshal(request)
	if err != nil {
		tb.Fatal(err)
	}
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, e.Endpoint+"/v3/"+what, bytes.NewReader(body))
	if err != nil {
		tb.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", token)
	}
	resp, err := e.client.Do(req)
	if err != nil {
		tb.Errorf("etcd %s: %v", what, err)
		return nil
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		tb.Errorf("etcd %s: %s: %s (%v)", what, resp.Status, answer, err)
	}
	return answer
}

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
