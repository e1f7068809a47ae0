package awsapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"datakit.dev/internal/store"
	"datakit.dev/internal/testserver"
)

// The endpoints of containers and the metadata of machines exist only inside
// AWS: what stands for them here is written from their documentation.

// in returns a finder in an environment of its own.
func in(t *testing.T, env map[string]string) finder {
	t.Helper()
	home := t.TempDir()
	return newFinder(func(name string) string {
		if v, ok := env[name]; ok {
			return v
		}
		return map[string]string{"HOME": home, "AWS_EC2_METADATA_DISABLED": "true"}[name]
	})
}

func write(t *testing.T, text string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// container is the endpoint of a container that wants a token.
func container(t *testing.T, token string, status int, body string) *httptest.Server {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != token {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}))
	t.Cleanup(srv.Close)
	return srv
}

// machine is the metadata of a machine that has a role, for version 2 only.
func machine(t *testing.T, role string) *httptest.Server {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch token := r.Header.Get("X-Aws-Ec2-Metadata-Token"); {
		case r.Method == http.MethodPut && r.URL.Path == "/latest/api/token" && r.Header.Get("X-Aws-Ec2-Metadata-Token-Ttl-Seconds") != "":
			fmt.Fprint(w, "a-token")
		case token != "a-token":
			w.WriteHeader(http.StatusUnauthorized)
		case r.URL.Path == "/latest/meta-data/placement/region":
			fmt.Fprint(w, "eu-central-1")
		case r.URL.Path == "/latest/meta-data/iam/security-credentials/" && role != "":
			fmt.Fprint(w, "the-role\n")
		case r.URL.Path == "/latest/meta-data/iam/security-credentials/the-role":
			fmt.Fprint(w, role)
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	t.Cleanup(srv.Close)
	return srv
}

const answer = `{"Code":"Success","AccessKeyId":"AK","SecretAccessKey":"SK","Token":"ST","Expiration":"2030-01-02T03:04:05Z"}`

func TestKeysAreFoundWhereTheToolsOfAWSLook(t *testing.T) {
	t.Parallel()
	credentials := write(t, "\ufeff[default]\naws_access_key_id = FILE\naws_secret_access_key=F # ours\n\n[other]\nAWS_ACCESS_KEY_ID=OTHER\naws_secret_access_key = O\naws_session_token = T\n")
	configuration := write(t, "[profile only]\naws_access_key_id=CONFIG\naws_secret_access_key=C\ns3 =\n  aws_access_key_id = nested\n[default]\naws_access_key_id=LOSES\nregion = eu-west-3\n")
	box := container(t, "let-me-in", http.StatusOK, answer)
	for name, c := range map[string]struct {
		env  map[string]string
		want string // access key, secret, token
	}{
		"environment":             {map[string]string{"AWS_ACCESS_KEY_ID": "E", "AWS_SECRET_ACCESS_KEY": "S"}, "E S "},
		"environment, session":    {map[string]string{"AWS_ACCESS_KEY_ID": "E", "AWS_SECRET_ACCESS_KEY": "S", "AWS_SESSION_TOKEN": "T"}, "E S T"},
		"environment before file": {map[string]string{"AWS_ACCESS_KEY_ID": "E", "AWS_SECRET_ACCESS_KEY": "S", "AWS_SHARED_CREDENTIALS_FILE": credentials}, "E S "},
		"credentials file":        {map[string]string{"AWS_SHARED_CREDENTIALS_FILE": credentials, "AWS_CONFIG_FILE": configuration}, "FILE F "},
		"profile":                 {map[string]string{"AWS_SHARED_CREDENTIALS_FILE": credentials, "AWS_PROFILE": "other"}, "OTHER O T"},
		"profile of config":       {map[string]string{"AWS_SHARED_CREDENTIALS_FILE": credentials, "AWS_CONFIG_FILE": configuration, "AWS_PROFILE": "only"}, "CONFIG C "},
		"container": {map[string]string{
			"AWS_CONTAINER_CREDENTIALS_FULL_URI": box.URL + "/v1", "AWS_CONTAINER_AUTHORIZATION_TOKEN": "let-me-in",
		}, "AK SK ST"},
		"container, token in a file": {map[string]string{
			"AWS_CONTAINER_CREDENTIALS_FULL_URI": box.URL, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": write(t, "let-me-in\n"),
		}, "AK SK ST"},
		"machine": {map[string]string{"AWS_EC2_METADATA_DISABLED": "", "AWS_EC2_METADATA_SERVICE_ENDPOINT": machine(t, answer).URL + "/"}, "AK SK ST"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := in(t, c.env).keys(t.Context())
			if s := got.AccessKeyID + " " + got.SecretAccessKey + " " + got.SessionToken; err != nil || s != c.want {
				t.Errorf("%q, %v; want %q", s, err, c.want)
			}
		})
	}
}

