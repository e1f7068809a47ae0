package testserver

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// kubeMaster is the token that may do everything.
const kubeMaster = "da7a417-test-operator"

// A Kubernetes is one API server of Kubernetes, whose objects are in an etcd of
// its own. No other part of a cluster runs: objects can be had, pods cannot.
type Kubernetes struct {
	Endpoint string // URL
	Token    string // that may do everything
	CA       *CA    // which has signed the server's certificate

	program string
	dir     string
	etcd    *Etcd
	cmd     *process
	client  *http.Client
}

// StartKubernetes starts an API server and ends it with the test.
func StartKubernetes(tb testing.TB) *Kubernetes {
	tb.Helper()
	k := &Kubernetes{program: tool(tb, "kube-apiserver"), dir: tb.TempDir(), Token: kubeMaster, CA: NewCA(tb), Endpoint: "https://" + freeAddress(tb)}
	k.etcd = StartEtcd(tb)
	conf := k.CA.client()
	conf.GetClientCertificate = nil // the server would take its name, and not the token's
	k.client = &http.Client{Transport: &http.Transport{TLSClientConfig: conf}, Timeout: 30 * time.Second}
	k.writeFiles(tb)
	k.launch(tb)
	tb.Cleanup(func() { k.cmd.kill() })
	k.ready(tb)
	return k
}

// writeFiles writes the key that signs the tokens of service accounts, and the
// list of fixed tokens.
func (k *Kubernetes) writeFiles(tb testing.TB) {
	tb.Helper()
	key := newKey(tb)
	private, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		tb.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		tb.Fatal(err)
	}
	writePEM(tb, k.file("sa.key"), "EC PRIVATE KEY", private)
	writePEM(tb, k.file("sa.pub"), "PUBLIC KEY", public)
	if err := os.WriteFile(k.file("tokens.csv"), []byte(kubeMaster+`,operator,1,"system:masters"`+"\n"), 0o600); err != nil {
		tb.Fatal(err)
	}
}

func (k *Kubernetes) file(name string) string { return filepath.Join(k.dir, name) }

// Address returns host:port of the server.
func (k *Kubernetes) Address() string { return strings.TrimPrefix(k.Endpoint, "https://") }

func (k *Kubernetes) launch(tb testing.TB) {
	tb.Helper()
	pair := k.CA.Issue(tb, "127.0.0.1")
	host, port, _ := strings.Cut(k.Address(), ":")
	k.cmd = start(tb, exec.CommandContext(context.Background(), k.program,
		"--etcd-servers="+k.etcd.Endpoint, "--bind-address="+host, "--secure-port="+port, "--advertise-address="+host,
		"--tls-cert-file="+pair.Cert, "--tls-private-key-file="+pair.Key, "--client-ca-file="+k.CA.File, "--token-auth-file="+k.file("tokens.csv"),
		"--service-account-issuer=https://kubernetes.test", "--service-account-key-file="+k.file("sa.pub"),
		"--service-account-signing-key-file="+k.file("sa.key"), "--authorization-mode=RBAC", "--service-cluster-ip-range=10.0.0.0/24",
		"--endpoint-reconciler-type=none", "--profiling=false", "--v=0",
	))
}

