package consul_test

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
	"datakit.dev/internal/store/storetest"
	"datakit.dev/internal/testserver"
)

func TestTLS(t *testing.T) {
	t.Parallel()
	ca := testserver.NewCA(t)
	stranger, ours, theirs := ca.Two(t)
	c := testserver.StartConsul(t, testserver.WithConsulTLS(ca, true))
	c.Put(t, dir+"confd/a", "1")
	files := storetest.Certificates{
		CA: ca.File, Cert: ours.Cert, Key: ours.Key,
		Stranger: stranger.File, TheirCert: theirs.Cert, TheirKey: theirs.Key,
	}
	storetest.TLS(t, files, func(t *testing.T, v spec.Values) store.Store {
		v["nodes"] = []string{strings.TrimPrefix(c.Endpoint, "https://")}
		return openValues(t, nil, v)
	})
}

// To a list without permission Consul answers 404, just as to one of a root that
// does not exist. It must never look as if everything were deleted.
func TestWhatATokenMayRead(t *testing.T) {
	t.Parallel()
	c := testserver.StartConsul(t, testserver.WithConsulACL("deny"))
	for i, tc := range []struct {
		name, rules string
		works       bool
	}{
		{"the root", readRules, true},
		{"the root, to write", writeRules, true},
		{"everything", `key_prefix "" { policy = "read" }`, true},
		{"other keys only", `key_prefix "other/" { policy = "read" }`, false},
		{"a neighbour of the root", `key_prefix "datakitX/" { policy = "read" }`, false},
		{"a part of the root", `key_prefix "datakit/confd/" { policy = "read" }`, false},
		{"all of the root but a key", readRules + ` key "datakit/pipeline/metric/x.p" { policy = "deny" }`, false},
		{"nothing", `node_prefix "" { policy = "read" }`, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			secret := fmt.Sprintf("11111111-2222-4333-8444-%012d", i)
			c.GrantToken(t, secret, tc.rules)
			for _, filled := range []bool{false, true} {
				if filled {
					c.Txn(t, "set", map[string]string{dir + "confd/a": "1", dir + "pipeline/metric/x.p": "y = 1"})
				} else {
					c.DeleteTree(t, dir)
				}
				snap, err := openToken(t, c, secret).Read(storetest.Deadline(t, storetest.Patience))
				switch {
				case !filled && strings.HasPrefix(tc.name, "all of the root but"):
					// There is no such key yet, so nothing is left out.
				case tc.works && (err != nil || len(snap.Entries) > 0 != filled):
					t.Errorf("filled %v: %v, %v", filled, snap.Entries, err)
				case !tc.works && !errors.Is(err, store.ErrDenied):
					t.Errorf("filled %v: %v, %v, which is not store.ErrDenied", filled, snap.Entries, err)
				case !tc.works && !strings.Contains(err.Error(), `key_prefix "datakit/"`):
					t.Errorf("filled %v: %v, which names no cure", filled, err)
				}
			}
		})
	}
	t.Run("no token at all", func(t *testing.T) {
		st := openNodes(t, c.Endpoint)
		if snap, err := st.Read(storetest.Deadline(t, storetest.Patience)); !errors.Is(err, store.ErrDenied) || !strings.Contains(err.Error(), "no auth_token") {
			t.Errorf("Read: %v, %v", snap.Entries, err)
		}
		if _, err := st.(store.Writer).Put(t.Context(), "confd/a", "1", store.Cond{}); !errors.Is(err, store.ErrDenied) {
			t.Errorf("Put: %v", err)
		}
	})
	t.Run("a token that only reads", func(t *testing.T) {
		w := openToken(t, c, "11111111-2222-4333-8444-000000000000").(store.Writer)
		if _, err := w.Put(t.Context(), "confd/a", "2", store.Cond{}); !errors.Is(err, store.ErrDenied) {
			t.Errorf("Put: %v", err)
		}
		if err := w.Delete(t.Context(), "confd/a", store.Cond{}); !errors.Is(err, store.ErrDenied) {
			t.Errorf("Delete: %v", err)
		}
	})
	revoked(t, c)
}

