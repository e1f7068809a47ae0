package kubernetes

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
	"datakit.dev/internal/store/httpnodes"
)

// A place is the pod that the agent runs in, as Kubernetes shows it to the pod.
type place struct {
	node string // URL of the API server; "" outside of a cluster
	dir  string // with the service account's token, ca.crt and namespace
}

const accountDir = "/var/run/secrets/kubernetes.io/serviceaccount"

// inCluster returns the pod that this process is in.
func inCluster() place {
	host, port := os.Getenv("KUBERNETES_SERVICE_HOST"), os.Getenv("KUBERNETES_SERVICE_PORT")
	if host == "" || port == "" {
		return place{}
	}
	return place{node: "https://" + net.JoinHostPort(host, port), dir: accountDir}
}

// An api sends the requests.
type api struct {
	client    *httpnodes.Client
	namespace string
	selector  string
	kinds     []kind
	token     string // as it is written in auth_token
	tokenFile string // read at each request: the cluster replaces it every hour
}

func newAPI(v spec.Values, pod place) (api, error) {
	a := api{namespace: strings.TrimSpace(v.String("confd_namespace")), selector: strings.TrimSpace(v.String("filter")), token: strings.TrimSpace(v.String("auth_token"))}
	v = maps.Clone(v)
	if v.String("scheme") == "" {
		v["scheme"] = "https"
	}
	if err := a.fromPod(v, pod); err != nil {
		return a, err
	}
	if a.selector == "" {
		a.selector = defaultSelector
	}
	if !namespaceName.MatchString(a.namespace) {
		return a, errors.New(`confd_namespace: expected the name of a namespace, such as "datakit"`)
	}
	if strings.ContainsFunc(a.token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return a, errors.New("auth_token: expected a token without spaces")
	}
	if err := checkSelector(a.selector); err != nil {
		return a, err
	}
	var err error
	if a.kinds, err = kindsOf(v.String("table")); err != nil {
		return a, err
	}
	a.client, err = httpnodes.New("kubernetes", "6443", v)
	return a, err
}

// fromPod fills in what the pod knows. Its token goes to the cluster's own server
// only, and never to nodes that somebody has written.
func (a *api) fromPod(v spec.Values, pod place) error {
	files := v.Strings("file")
	if len(files) > 1 {
		return errors.New("file: expected one file, with the token")
	}
	if len(files) == 1 {
		if a.tokenFile = files[0]; a.token != "" {
			return errors.New("auth_token and file are two tokens: set one")
		}
	}
	if a.namespace == "" && pod.dir != "" {
		name, err := os.ReadFile(filepath.Join(pod.dir, "namespace"))
		if err != nil {
			return fmt.Errorf("confd_namespace is not set, and the pod's own cannot be read: %w", err)
		}
		a.namespace = strings.TrimSpace(string(name))
	}
	if a.namespace == "" {
		a.namespace = "default"
	}
	if len(v.Strings("nodes")) > 0 {
		return nil
	}
	if pod.node == "" {
		return errors.New(`backend "kubernetes" needs nodes outside of a cluster, such as ["https://10.0.0.1:6443"]`)
	}
	v["nodes"] = []string{pod.node}
	if v.String("client_ca_keys") == "" {
		v["client_ca_keys"] = filepath.Join(pod.dir, "ca.crt")
	}
	if a.token == "" && a.tokenFile == "" && v.String("client_cert") == "" {
		a.tokenFile = filepath.Join(pod.dir, "token")
	}
	return nil
}

// path returns the path of all objects of k, or of one.
func (a api) path(k kind, name ...string) string {
	return "/api/v1/namespaces/" + a.namespace + "/" + k.plural() + strings.Join(append([]string{""}, name...), "/")
}

// maxToken bounds the file with the token.
const maxToken = 64 << 10

