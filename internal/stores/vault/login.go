package vault

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"

	"datakit.dev/internal/spec"
)

// A method is one way to log in.
type method struct {
	name   string
	values spec.Values
	mount  string // where the method is mounted: "auth/userpass"
}

// A form says what one method needs of the options and what else it may use.
type form struct {
	name        string
	needs, uses []string
	mounted     bool // it logs in at a mount; otherwise path has no meaning
}

func forms() []form {
	return []form{
		{name: "token", needs: []string{"auth_token"}},
		{name: "userpass", needs: []string{"username", "password"}, uses: []string{"basic_auth"}, mounted: true},
		{name: "approle", needs: []string{"role_id"}, uses: []string{"secret_id"}, mounted: true},
		{name: "app-id", needs: []string{"app_id", "user_id"}, mounted: true},
		{name: "kubernetes", needs: []string{"role"}, uses: []string{"file"}, mounted: true},
		{name: "cert", needs: []string{"client_cert", "client_key"}, uses: []string{"role"}, mounted: true},
		{name: "github", needs: []string{"auth_token"}, mounted: true},
		{name: "none"}, // a Vault agent in between that adds a token of its own
	}
}

// methodOf returns the method that the options ask for, and refuses those that
// can never work: a login that is half of one method and half of another.
func methodOf(v spec.Values) (method, error) {
	kind := v.String("auth_type")
	if kind == "" {
		kind = guess(v)
	}
	all := forms()
	at := slices.IndexFunc(all, func(f form) bool { return f.name == kind })
	if at < 0 {
		return method{}, errors.New("auth_type is none of token, userpass, approle, app-id, kubernetes, cert and github")
	}
	f := all[at]
	for _, key := range f.needs {
		if !set(v, key) {
			return method{}, fmt.Errorf("auth_type %s needs %s", f.name, key)
		}
	}
	if v.Bool("basic_auth") && f.name != "userpass" {
		return method{}, errors.New("basic_auth is auth_type userpass: choose one")
	}
	for _, key := range []string{"auth_token", "username", "password", "role_id", "secret_id", "app_id", "user_id", "role", "path", "file"} {
		if set(v, key) && !slices.Contains(f.needs, key) && !slices.Contains(f.uses, key) && (key != "path" || !f.mounted) {
			return method{}, fmt.Errorf("auth_type %s does not use %s", f.name, key)
		}
	}
	m := method{name: f.name, values: v, mount: "auth/" + f.name}
	return m, m.check()
}

// guess returns the method whose options are there, where none is named.
func guess(v spec.Values) string {
	switch {
	case v.Bool("basic_auth"), set(v, "username"):
		return "userpass"
	case set(v, "auth_token"):
		return "token"
	case set(v, "role_id"):
		return "approle"
	}
	return "none"
}

func set(v spec.Values, key string) bool { return v.String(key) != "" || len(v.Strings(key)) > 0 }

func (m *method) check() error {
	if path := strings.Trim(m.values.String("path"), "/"); path != "" {
		path = strings.TrimPrefix(path, "auth/")
		if err := checkPath(path); err != nil {
			return fmt.Errorf("path: %w", err)
		}
		m.mount = "auth/" + escape(path)
	}
	if token := m.values.String("auth_token"); strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return errors.New("auth_token holds a space, a line break or another character that no token has")
	}
	if user := m.values.String("username"); user == "." || user == ".." {
		return errors.New("username: . and .. are none")
	}
	if len(m.values.Strings("file")) > 1 {
		return errors.New("file: one file holds the token of the service account")
	}
	return nil
}

// fixed is the token that needs no login, "" where there is none.
func (m *method) fixed() string {
	if m.name == "token" {
		return m.values.String("auth_token")
	}
	return ""
}

// logsIn reports whether the method can get a token anew.
func (m *method) logsIn() bool { return m.name != "token" && m.name != "none" }

// refused reports whether an answer that says the server is broken means that
// the login is wrong: GitHub's own 401 comes through Vault as a 500.
func (m *method) refused(a answer) bool {
	return m.name == "github" && a.status == http.StatusInternalServerError &&
		slices.ContainsFunc(a.said.Errors, func(s string) bool { return strings.Contains(s, ": 401 ") })
}

// secrets returns what no error may repeat.
func (m *method) secrets() []string {
	var out []string
	for _, key := range []string{"auth_token", "password", "secret_id", "user_id"} {
		if s := m.values.String(key); s != "" {
			out = append(out, s)
		}
	}
	return out
}

// request returns the path and the body of a login.
func (m *method) request() (path string, body map[string]string, err error) {
	v := m.values
	switch m.name {
	case "userpass":
		return m.mount + "/login/" + url.PathEscape(v.String("username")), map[string]string{"password": v.String("password")}, nil
	case "approle":
		body = map[string]string{"role_id": v.String("role_id")}
		if id := v.String("secret_id"); id != "" { // a role may do without
			body["secret_id"] = id
		}
	case "app-id":
		body = map[string]string{"app_id": v.String("app_id"), "user_id": v.String("user_id")}
	case "kubernetes":
		jwt, err := serviceToken(v.Strings("file"))
		if err != nil {
			return "", nil, err
		}
		body = map[string]string{"role": v.String("role"), "jwt": jwt}
	case "cert":
		body = map[string]string{}
		if role := v.String("role"); role != "" {
			body["name"] = role
		}
	case "github":
		body = map[string]string{"token": v.String("auth_token")}
	}
	return m.mount + "/login", body, nil
}

const (
	serviceFile = "/var/run/secrets/kubernetes.io/serviceaccount/token"
	maxToken    = 64 << 10
)

// serviceToken reads the token of the service account. It is read at each login:
// the cluster renews it on disk.
func serviceToken(files []string) (string, error) {
	name := serviceFile
	if len(files) > 0 {
		name = files[0]
	}
	f, err := os.Open(name)
	if err != nil {
		return "", fmt.Errorf("the token of the service account: %w", err)
	}
	defer func() { _ = f.Close() }()
	b, err := io.ReadAll(io.LimitReader(f, maxToken+1))
	switch {
	case err != nil:
		return "", fmt.Errorf("the token of the service account: %w", err)
	case len(b) > maxToken:
		return "", fmt.Errorf("the token of the service account: %s is over %d bytes", name, maxToken)
	}
	return strings.TrimSpace(string(b)), nil
}