// revoked takes a token away and grants it anew, as its end and its renewal do:
// what was read last stays, and nothing looks deleted.
func revoked(t *testing.T, c *testserver.Consul) {
	t.Helper()
	t.Run("a token that ends and is renewed", func(t *testing.T) {
		const secret = "99999999-2222-4333-8444-555555555555"
		var logged storetest.Log
		c.DeleteTree(t, dir)
		c.GrantToken(t, secret, writeRules)
		st := openValues(t, slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug})),
			spec.Values{"nodes": []string{c.Endpoint}, "auth_token": secret + "\n"})
		c.Put(t, dir+"confd/a", "1")
		before := storetest.ReadUntil(t, st, "confd/a=1")
		c.RevokeToken(t, secret)
		c.Put(t, dir+"confd/a", "2")
		var denied error
		storetest.Until(t, "a denied Read", func() error {
			var snap store.Snapshot
			if snap, denied = st.Read(storetest.Deadline(t, storetest.Patience)); denied == nil {
				if len(snap.Entries) != 1 {
					t.Fatalf("with an ended token Read shows %v", snap.Entries)
				}
				return errors.New("Read still answers")
			}
			return nil
		})
		if !errors.Is(denied, store.ErrDenied) {
			t.Fatalf("Read: %v, which is not store.ErrDenied", denied)
		}
		_, put := st.(store.Writer).Put(t.Context(), "confd/b", "1", store.Cond{})
		if !errors.Is(put, store.ErrDenied) {
			t.Errorf("Put: %v, which is not store.ErrDenied", put)
		}
		if told := fmt.Sprintf("%+v %+v %s", denied, put, logged.String()); strings.Contains(told, secret) {
			t.Errorf("the token is in %s", told)
		}
		c.GrantToken(t, secret, writeRules)
		storetest.Until(t, "Wait", func() error { return st.Wait(storetest.Deadline(t, storetest.Patience), before.Revision) })
		storetest.ReadUntil(t, st, "confd/a=2")
	})
}

// Where a policy of its own is asked for lists, reading each key is not enough.
func TestKeyListPolicy(t *testing.T) {
	t.Parallel()
	c := testserver.StartConsul(t, testserver.WithConsulACL("deny"), testserver.WithConsulConfig("acl { enable_key_list_policy = true }"))
	c.Put(t, dir+"confd/a", "1")
	c.GrantToken(t, right, readRules)
	snap, err := openToken(t, c, right).Read(storetest.Deadline(t, storetest.Patience))
	if !errors.Is(err, store.ErrDenied) || !strings.Contains(err.Error(), "key:list") {
		t.Errorf("Read: %v, %v", snap.Entries, err)
	}
	c.RevokeToken(t, right)
	c.GrantToken(t, right, `key_prefix "datakit/" { policy = "list" }`)
	storetest.ReadUntil(t, openToken(t, c, right), "confd/a=1")
}

// Where no rule speaks of a token, and the default is to allow, none is needed.
func TestDefaultAllow(t *testing.T) {
	t.Parallel()
	c := testserver.StartConsul(t, testserver.WithConsulACL("allow"))
	st := openNodes(t, c.Endpoint)
	storetest.ReadUntil(t, st, "")
	if _, err := st.(store.Writer).Put(t.Context(), "confd/a", "1", store.Cond{}); err != nil {
		t.Fatal(err)
	}
	storetest.ReadUntil(t, st, "confd/a=1")
	c.GrantToken(t, right, `key_prefix "datakit/" { policy = "deny" }`)
	if snap, err := openToken(t, c, right).Read(storetest.Deadline(t, storetest.Patience)); !errors.Is(err, store.ErrDenied) {
		t.Errorf("Read: %v, %v", snap.Entries, err)
	}
}

// Consul itself has no passwords; a proxy in front of it may ask for one.
func basicAuth(t *testing.T, c server) {
	const password = "s3cr3t: of the agent"
	proxy := before(t, c)
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, pass, _ := r.BasicAuth()
		if user != "agent" || pass != password {
			http.Error(w, "not for "+user+" with "+pass+"\n"+r.Header.Get("Authorization"), http.StatusUnauthorized)
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(front.Close)
	login := func(password string) store.Store {
		return openRoot(t, "/"+c.root, nil, spec.Values{"nodes": []string{front.URL}, "basic_auth": true, "username": "agent", "password": password})
	}
	st := login(password)
	storetest.ReadUntil(t, st, "")
	if _, err := st.(store.Writer).Put(t.Context(), "confd/a", "1", store.Cond{}); err != nil {
		t.Fatal(err)
	}
	storetest.ReadUntil(t, st, "confd/a=1")
	_, err := login("wr0ng-p4ss").Read(storetest.Deadline(t, storetest.Patience))
	if !errors.Is(err, store.ErrDenied) || strings.Contains(err.Error(), "wr0ng") || strings.Contains(err.Error(), "Basic Y") {
		t.Errorf("Read: %v", err)
	}
}