// The keys of whoever comes next would be those of somebody else.
func TestPlaceThatFailsIsNotPassedOver(t *testing.T) {
	t.Parallel()
	next := machine(t, answer).URL
	for name, c := range map[string]struct {
		env  map[string]string
		want error
		says string
	}{
		"no such profile":          {map[string]string{"AWS_PROFILE": "none"}, store.ErrDenied, "no AWS profile none"},
		"a profile of people":      {map[string]string{"AWS_CONFIG_FILE": write(t, "[default]\nsso_session = x\n")}, store.ErrDenied, "export-credentials"},
		"a profile of a program":   {map[string]string{"AWS_CONFIG_FILE": write(t, "[default]\ncredential_process = /bin/x\n")}, store.ErrDenied, "credential_process"},
		"a file that is a folder":  {map[string]string{"AWS_CONFIG_FILE": t.TempDir()}, store.ErrDenied, "AWS_CONFIG_FILE"},
		"no web identity":          {map[string]string{"AWS_WEB_IDENTITY_TOKEN_FILE": "/no/such", "AWS_ROLE_ARN": "r"}, store.ErrDenied, "web identity token"},
		"a token service away":     {map[string]string{"AWS_WEB_IDENTITY_TOKEN_FILE": write(t, "t"), "AWS_ROLE_ARN": "r", "AWS_ENDPOINT_URL_STS": "http://127.0.0.1:1"}, store.ErrUnavailable, "127.0.0.1:1"},
		"a container that fails":   {map[string]string{"AWS_CONTAINER_CREDENTIALS_FULL_URI": container(t, "", http.StatusInternalServerError, "").URL}, store.ErrUnavailable, "status 500"},
		"a container that refuses": {map[string]string{"AWS_CONTAINER_CREDENTIALS_FULL_URI": container(t, "x", http.StatusOK, answer).URL}, store.ErrDenied, "status 401"},
		"a container that mumbles": {map[string]string{"AWS_CONTAINER_CREDENTIALS_FULL_URI": container(t, "", http.StatusOK, "<html>").URL}, store.ErrUnavailable, "none"},
		"a container without keys": {map[string]string{"AWS_CONTAINER_CREDENTIALS_FULL_URI": container(t, "", http.StatusOK, "{}").URL}, store.ErrDenied, "no key"},
		"keys over the open net":   {map[string]string{"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://example.com/"}, store.ErrDenied, "plain HTTP"},
		"an odd address":           {map[string]string{"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://[::1"}, store.ErrDenied, "plain HTTP"},
		"no token file":            {map[string]string{"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:1", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/no/such"}, store.ErrDenied, "TOKEN_FILE"},
	} {
		t.Run(name, func(t *testing.T) {
			c.env["AWS_EC2_METADATA_DISABLED"], c.env["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = "", next
			_, err := in(t, c.env).keys(t.Context())
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v; want %v and %q", err, c.want, c.says)
			}
		})
	}
}

func TestNoKeysAnywhere(t *testing.T) {
	t.Parallel()
	for name, env := range map[string]map[string]string{
		"disabled":               {},
		"no such machine":        {"AWS_EC2_METADATA_DISABLED": "", "AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:1"},
		"a machine without role": {"AWS_EC2_METADATA_DISABLED": "", "AWS_EC2_METADATA_SERVICE_ENDPOINT": machine(t, "").URL},
		"a file without keys":    {"AWS_CONFIG_FILE": write(t, "[default]\nregion = eu-west-1\n")},
	} {
		if _, err := in(t, env).keys(t.Context()); !errors.Is(err, store.ErrDenied) || !strings.Contains(err.Error(), "set access_key and secret_key") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := in(t, map[string]string{
		"AWS_EC2_METADATA_DISABLED":         "",
		"AWS_EC2_METADATA_SERVICE_ENDPOINT": machine(t, `{"Code":"AssumeRoleUnauthorizedAccess"}`).URL,
	}).keys(t.Context()); !errors.Is(err, store.ErrDenied) || !strings.Contains(err.Error(), "AssumeRoleUnauthorizedAccess") {
		t.Errorf("a role that is refused: %v", err)
	}
}

func TestRegionIsFound(t *testing.T) {
	t.Parallel()
	file := write(t, "[default]\nregion = eu-west-3\n[profile p]\nregion=eu-north-1\n")
	ec2 := machine(t, "").URL
	for name, c := range map[string]struct {
		env     map[string]string
		machine bool
		want    string
		err     bool
	}{
		"environment":     {map[string]string{"AWS_REGION": "us-west-2", "AWS_DEFAULT_REGION": "x", "AWS_CONFIG_FILE": file}, true, "us-west-2", false},
		"default":         {map[string]string{"AWS_DEFAULT_REGION": "us-west-1"}, true, "us-west-1", false},
		"file":            {map[string]string{"AWS_CONFIG_FILE": file}, true, "eu-west-3", false},
		"profile":         {map[string]string{"AWS_CONFIG_FILE": file, "AWS_PROFILE": "p"}, true, "eu-north-1", false},
		"machine":         {map[string]string{"AWS_EC2_METADATA_DISABLED": "", "AWS_EC2_METADATA_SERVICE_ENDPOINT": ec2}, true, "eu-central-1", false},
		"not asked":       {map[string]string{"AWS_EC2_METADATA_DISABLED": "", "AWS_EC2_METADATA_SERVICE_ENDPOINT": ec2}, false, "", false},
		"nowhere":         {nil, true, "", true},
		"another host":    {map[string]string{"AWS_REGION": "evil.example/"}, true, "evil.example/", true},
		"no such profile": {map[string]string{"AWS_PROFILE": "none"}, true, "", true},
	} {
		got, err := in(t, c.env).region(t.Context(), c.machine)
		if got != c.want || (err != nil) != c.err {
			t.Errorf("%s: %q, %v; want %q", name, got, err, c.want)
		}
	}
}

// The token of Kubernetes is traded at a real token service.
func TestWebIdentity(t *testing.T) {
	t.Parallel()
	m := testserver.StartMoto(t, nil)
	role, token := "arn:aws:iam::123456789012:role/agent", write(t, "header.body.signature\n")
	for name, env := range map[string]map[string]string{
		"environment": {"AWS_WEB_IDENTITY_TOKEN_FILE": token, "AWS_ROLE_ARN": role, "AWS_ROLE_SESSION_NAME": "me"},
		"profile":     {"AWS_CONFIG_FILE": write(t, "[default]\nrole_arn = "+role+"\nweb_identity_token_file = "+token+"\n")},
	} {
		env["AWS_ENDPOINT_URL_STS"] = m.Endpoint
		got, err := in(t, env).keys(t.Context())
		if err != nil || got.AccessKeyID == "" || got.SecretAccessKey == "" || got.SessionToken == "" || !got.CanExpire || time.Until(got.Expires) < time.Minute {
			t.Errorf("%s: %v, %v", name, got.Expires, err)
		}
	}
}

func TestTokenServiceThatRefuses(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("RoleSessionName") != "datakit" || r.FormValue("WebIdentityToken") != "tok-en" {
			t.Errorf("it was asked with %v", r.Form)
		}
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, "<ErrorResponse><Error><Code>InvalidIdentityToken</Code><Message>%s</Message></Error></ErrorResponse>", r.FormValue("WebIdentityToken"))
	}))
	defer srv.Close()
	_, err := in(t, map[string]string{"AWS_WEB_IDENTITY_TOKEN_FILE": write(t, "tok-en"), "AWS_ROLE_ARN": "r", "AWS_ENDPOINT_URL_STS": srv.URL}).keys(t.Context())
	if !errors.Is(err, store.ErrDenied) || !strings.Contains(err.Error(), "InvalidIdentityToken") || strings.Contains(err.Error(), "tok-en") {
		t.Error(err)
	}
}

