package testserver

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"testing"
	"unicode/utf8"
)

// A Moto is an emulator of many services of AWS, which has them in memory: what
// was written is lost when it ends.
type Moto struct{ *AWS }

// StartMoto starts a server, by TLS with a certificate of ca unless that is nil,
// and ends it with the test.
func StartMoto(tb testing.TB, ca *CA) Moto {
	tb.Helper()
	program := tool(tb, "moto")
	address := freeAddress(tb)
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		tb.Fatal(err)
	}
	scheme, args := "http", []string{"-H", host, "-p", port}
	if ca != nil {
		pair := ca.Issue(tb, host)
		scheme, args = "https", append(args, "-c", pair.Cert, "-k", pair.Key)
	}
	return Moto{newAWS(tb, scheme+"://"+address, ca, func() *process {
		cmd := exec.CommandContext(context.Background(), program, args...)
		cmd.Env = append(os.Environ(), "MOTO_IAM_LOAD_MANAGED_POLICIES=false")
		return start(tb, cmd)
	})}
}

// NewUser makes a user who may do what actions say, and returns keys of theirs.
func (m Moto) NewUser(tb testing.TB, name string, actions ...string) (access, secret string) {
	tb.Helper()
	policy, err := json.Marshal(map[string]any{
		"Version": "2012-10-17",
		"Statement": []map[string]any{
			{"Effect": "Allow", "Action": actions, "Resource": "*"},
		},
	})
	if err != nil {
		tb.Fatal(err)
	}
	m.iam(tb, url.Values{"Action": {"CreateUser"}, "UserName": {name}})
	m.iam(tb, url.Values{"Action": {"PutUserPolicy"}, "UserName": {name}, "PolicyName": {"p"}, "PolicyDocument": {string(policy)}})
	var out struct {
		Result struct {
			AccessKey struct {
				AccessKeyID     string `xml:"AccessKeyId"`
				SecretAccessKey string
			}
		} `xml:"CreateAccessKeyResult"`
	}
	if err := xml.Unmarshal(m.iam(tb, url.Values{"Action": {"CreateAccessKey"}, "UserName": {name}}), &out); err != nil {
		tb.Fatal(err)
	}
	return out.Result.AccessKey.AccessKeyID, out.Result.AccessKey.SecretAccessKey
}

// DeleteKey takes a key away from a user, whose requests are then refused.
func (m Moto) DeleteKey(tb testing.TB, name, access string) {
	tb.Helper()
	m.iam(tb, url.Values{"Action": {"DeleteAccessKey"}, "UserName": {name}, "AccessKeyId": {access}})
}

func (m Moto) iam(tb testing.TB, form url.Values) []byte {
	tb.Helper()
	form.Set("Version", "2010-05-08")
	status, answer := m.send(tb, "iam", []byte(form.Encode()), http.Header{"Content-Type": {"application/x-www-form-urlencoded"}})
	fail(tb, form.Get("Action"), status, answer)
	return answer
}

// EnableAuth has every signature and permission checked from now on, and makes
// an operator who may do everything.
func (m Moto) EnableAuth(tb testing.TB) {
	tb.Helper()
	access, secret := m.NewUser(tb, "operator", "*")
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, m.Endpoint+"/moto-api/reset-auth", bytes.NewReader([]byte("0")))
	if err != nil {
		tb.Fatal(err)
	}
	resp, err := m.client.Do(req)
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	fail(tb, "reset-auth", resp.StatusCode, nil)
	m.AccessKey, m.SecretKey = access, secret
}

// PutParameter writes a parameter of Parameter Store, encrypted.
func (m Moto) PutParameter(tb testing.TB, name, value string) {
	tb.Helper()
	m.PutParameterAs(tb, name, value, "SecureString")
}

// PutParameterAs writes a parameter of a type.
func (m Moto) PutParameterAs(tb testing.TB, name, value, kind string) {
	tb.Helper()
	m.Call(tb, "ssm", "AmazonSSM.PutParameter", map[string]any{
		"Name": name, "Value": value, "Type": kind, "Overwrite": true, "Tier": "Advanced",
	})
}

// DeleteParameter removes a parameter.
func (m Moto) DeleteParameter(tb testing.TB, name string) {
	tb.Helper()
	m.Call(tb, "ssm", "AmazonSSM.DeleteParameter", map[string]any{"Name": name})
}

// PutSecret writes a secret of Secrets Manager, a new one or a new version, and
// takes it back where it was to be deleted.
func (m Moto) PutSecret(tb testing.TB, name, value string) {
	tb.Helper()
	in := map[string]any{"Name": name}
	if utf8.ValidString(value) {
		in["SecretString"] = value
	} else {
		in["SecretBinary"] = []byte(value)
	}
	body, err := json.Marshal(in)
	if err != nil {
		tb.Fatal(err)
	}
	status, answer := m.send(tb, "secretsmanager", body, http.Header{
		"Content-Type": {"application/x-amz-json-1.1"}, "X-Amz-Target": {"secretsmanager.CreateSecret"},
	})
	if status == http.StatusOK {
		return
	}
	if !bytes.Contains(answer, []byte("ResourceExistsException")) {
		tb.Errorf("CreateSecret: %d %s", status, answer)
		return
	}
	delete(in, "Name")
	in["SecretId"] = name
	m.Secret(tb, "RestoreSecret", map[string]any{"SecretId": name})
	m.Secret(tb, "PutSecretValue", in)
}

// DeleteSecret removes a secret at once.
func (m Moto) DeleteSecret(tb testing.TB, name string) {
	tb.Helper()
	m.Secret(tb, "DeleteSecret", map[string]any{"SecretId": name, "ForceDeleteWithoutRecovery": true})
}

// Secret calls an operation of Secrets Manager.
func (m Moto) Secret(tb testing.TB, operation string, in map[string]any) []byte {
	tb.Helper()
	return m.Call(tb, "secretsmanager", "secretsmanager."+operation, in)
}
