package testserver

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A VaultOption changes how Vault is started.
type VaultOption func(*Vault)

// WithVaultTLS lets clients connect by TLS only, with certificates of ca; mutual
// asks them for one of their own.
func WithVaultTLS(ca *CA, mutual bool) VaultOption {
	return func(v *Vault) { v.ca, v.mutual = ca, mutual }
}

// A Vault is one Vault server, with its data in files of its own (Raft).
type Vault struct {
	machine

	Endpoint string // URL
	Root     string // the root token

	program string
	config  string
	key     string // unseals it
	ca      *CA
	mutual  bool
	client  *http.Client
}

// StartVault starts one server, initialised and unsealed, and ends it with the
// test. It has no mounts yet but its own.
func StartVault(tb testing.TB, options ...VaultOption) *Vault {
	tb.Helper()
	v := newVault(tb, options)
	v.initialise(tb)
	v.Unseal(tb)
	return v
}

// StartVaultCluster starts a cluster of n servers, the first of them active, and
// ends it with the test.
func StartVaultCluster(tb testing.TB, n int) []*Vault {
	tb.Helper()
	nodes := []*Vault{StartVault(tb)}
	first := nodes[0]
	first.Call(tb, http.MethodPost, "sys/storage/raft/autopilot/configuration", map[string]string{"server_stabilization_time": "100ms"})
	for len(nodes) < n {
		v := newVault(tb, nil)
		v.key, v.Root = first.key, first.Root
		v.Call(tb, http.MethodPost, "sys/storage/raft/join", map[string]string{"leader_api_addr": first.Endpoint})
		v.Call(tb, http.MethodPut, "sys/unseal", map[string]string{"key": v.key})
		// It is a standby once it has what the others have, and says so with 429.
		v.healthy(tb, http.StatusTooManyRequests)
		nodes = append(nodes, v)
	}
	// Before all of them have a vote, the others cannot go on without the first.
	first.cmd.ready(tb, startup, func(ctx context.Context) error {
		body, _, err := first.request(ctx, http.MethodGet, "sys/storage/raft/configuration", nil)
		if voters := bytes.Count(body, []byte(`"voter":true`)); err == nil && voters < n {
			err = fmt.Errorf("%d voters", voters)
		}
		return err
	})
	return nodes
}

// newVault starts a server that holds nothing yet.
func newVault(tb testing.TB, options []VaultOption) *Vault {
	tb.Helper()
	v := &Vault{program: tool(tb, "vault")}
	for _, o := range options {
		o(v)
	}
	dir := tb.TempDir()
	v.DataDir = filepath.Join(dir, "data")
	v.config = filepath.Join(dir, "vault.json")
	if err := os.Mkdir(v.DataDir, 0o700); err != nil {
		tb.Fatal(err)
	}
	v.configure(tb)
	v.launch(tb)
	tb.Cleanup(func() { v.cmd.kill() })
	return v
}

// configure writes the configuration.
func (v *Vault) configure(tb testing.TB) {
	tb.Helper()
	address, cluster := freeAddress(tb), freeAddress(tb)
	listener := map[string]any{
		"address": address, "cluster_address": cluster, "tls_disable": v.ca == nil,
		"max_json_string_value_length": 8 << 20, // so that a value over our own limit can be written
	}
	v.Endpoint = "http://" + address
	transport := &http.Transport{}
	if v.ca != nil {
		pair := v.ca.Issue(tb, "127.0.0.1")
		v.Endpoint = "https://" + address
		listener["tls_cert_file"], listener["tls_key_file"], listener["tls_client_ca_file"] = pair.Cert, pair.Key, v.ca.File
		listener["tls_require_and_verify_client_cert"] = v.mutual
		transport.TLSClientConfig = v.ca.client()
	}
	v.client = &http.Client{Transport: transport, Timeout: 30 * time.Second}
	b, err := json.Marshal(map[string]any{
		"storage": map[string]any{"raft": map[string]any{
			"path": v.DataDir, "node_id": address, "performance_multiplier": 1, "max_entry_size": 16 << 20,
		}},
		"listener": map[string]any{"tcp": listener}, "disable_mlock": true, "log_level": "error",
		"api_addr": v.Endpoint, "cluster_addr": "https://" + cluster,
	})
	if err != nil {
		tb.Fatal(err)
	}
	if err := os.WriteFile(v.config, b, 0o600); err != nil {
		tb.Fatal(err)
	}
}

func (v *Vault) launch(tb testing.TB) {
	tb.Helper()
	cmd := exec.CommandContext(context.Background(), v.program, "server", "-config="+v.config)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")} // it writes the names of all variables to its log
	v.cmd = start(tb, cmd)
	v.cmd.ready(tb, startup, func(ctx context.Context) error {
		_, status, err := v.request(ctx, http.MethodGet, "sys/seal-status", nil)
		if err == nil && status != http.StatusOK {
			err = fmt.Errorf("status %d", status)
		}
		return err
	})
}

func (v *Vault) initialise(tb testing.TB) {
	tb.Helper()
	var out struct {
		Keys []string `json:"keys"`
		Root string   `json:"root_token"`
	}
	if err := json.Unmarshal(v.Call(tb, http.MethodPut, "sys/init", map[string]int{"secret_shares": 1, "secret_threshold": 1}), &out); err != nil || len(out.Keys) != 1 {
		tb.Fatalf("init: %v", err)
	}
	v.key, v.Root = out.Keys[0], out.Root
}