func TestSearchEndsWithItsCaller(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	f := in(t, map[string]string{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2"})
	if _, err := f.keys(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestNothingOfThisMachineGoesThroughAProxy(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	for target, direct := range map[string]bool{"http://169.254.169.254/": true, "http://[fd00:ec2::23]/": true, "http://127.0.0.1/": true} {
		u, err := proxy(httptest.NewRequest(http.MethodGet, target, nil))
		if err != nil || (u == nil) != direct {
			t.Errorf("%s: %v, %v", target, u, err)
		}
	}
}

// Whatever a file holds, reading it ends, and no name is empty.
func FuzzProfiles(f *testing.F) {
	for _, s := range []string{"[default]\nregion = x\n", "[profile a b]\n=\n", "[", "[]\na=b", "a=b", "[x]\n[y]\r\nK = v # c\n\tz=1", "\ufeff[x]\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for name, values := range parseINI(text) {
			if name == "" || strings.ContainsAny(name, "]\n") {
				t.Errorf("a section %q", name)
			}
			for key := range values {
				if key != strings.ToLower(strings.TrimSpace(key)) || strings.ContainsAny(key, "=\n") {
					t.Errorf("a key %q", key)
				}
			}
		}
	})
}

// Whatever an endpoint answers, there are keys as it says, or an error.
func FuzzAnswerWithKeys(f *testing.F) {
	for _, s := range []string{answer, "{}", "null", "[]", `{"Expiration":"yesterday"}`, `{"Code":"No\nway"}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := decode(body)
		if err != nil {
			if !errors.Is(err, store.ErrDenied) && !errors.Is(err, store.ErrUnavailable) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%q", err)
			}
			return
		}
		if !json.Valid(body) || got.CanExpire == got.Expires.IsZero() {
			t.Errorf("%q gives %v", body, got.Expires)
		}
	})
}
