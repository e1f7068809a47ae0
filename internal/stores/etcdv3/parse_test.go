package etcdv3

import (
	"slices"
	"strings"
	"testing"

	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
)

func TestNodes(t *testing.T) {
	for name, c := range map[string]struct {
		values spec.Values
		want   []string
	}{
		"plain":                    {spec.Values{"nodes": []string{"10.0.0.1:2379", "b:1"}}, []string{"http://10.0.0.1:2379", "http://b:1"}},
		"without a port":           {spec.Values{"nodes": []string{"etcd"}}, []string{"http://etcd:2379"}},
		"IPv6":                     {spec.Values{"nodes": []string{"[::1]:2379"}}, []string{"http://[::1]:2379"}},
		"a URL":                    {spec.Values{"nodes": []string{"https://etcd:2379/"}}, []string{"https://etcd:2379"}},
		"scheme":                   {spec.Values{"nodes": []string{"a:1"}, "scheme": "https"}, []string{"https://a:1"}},
		"TLS files stand for TLS":  {spec.Values{"nodes": []string{"a:1"}, "client_ca_keys": "ca.pem"}, []string{"https://a:1"}},
		"the node's own says more": {spec.Values{"nodes": []string{"http://a:1"}, "client_ca_keys": "ca.pem"}, []string{"http://a:1"}},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := parse(store.Options{Root: "/datakit", Values: c.values})
			if err != nil || !slices.Equal(s.endpoints, c.want) {
				t.Fatalf("%v, %v; want %v", s.endpoints, err, c.want)
			}
			if s.prefix != "/datakit/" {
				t.Fatalf("the prefix is %q", s.prefix)
			}
		})
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
		"no port number":          {spec.Values{"nodes": []string{"a:b:c"}}, "expected host:port"},
		"a scheme of another":     {spec.Values{"nodes": []string{"ftp://" + "a:1"}}, "expected http or https"},
		"a password in a node":    {spec.Values{"nodes": []string{"http://root:" + secret + "@a:1"}}, "username and password"},
		"http and https":          {spec.Values{"nodes": []string{"http://a:1", "https://b:1"}}, "all have to be"},
		"a login without a name":  {spec.Values{"nodes": []string{"a:1"}, "basic_auth": true, "password": secret}, "needs both"},
		"a certificate, no key":   {spec.Values{"nodes": []string{"a:1"}, "client_cert": "cert.pem"}, "go together"},
		"a key, no certificate":   {spec.Values{"nodes": []string{"a:1"}, "client_key": secret}, "go together"},
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

func TestPlainMessages(t *testing.T) {
	for in, want := range map[string]string{
		`connection error: desc = "transport: Error while dialing: dial tcp 127.0.0.1:1: connect: connection refused"`: "dial tcp 127.0.0.1:1: connect: connection refused",
		`connection error: desc = "transport: authentication handshake failed: EOF"`:                                   "authentication handshake failed: EOF",
		"etcdserver: no leader": "etcdserver: no leader",
	} {
		if got := plain(in); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
