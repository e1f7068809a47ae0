package zookeeper

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
		secure bool
	}{
		"plain":                   {spec.Values{"nodes": []string{"10.0.0.1:2181", "b:1"}}, []string{"10.0.0.1:2181", "b:1"}, false},
		"without a port":          {spec.Values{"nodes": []string{"zk"}}, []string{"zk:2181"}, false},
		"IPv6":                    {spec.Values{"nodes": []string{"[::1]:2181"}}, []string{"[::1]:2181"}, false},
		"a URL":                   {spec.Values{"nodes": []string{"https://zk:2281/"}}, []string{"zk:2281"}, true},
		"scheme":                  {spec.Values{"nodes": []string{"a:1"}, "scheme": "https"}, []string{"a:1"}, true},
		"TLS files stand for TLS": {spec.Values{"nodes": []string{"a:1"}, "client_ca_keys": "ca.pem"}, []string{"a:1"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := parse(store.Options{Root: "/datakit", Values: c.values})
			if err != nil || !slices.Equal(s.nodes, c.want) || s.secure != c.secure {
				t.Fatalf("%v, TLS %v, %v; want %v", s.nodes, s.secure, err, c.want)
			}
		})
	}
}

func TestOptionsThatNeverWork(t *testing.T) {
	const secret = "hunter2"
	for name, c := range map[string]struct {
		values spec.Values
		root   string
		want   string
	}{
		"no nodes":                   {spec.Values{}, "", "needs nodes"},
		"an empty node":              {spec.Values{"nodes": []string{""}}, "", "expected host:port"},
		"a chroot in a node":         {spec.Values{"nodes": []string{"a:1/team"}}, "", "into prefix"},
		"a scheme of another":        {spec.Values{"nodes": []string{"ftp://" + "a:1"}}, "", "expected http or https"},
		"a password in a node":       {spec.Values{"nodes": []string{"http://root:" + secret + "@a:1"}}, "", "username and password"},
		"http and https":             {spec.Values{"nodes": []string{"http://a:1", "https://b:1"}}, "", "all have to be"},
		"a login without a name":     {spec.Values{"nodes": []string{"a:1"}, "basic_auth": true, "password": secret}, "", "needs both"},
		"a name without a password":  {spec.Values{"nodes": []string{"a:1"}, "username": "agent"}, "", "needs both"},
		"a name with a colon":        {spec.Values{"nodes": []string{"a:1"}, "username": "a:b", "password": secret}, "", "no colon"},
		"a certificate, no key":      {spec.Values{"nodes": []string{"a:1"}, "client_cert": "cert.pem"}, "", "go together"},
		"a key, no certificate":      {spec.Values{"nodes": []string{"a:1"}, "client_key": secret}, "", "go together"},
		"the root of the server":     {spec.Values{"nodes": []string{"a:1"}}, "/zookeeper/x", "ZooKeeper's own"},
		"a root that cannot be made": {spec.Values{"nodes": []string{"a:1"}}, "/🌡", "no such path"},
		"a root that leads upwards":  {spec.Values{"nodes": []string{"a:1"}}, "/a/../b", "no parts of a key"},
	} {
		t.Run(name, func(t *testing.T) {
			root := c.root
			if root == "" {
				root = "/datakit"
			}
			_, err := open(store.Options{Root: root, Values: c.values})
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), secret) {
				t.Fatalf("%v; want one about %q, without secrets", err, c.want)
			}
		})
	}
}

func TestParentOf(t *testing.T) {
	for path, want := range map[string]string{"/": "/", "/a": "/", "/a/b": "/a", "/a/b/c": "/a/b"} {
		if got := parentOf(path); got != want {
			t.Errorf("above %s is %s, want %s", path, got, want)
		}
	}
}