// header returns the header of a request, with the token of now.
func (a api) header(accept string) (http.Header, error) {
	h := http.Header{"Accept": {accept}, "User-Agent": {"datakit"}}
	token := a.token
	if a.tokenFile != "" {
		info, err := os.Stat(a.tokenFile)
		if err == nil && (!info.Mode().IsRegular() || info.Size() > maxToken) {
			err = errors.New("no regular file of a sane size")
		}
		var text []byte
		if err == nil {
			text, err = os.ReadFile(a.tokenFile)
		}
		if err != nil {
			return nil, fmt.Errorf("%w: the token: %w", store.ErrUnavailable, err)
		}
		if token = strings.TrimSpace(string(text)); strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
			return nil, fmt.Errorf("%w: %s holds no token", store.ErrUnavailable, a.tokenFile)
		}
	}
	if token != "" {
		h.Set("Authorization", "Bearer "+token)
	}
	return h, nil
}

// slow is how long a server may take for a list, beside the usual time.
const slow = 5 * time.Second

// do sends r.
func (a api) do(ctx context.Context, r httpnodes.Request) (httpnodes.Response, error) {
	h, err := a.header("application/json")
	if err != nil {
		return httpnodes.Response{}, err
	}
	maps.Copy(h, r.Header)
	r.Header, r.Long = h, slow
	return a.client.Do(ctx, r)
}

// errForeign marks what no Kubernetes would say: another server has the port, or
// sits between. Taken for an answer, it could be an empty tree.
var errForeign = errors.New("this is no answer of a Kubernetes API server")

// errExpired says that the server no longer knows a resource version.
var errExpired = errors.New("the server no longer knows that version")

// A verdict is what Kubernetes says instead of an answer: an object of kind
// Status.
type verdict struct {
	Kind    string `json:"kind"`
	Message string `json:"message"`
	Reason  string `json:"reason"`
	Code    int    `json:"code"`
}

// refusal is the error of an answer that is not what was asked for.
func (a api) refusal(resp httpnodes.Response) error {
	var v verdict
	if json.Unmarshal(resp.Body, &v) != nil || v.Kind != "Status" {
		v = verdict{Message: fmt.Sprintf("a page of %d bytes", len(resp.Body))}
		if resp.Status < http.StatusInternalServerError && resp.Status != http.StatusUnauthorized && resp.Status != http.StatusForbidden {
			return fmt.Errorf("%w: %w: %s answers %d", store.ErrUnavailable, errForeign, resp.Node, resp.Status)
		}
	}
	v.Code = resp.Status
	return fmt.Errorf("%s: %w", resp.Node, a.verdict(v))
}

// verdict is the error that v stands for.
func (a api) verdict(v verdict) error {
	said := a.told(v.Message)
	switch v.Code {
	case http.StatusUnauthorized:
		return fmt.Errorf("%w: %s (is the token or the certificate of this cluster, and still valid?)", store.ErrDenied, said)
	case http.StatusForbidden:
		return fmt.Errorf("%w: %s (grant it with a Role in namespace %s, or set table to the kind that is granted)", store.ErrDenied, said, a.namespace)
	case http.StatusGone:
		return fmt.Errorf("%w: %w: %s", store.ErrUnavailable, errExpired, said)
	case http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusRequestEntityTooLarge:
		return fmt.Errorf("the server refuses: %s", said)
	}
	return fmt.Errorf("%w: status %d: %s", store.ErrUnavailable, v.Code, said)
}

// maxTold bounds what we repeat of a server's text.
const maxTold = 400

// told returns what a server says as one line for an error, without the token
// that a proxy may have echoed.
func (a api) told(text string) string {
	if len(text) > 10*maxTold {
		return fmt.Sprintf("a text of %d bytes", len(text))
	}
	if a.token != "" {
		text = strings.ReplaceAll(text, a.token, "…")
	}
	text = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(text, "?"), func(r rune) bool { return r <= ' ' || r == 0x7f }), " ")
	if len(text) > maxTold {
		text = strings.ToValidUTF8(text[:maxTold], "") + " …"
	}
	if text == "" {
		return "no reason given"
	}
	return text
}
