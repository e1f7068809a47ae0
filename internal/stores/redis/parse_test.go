package redis

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
)

func TestNodes(t *testing.T) {
	for name, c := range map[string]struct {
		values spec.Values
		want   settings
	}{
		"plain":                {spec.Values{"nodes": []string{"10.0.0.1:6379", "b:1"}}, settings{nodes: []string{"10.0.0.1:6379", "b:1"}}},
		"without a port":       {spec.Values{"nodes": []string{"redis"}}, settings{nodes: []string{"redis:6379"}}},
		"IPv6":                 {spec.Values{"nodes": []string{"[::1]:7000"}}, settings{nodes: []string{"[::1]:7000"}}},
		"a database":           {spec.Values{"nodes": []string{"a:1/2"}}, settings{nodes: []string{"a:1"}, database: 2}},
		"a URL":                {spec.Values{"nodes": []string{"redis://a/2"}}, settings{nodes: []string{"a:6379"}, database: 2}},
		"by TLS":               {spec.Values{"nodes": []string{"rediss://a:1"}}, settings{nodes: []string{"a:1"}, secure: true}},
		"scheme":               {spec.Values{"nodes": []string{"a:1"}, "scheme": "https"}, settings{nodes: []string{"a:1"}, secure: true}},
		"files stand for TLS":  {spec.Values{"nodes": []string{"a:1"}, "client_ca_keys": "ca.pem"}, settings{nodes: []string{"a:1"}, secure: true}},
		"sentinels":            {spec.Values{"nodes": []string{"sentinel://a/main", "sentinel://b:1/main"}}, settings{nodes: []string{"a:26379", "b:1"}, sentinels: true, service: "main"}},
		"sentinels, unnamed":   {spec.Values{"nodes": []string{"sentinel://a"}}, settings{nodes: []string{"a:26379"}, sentinels: true}},
		"sentinel, a database": {spec.Values{"nodes": []string{"sentinel://a/main/3"}}, settings{nodes: []string{"a:26379"}, sentinels: true, service: "main", database: 3}},
		"a socket":             {spec.Values{"nodes": []string{"/run/redis.sock"}}, settings{nodes: []string{"/run/redis.sock"}}},
		"a socket's URL":       {spec.Values{"nodes": []string{"unix:///run/redis.sock"}}, settings{nodes: []string{"/run/redis.sock"}}},
		"a number":             {spec.Values{"nodes": []string{"a:1"}, "separator": "4"}, settings{nodes: []string{"a:1"}, database: 4}},
		"the password":         {spec.Values{"nodes": []string{"a:1"}, "client_key": "no-file"}, settings{nodes: []string{"a:1"}, password: "no-file"}},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := parse(store.Options{Root: "/datakit", Values: c.values})
			if err != nil {
				t.Fatal(err)
			}
			same := slices.Equal(s.nodes, c.want.nodes) && s.database == c.want.database && s.secure == c.want.secure &&
				s.sentinels == c.want.sentinels && s.service == c.want.service && s.password == c.want.password
			if !same {
				t.Errorf("%+v, want %+v", s, c.want)
			}
		})
	}
}

// client_key that names a file is a key, for which a certificate is needed, and
// no password that goes to the server.
func TestKeyFileIsNoPassword(t *testing.T) {
	key := filepath.Join(t.TempDir(), "key.pem")
	if err := os.WriteFile(key, []byte("key"), 0o600); err != nil {
		t.Fatal(err)
	}
	v := spec.Values{"nodes": []string{"a:1"}, "client_key": key}
	if s, err := parse(store.Options{Root: "/datakit", Values: v}); err == nil || !strings.Contains(err.Error(), "go together") {
		t.Errorf("%+v, %v", s, err)
	}
	v["client_cert"] = "cert.pem"
	if s, err := parse(store.Options{Root: "/datakit", Values: v}); err != nil || s.password != "" || s.tls.Key != key {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestOptionsThatNeverWork(t *testing.T) {
	const secret = "hunter2"
	for name, c := range map[string]struct {
		values spec.Values
		want   string
	}{
		"no nodes":                {spec.Values{}, "needs nodes"},
		"an empty node":           {spec.Values{"nodes": []string{""}}, "expected host:port"},
		"no port number":          {spec.Values{"nodes": []string{"a:b"}}, "expected host:port"},
		"a port too high":         {spec.Values{"nodes": []string{"a:70000"}}, "expected host:port"},
		"a database of letters":   {spec.Values{"nodes": []string{"a:1/main"}}, "number of a database"},
		"a negative database":     {spec.Values{"nodes": []string{"a:1/-1"}}, "number of a database"},
		"a negative separator":    {spec.Values{"nodes": []string{"a:1"}, "separator": "-1"}, "no database"},
		"a scheme of another":     {spec.Values{"nodes": []string{"http://a:1"}}, "expected redis"},
		"a password in a node":    {spec.Values{"nodes": []string{"redis://:" + secret + "@a:1"}}, "username and password"},
		"a password, no scheme":   {spec.Values{"nodes": []string{"agent:" + secret + "@a:1"}}, "username and password"},
		"a query":                 {spec.Values{"nodes": []string{"redis://a:1?password=" + secret}}, "expected host:port"},
		"two databases":           {spec.Values{"nodes": []string{"a:1/1", "b:1/2"}}, "one database"},
		"two databases, once":     {spec.Values{"nodes": []string{"a:1/1"}, "separator": "2"}, "separator says"},
		"sentinels and servers":   {spec.Values{"nodes": []string{"sentinel://a", "b:1"}}, "all have to be sentinels"},
		"two masters":             {spec.Values{"nodes": []string{"sentinel://a/one", "sentinel://b/two"}}, "one master"},
		"TLS and not":             {spec.Values{"nodes": []string{"rediss://a", "redis://b"}}, "all rediss"},
		"a login without a name":  {spec.Values{"nodes": []string{"a:1"}, "basic_auth": true, "password": secret}, "needs both"},
		"a name, no password":     {spec.Values{"nodes": []string{"a:1"}, "username": "agent"}, "needs a password"},
		"a certificate, no key":   {spec.Values{"nodes": []string{"a:1"}, "client_cert": "cert.pem"}, "go together"},
		"a separator of lines":    {spec.Values{"nodes": []string{"a:1"}, "separator": "\n"}, "separator"},
		"a separator of a page":   {spec.Values{"nodes": []string{"a:1"}, "separator": strings.Repeat("-", 17)}, "separator"},
		"a node of control bytes": {spec.Values{"nodes": []string{"a\x7f" + secret}}, "expected host:port"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := open(store.Options{Root: "/datakit", Values: c.values})
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), secret) {
				t.Fatalf("%v; want one about %q, without secrets", err, c.want)
			}
		})
	}
}

func FuzzNode(f *testing.F) {
	for _, node := range []string{"a:1", "[::1]:1/2", "redis://a/1", "sentinel://a/b/1", "unix:///x", "/x", "a:b@c", "://"} {
		f.Add(node)
	}
	f.Fuzz(func(t *testing.T, node string) {
		a, err := parseNode(node)
		if err == nil && (a.node == "" || a.database < 0) {
			t.Errorf("%q is %+v", node, a)
		}
	})
}