// Unseal unseals the server and waits until it serves.
func (v *Vault) Unseal(tb testing.TB) {
	tb.Helper()
	v.Call(tb, http.MethodPut, "sys/unseal", map[string]string{"key": v.key})
	v.healthy(tb, http.StatusOK)
}

// healthy waits until the server says of itself what status stands for.
func (v *Vault) healthy(tb testing.TB, status int) {
	tb.Helper()
	v.cmd.ready(tb, startup, func(ctx context.Context) error {
		_, got, err := v.request(ctx, http.MethodGet, "sys/health", nil)
		if err == nil && got != status {
			err = fmt.Errorf("status %d", got)
		}
		return err
	})
}

// Seal seals the server: it answers, and refuses everything.
func (v *Vault) Seal(tb testing.TB) {
	tb.Helper()
	v.Call(tb, http.MethodPut, "sys/seal", nil)
}

// Stop kills the server as a power cut would; what it holds stays.
func (v *Vault) Stop(tb testing.TB) {
	tb.Helper()
	v.machine.Stop(tb)
	v.client.CloseIdleConnections()
}

// Start starts a stopped server on the same address and data, and unseals it.
func (v *Vault) Start(tb testing.TB) {
	tb.Helper()
	v.launch(tb)
	v.Unseal(tb)
}

// StartSealed starts a stopped server as it starts by itself: sealed.
func (v *Vault) StartSealed(tb testing.TB) {
	tb.Helper()
	v.launch(tb)
}

// Mount mounts a key-value engine of a version at path.
func (v *Vault) Mount(tb testing.TB, path string, version int) {
	tb.Helper()
	v.Call(tb, http.MethodPost, "sys/mounts/"+path, map[string]any{"type": "kv", "options": map[string]string{"version": strconv.Itoa(version)}})
	// Version 2 is made ready in the background, and says so meanwhile.
	v.cmd.ready(tb, startup, func(ctx context.Context) error {
		body, status, err := v.request(ctx, http.MethodGet, path+"/metadata?list=true", nil)
		if err == nil && status >= http.StatusBadRequest && status != http.StatusNotFound {
			err = fmt.Errorf("status %d: %s", status, body)
		}
		return err
	})
}

// Enable mounts a login method at path, and reports whether this Vault has it.
func (v *Vault) Enable(tb testing.TB, path, method string) bool {
	tb.Helper()
	if _, status, err := v.request(context.Background(), http.MethodGet, "sys/plugins/catalog/auth/"+method, nil); err != nil || status != http.StatusOK {
		return false
	}
	v.Call(tb, http.MethodPost, "sys/auth/"+path, map[string]string{"type": method})
	return true
}

// Works reports whether a token may read path.
func (v *Vault) Works(tb testing.TB, token, path string) bool {
	tb.Helper()
	as := *v
	as.Root = token
	_, status, err := as.request(context.Background(), http.MethodGet, path, nil)
	if err != nil {
		tb.Error(err)
	}
	return status == http.StatusOK
}

// Policy writes a policy in Vault's own language.
func (v *Vault) Policy(tb testing.TB, name, rules string) {
	tb.Helper()
	v.Call(tb, http.MethodPut, "sys/policies/acl/"+name, map[string]string{"policy": rules})
}

// Token creates a token with the properties that Vault's protocol names.
func (v *Vault) Token(tb testing.TB, properties map[string]any) string {
	tb.Helper()
	var out struct {
		Auth struct {
			ClientToken string `json:"client_token"`
		} `json:"auth"`
	}
	if err := json.Unmarshal(v.Call(tb, http.MethodPost, "auth/token/create", properties), &out); err != nil {
		tb.Fatal(err)
	}
	return out.Auth.ClientToken
}

// Call sends one request of Vault's protocol as root, and returns the answer. A
// path is below /v1/ and escaped.
func (v *Vault) Call(tb testing.TB, method, path string, body any) []byte {
	tb.Helper()
	answer, status, err := v.request(context.Background(), method, path, body)
	if err != nil || status >= http.StatusBadRequest {
		tb.Errorf("vault %s %s: status %d: %s (%v)", method, path, status, answer, err)
	}
	return answer
}

func (v *Vault) request(ctx context.Context, method, path string, body any) (answer []byte, status int, err error) {
	var sent []byte
	if body != nil {
		if sent, err = json.Marshal(body); err != nil {
			return nil, 0, err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, v.Endpoint+"/v1/"+path, bytes.NewReader(sent))
	if err != nil {
		return nil, 0, err
	}
	req.Header.Set("X-Vault-Token", v.Root)
	resp, err := v.client.Do(req)
	if err != nil {
		return nil, 0, err
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err = io.ReadAll(resp.Body)
	return answer, resp.StatusCode, err
}

// Command runs the vendor's command line as root and returns what it prints.
func (v *Vault) Command(tb testing.TB, args ...string) string {
	tb.Helper()
	cmd := exec.CommandContext(context.Background(), v.program, args...)
	cmd.Env = append(os.Environ(), "VAULT_ADDR="+v.Endpoint, "VAULT_TOKEN="+v.Root, "HOME="+tb.TempDir())
	if v.ca != nil {
		cmd.Env = append(cmd.Env, "VAULT_CACERT="+v.ca.File)
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		tb.Fatalf("vault %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}
