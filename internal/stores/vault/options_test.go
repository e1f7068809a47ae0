package vault_test

import (
	"strings"
	"testing"

	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
	"datakit.dev/internal/stores/vault"
)

// Whatever can never work is refused when the store is opened, by the name of
// the option, and without repeating what it holds.
func TestOptionsThatNeverWork(t *testing.T) {
	t.Parallel()
	const secret = "s3cr3t-of-the-agent"
	node := []string{"127.0.0.1:8200"}
	for name, c := range map[string]struct {
		root    string
		options spec.Values
		want    string
	}{
		"no nodes":                       {"/datakit", spec.Values{}, "needs nodes"},
		"a node with a password":         {"/datakit", spec.Values{"nodes": []string{"http://u:" + secret + "@h"}}, "number 1"},
		"a method that is none":          {"/datakit", spec.Values{"nodes": node, "auth_type": secret}, "auth_type is none of"},
		"a token method without one":     {"/datakit", spec.Values{"nodes": node, "auth_type": "token"}, "needs auth_token"},
		"a user without a password":      {"/datakit", spec.Values{"nodes": node, "username": "u"}, "needs password"},
		"basic_auth without a user":      {"/datakit", spec.Values{"nodes": node, "basic_auth": true}, "needs username"},
		"basic_auth for another method":  {"/datakit", spec.Values{"nodes": node, "basic_auth": true, "auth_type": "token", "auth_token": secret}, "basic_auth"},
		"approle without a role":         {"/datakit", spec.Values{"nodes": node, "auth_type": "approle", "secret_id": secret}, "needs role_id"},
		"app-id without a user":          {"/datakit", spec.Values{"nodes": node, "auth_type": "app-id", "app_id": "a"}, "needs user_id"},
		"kubernetes without a role":      {"/datakit", spec.Values{"nodes": node, "auth_type": "kubernetes"}, "needs role"},
		"github without a token":         {"/datakit", spec.Values{"nodes": node, "auth_type": "github"}, "needs auth_token"},
		"cert without a certificate":     {"/datakit", spec.Values{"nodes": node, "auth_type": "cert"}, "needs client_cert"},
		"cert over plain http":           {"/datakit", spec.Values{"nodes": []string{"http://h"}, "auth_type": "cert", "client_cert": "c", "client_key": "k"}, "https"},
		"a certificate alone":            {"/datakit", spec.Values{"nodes": node, "client_cert": "c"}, "go together"},
		"a token and a user":             {"/datakit", spec.Values{"nodes": node, "auth_token": secret, "username": "u", "password": secret}, "does not use auth_token"},
		"a token that is no header":      {"/datakit", spec.Values{"nodes": node, "auth_token": secret + "\r\nX: y"}, "auth_token holds"},
		"a path for a token":             {"/datakit", spec.Values{"nodes": node, "auth_token": secret, "path": "auth/x"}, "does not use path"},
		"a path that leads elsewhere":    {"/datakit", spec.Values{"nodes": node, "username": "u", "password": secret, "path": "../sys"}, "path:"},
		"a user that leads elsewhere":    {"/datakit", spec.Values{"nodes": node, "username": "..", "password": secret}, "username"},
		"two files of a service account": {"/datakit", spec.Values{"nodes": node, "auth_type": "kubernetes", "role": "r", "file": []string{"a", "b"}}, "file"},
		"all that the server holds":      {"/", spec.Values{"nodes": node}, "prefix"},
		"a prefix with two dots":         {"/secret/../sys", spec.Values{"nodes": node}, "prefix"},
		"a prefix with a space":          {"/secret/datakit ", spec.Values{"nodes": node}, "prefix"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := vault.Backend().Open(store.Options{Root: c.root, Values: c.options})
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), secret) {
				t.Errorf("%v; want one about %q, without secrets", err, c.want)
			}
		})
	}
}

func TestOptionsThatWork(t *testing.T) {
	t.Parallel()
	for name, v := range map[string]spec.Values{
		"a token":                      {"auth_token": "t"},
		"a token by name":              {"auth_type": "token", "auth_token": "t"},
		"a user":                       {"username": "u", "password": "p"},
		"a user by name, at a path":    {"auth_type": "userpass", "username": "u", "password": "p", "path": "/auth/people/"},
		"a role":                       {"role_id": "r", "secret_id": "s"},
		"a role that needs no secret":  {"role_id": "r"},
		"a service account":            {"auth_type": "kubernetes", "role": "r"},
		"github":                       {"auth_type": "github", "auth_token": "t"},
		"app-id":                       {"auth_type": "app-id", "app_id": "a", "user_id": "u"},
		"a certificate":                {"auth_type": "cert", "client_cert": "c", "client_key": "k"},
		"a Vault agent in between":     {},
		"several nodes behind a proxy": {"auth_token": "t", "nodes": []string{"https://a/vault", "https://b:8201"}},
	} {
		t.Run(name, func(t *testing.T) {
			if v["nodes"] == nil {
				v["nodes"] = []string{"127.0.0.1"}
			}
			openStore(t, "/datakit", nil, v)
		})
	}
}