// ready waits until the server serves, with its own roles and namespaces made.
func (k *Kubernetes) ready(tb testing.TB) {
	tb.Helper()
	k.cmd.ready(tb, startup, func(ctx context.Context) error {
		for _, path := range []string{"/readyz", "/api/v1/namespaces/default"} {
			body, status, err := k.send(ctx, http.MethodGet, path, "", nil)
			if err == nil && status != http.StatusOK {
				err = fmt.Errorf("status %d: %s", status, body)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// Stop kills the server as a power cut would; what it holds stays.
func (k *Kubernetes) Stop(testing.TB) { k.cmd.kill() }

// Start starts a stopped server on the same address and data, and waits for it.
func (k *Kubernetes) Start(tb testing.TB) {
	tb.Helper()
	k.launch(tb)
	k.ready(tb)
}

// Pause freezes the server: it keeps its connections and answers nothing.
func (k *Kubernetes) Pause(tb testing.TB) {
	tb.Helper()
	k.cmd.pause(tb)
}

// Resume ends Pause.
func (k *Kubernetes) Resume(tb testing.TB) {
	tb.Helper()
	k.cmd.resume(tb)
}

// Save copies all that the cluster holds, as a backup.
func (k *Kubernetes) Save(tb testing.TB) (dir string) {
	tb.Helper()
	k.cmd.kill()
	k.etcd.Stop(tb)
	dir = k.etcd.Save(tb)
	k.etcd.Start(tb)
	k.Start(tb)
	return dir
}

// Restore puts a backup in the place of all that the cluster holds.
func (k *Kubernetes) Restore(tb testing.TB, dir string) {
	tb.Helper()
	k.cmd.kill()
	k.etcd.Stop(tb)
	k.etcd.Restore(tb, dir)
	k.etcd.Start(tb)
	k.Start(tb)
}

// Compact lets the server forget every version before the current one.
func (k *Kubernetes) Compact(tb testing.TB) {
	tb.Helper()
	k.etcd.Compact(tb)
}

// An Object is a manifest: what would be written in YAML.
type Object = map[string]any

// Namespace makes a namespace.
func (k *Kubernetes) Namespace(tb testing.TB, name string) {
	tb.Helper()
	k.Apply(tb, "/api/v1/namespaces/"+name, Object{"apiVersion": "v1", "kind": "Namespace"})
}

// Apply makes the object at path be as o says, by server-side apply.
func (k *Kubernetes) Apply(tb testing.TB, path string, o Object) {
	tb.Helper()
	meta, _ := o["metadata"].(Object)
	if meta == nil {
		meta = Object{}
	}
	meta["name"] = filepath.Base(path)
	o["metadata"] = meta
	k.call(tb, http.MethodPatch, path+"?fieldManager=operator&force=true", "application/apply-patch+yaml", o)
}

// Remove removes the object at path.
func (k *Kubernetes) Remove(tb testing.TB, path string) {
	tb.Helper()
	k.call(tb, http.MethodDelete, path, "", nil)
}

// ConfigMap makes a ConfigMap be as it is given: labels and annotations of "k=v".
func (k *Kubernetes) ConfigMap(tb testing.TB, namespace, name string, labels, annotations, values map[string]string) {
	tb.Helper()
	text, binary := Object{}, Object{}
	for entry, v := range values {
		if utf8.ValidString(v) {
			text[entry] = v
		} else {
			binary[entry] = []byte(v)
		}
	}
	k.Apply(tb, "/api/v1/namespaces/"+namespace+"/configmaps/"+name, Object{
		"apiVersion": "v1", "kind": "ConfigMap", "metadata": Object{"labels": labels, "annotations": annotations}, "data": text, "binaryData": binary,
	})
}

// Secret makes a Secret be as it is given.
func (k *Kubernetes) Secret(tb testing.TB, namespace, name string, labels, annotations, values map[string]string) {
	tb.Helper()
	bytes := map[string][]byte{}
	for entry, v := range values {
		bytes[entry] = []byte(v)
	}
	k.Apply(tb, "/api/v1/namespaces/"+namespace+"/secrets/"+name, Object{
		"apiVersion": "v1", "kind": "Secret", "metadata": Object{"labels": labels, "annotations": annotations}, "data": bytes,
	})
}

// Edit sets one entry of a ConfigMap, or takes it out where value is nil, whoever
// has written it: as `kubectl edit` does.
func (k *Kubernetes) Edit(tb testing.TB, namespace, name, entry string, value *string) {
	tb.Helper()
	k.call(tb, http.MethodPatch, "/api/v1/namespaces/"+namespace+"/configmaps/"+name, "application/merge-patch+json",
		Object{"data": Object{entry: value}})
}

// Put writes key into a ConfigMap of its own that bears the label
// datakit.dev/config: true.
func (k *Kubernetes) Put(tb testing.TB, namespace, key, value string) {
	tb.Helper()
	folder, entry := "", key
	if i := strings.LastIndexByte(key, '/'); i >= 0 {
		folder, entry = key[:i], key[i+1:]
	}
	k.ConfigMap(tb, namespace, objectOf(key), map[string]string{"datakit.dev/config": "true"},
		map[string]string{"datakit.dev/path": folder}, map[string]string{entry: value})
}

// Delete removes the ConfigMap of a key that Put has written.
func (k *Kubernetes) Delete(tb testing.TB, namespace, key string) {
	tb.Helper()
	k.Remove(tb, "/api/v1/namespaces/"+namespace+"/configmaps/"+objectOf(key))
}

// objectOf returns the name of the object that Put writes a key to: it comes
// before those that the store makes itself, so that its value counts.
func objectOf(key string) string {
	sum := sha256.Sum256([]byte(key))
	return "a-" + hex.EncodeToString(sum[:8])
}

// Grant makes a service account that may do what rules say in namespace, and
// returns a token of it that ends with the Secret of that name.
func (k *Kubernetes) Grant(tb testing.TB, namespace, account string, rules ...Object) (token string) {
	tb.Helper()
	in := "/api/v1/namespaces/" + namespace
	rbac := "/apis/rbac.authorization.k8s.io/v1/namespaces/" + namespace
	k.Apply(tb, in+"/serviceaccounts/"+account, Object{"apiVersion": "v1", "kind": "ServiceAccount"})
	k.Apply(tb, rbac+"/roles/"+account, Object{"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "rules": rules})
	k.Apply(tb, rbac+"/rolebindings/"+account, Object{
		"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
		"roleRef":  Object{"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": account},
		"subjects": []Object{{"kind": "ServiceAccount", "name": account, "namespace": namespace}},
	})
	return k.Issue(tb, namespace, account, account+"-token")
}

// Issue returns a further token of an account, which ends when the Secret until
// is removed.
func (k *Kubernetes) Issue(tb testing.TB, namespace, account, until string) (token string) {
	tb.Helper()
	in := "/api/v1/namespaces/" + namespace
	k.Apply(tb, in+"/secrets/"+until, Object{"apiVersion": "v1", "kind": "Secret"})
	var secret struct {
		Metadata struct{ UID string }
	}
	k.read(tb, k.call(tb, http.MethodGet, in+"/secrets/"+until, "", nil), &secret)
	var out struct{ Status struct{ Token string } }
	k.read(tb, k.call(tb, http.MethodPost, in+"/serviceaccounts/"+account+"/token", "application/json", Object{
		"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
		"spec": Object{"expirationSeconds": 3600, "boundObjectRef": Object{"apiVersion": "v1", "kind": "Secret", "name": until, "uid": secret.Metadata.UID}},
	}), &out)
	return out.Status.Token
}

// May reports whether the server would let user do that.
func (k *Kubernetes) May(tb testing.TB, user, verb, resource, namespace string) bool {
	tb.Helper()
	var out struct{ Status struct{ Allowed bool } }
	k.read(tb, k.call(tb, http.MethodPost, "/apis/authorization.k8s.io/v1/subjectaccessreviews", "application/json", Object{
		"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview",
		"spec": Object{"user": user, "resourceAttributes": Object{"verb": verb, "resource": resource, "namespace": namespace}},
	}), &out)
	return out.Status.Allowed
}

// Kubectl runs the vendor's command line with input on its standard input, and
// returns what it prints.
func (k *Kubernetes) Kubectl(tb testing.TB, input string, args ...string) string {
	tb.Helper()
	cmd := exec.CommandContext(context.Background(), filepath.Join(filepath.Dir(k.program), "kubectl"),
		append([]string{"--server=" + k.Endpoint, "--token=" + k.Token, "--certificate-authority=" + k.CA.File}, args...)...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + k.dir, "KUBECONFIG=/dev/null"}
	cmd.Stdin = strings.NewReader(input)
	out, err := cmd.CombinedOutput()
	if err != nil {
		tb.Errorf("kubectl %s: %v: %s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// Shell runs a text as an operator types it, in dir: its kubectl, and its helm
// where that is installed, talk to this server.
func (k *Kubernetes) Shell(tb testing.TB, dir, text string) string {
	tb.Helper()
	bin := tb.TempDir()
	for name, line := range map[string]string{
		"kubectl": fmt.Sprintf("exec %s --server=%s --token=%s --certificate-authority=%s", filepath.Join(filepath.Dir(k.program), "kubectl"), k.Endpoint, k.Token, k.CA.File),
		"helm":    fmt.Sprintf("exec %s --kube-apiserver=%s --kube-token=%s --kube-ca-file=%s", tool(tb, "helm"), k.Endpoint, k.Token, k.CA.File),
	} {
		script := "#!/bin/sh\n" + line + ` "$@"` + "\n"
		if err := os.WriteFile(filepath.Join(bin, name), []byte(script), 0o700); err != nil { //nolint:gosec // a program
			tb.Fatal(err)
		}
	}
	cmd := exec.CommandContext(context.Background(), "sh", "-euc", text)
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + bin + ":" + os.Getenv("PATH"), "HOME=" + k.dir, "KUBECONFIG=" + os.DevNull}
	out, err := cmd.CombinedOutput()
	if err != nil {
		tb.Errorf("%v: %s\n%s", err, text, out)
	}
	return string(out)
}

// Get returns what the server has at path.
func (k *Kubernetes) Get(tb testing.TB, path string) []byte {
	tb.Helper()
	return k.call(tb, http.MethodGet, path, "", nil)
}

func (k *Kubernetes) read(tb testing.TB, text []byte, into any) {
	tb.Helper()
	if err := json.Unmarshal(text, into); err != nil {
		tb.Fatalf("%v: %s", err, text)
	}
}

// call sends one request that has to succeed.
func (k *Kubernetes) call(tb testing.TB, method, path, media string, body any) []byte {
	tb.Helper()
	var text []byte
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			tb.Fatal(err)
		}
	}
	answer, status, err := k.send(context.Background(), method, path, media, text)
	if err == nil && status >= http.StatusBadRequest {
		err = errors.New(http.StatusText(status))
	}
	if err != nil {
		tb.Errorf("kubernetes %s %s: %v: %s", method, path, err, answer)
	}
	return answer
}

func (k *Kubernetes) send(ctx context.Context, method, path, media string, body []byte) ([]byte, int, error) {
	req, err := http.NewRequestWithContext(ctx, method, k.Endpoint+path, bytes.NewReader(body))
	if err != nil {
		return nil, 0, err
	}
	req.Header.Set("Authorization", "Bearer "+k.Token)
	if media != "" {
		req.Header.Set("Content-Type", media)
	}
	resp, err := k.client.Do(req)
	if err != nil {
		return nil, 0, err
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	return answer, resp.StatusCode, err
}
