package redis_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
	. "datakit.dev/internal/store/storetest"
	"datakit.dev/internal/testserver"
)

func TestTLS(t *testing.T) {
	t.Parallel()
	ca := testserver.NewCA(t)
	stranger, ours, theirs := ca.Two(t)
	r := testserver.StartRedis(t, testserver.WithRedisTLS(ca, true))
	r.Put(t, root+"/confd/a", "1")
	files := Certificates{
		CA: ca.File, Cert: ours.Cert, Key: ours.Key,
		Stranger: stranger.File, TheirCert: theirs.Cert, TheirKey: theirs.Key,
	}
	TLS(t, files, func(t *testing.T, v spec.Values) store.Store {
		v["nodes"] = []string{r.Address}
		return open(t, v)
	})
}

func TestTLSByScheme(t *testing.T) {
	t.Parallel()
	ca := testserver.NewCA(t)
	r := testserver.StartRedis(t, testserver.WithRedisTLS(ca, false), testserver.WithRedisPassword("right"))
	st := open(t, spec.Values{"nodes": []string{"rediss://" + r.Address}, "client_ca_keys": ca.File, "password": "right"})
	since := ReadUntil(t, st, "").Revision
	r.Put(t, root+"/confd/a", "1")
	waitFor(t, st, since, "confd/a=1")
}

func TestClusterByTLS(t *testing.T) {
	t.Parallel()
	ca := testserver.NewCA(t)
	nodes := testserver.StartRedisCluster(t, 0, testserver.WithRedisTLS(ca, false))
	st := open(t, spec.Values{"nodes": []string{nodes[0].Address}, "client_ca_keys": ca.File})
	since := ReadUntil(t, st, "").Revision
	if _, err := st.(store.Writer).Put(t.Context(), "confd/a", "1", store.Cond{}); err != nil {
		t.Fatal(err)
	}
	waitFor(t, st, since, "confd/a=1")
}

// A certificate file that comes later is taken without a restart.
func TestCertificateComesLater(t *testing.T) {
	t.Parallel()
	ca := testserver.NewCA(t)
	r := testserver.StartRedis(t, testserver.WithRedisTLS(ca, true))
	r.Put(t, root+"/confd/a", "1")
	pair, dir := ca.Issue(t, "agent"), t.TempDir()
	st := open(t, spec.Values{
		"nodes": []string{r.Address}, "client_ca_keys": ca.File,
		"client_cert": filepath.Join(dir, "cert.pem"), "client_key": filepath.Join(dir, "key.pem"),
	})
	_, err := st.Read(Deadline(t, Patience))
	if !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), "client_cert") {
		t.Fatalf("Read: %v, which does not name client_cert", err)
	}
	for from, to := range map[string]string{pair.Cert: "cert.pem", pair.Key: "key.pem"} {
		b, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, to), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ReadUntil(t, st, "confd/a=1")
}

// The password may stand where upstream takes it from.
func TestPassword(t *testing.T) {
	t.Parallel()
	r := testserver.StartRedis(t, testserver.WithRedisPassword("right"))
	r.Put(t, root+"/confd/a", "1")
	r.Do(t, "ACL", "SETUSER", "agent", "on", ">own", "~*", "&*", "+@all")
	for name, c := range map[string]struct {
		options spec.Values
		denied  bool
	}{
		"password":             {spec.Values{"password": "right"}, false},
		"client_key":           {spec.Values{"client_key": "right"}, false},
		"both":                 {spec.Values{"password": "right", "client_key": "wrong"}, false},
		"a user":               {spec.Values{"username": "agent", "password": "own", "basic_auth": true}, false},
		"a user by client_key": {spec.Values{"username": "agent", "client_key": "own"}, false},
		"none":                 {spec.Values{}, true},
		"a wrong one":          {spec.Values{"password": "wrong"}, true},
		"a wrong client_key":   {spec.Values{"client_key": "wrong"}, true},
		"no such user":         {spec.Values{"username": "nobody", "password": "own"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.options["nodes"] = []string{r.Address}
			st := open(t, c.options)
			if !c.denied {
				ReadUntil(t, st, "confd/a=1")
				return
			}
			if _, err := st.Read(Deadline(t, Patience)); !errors.Is(err, store.ErrDenied) {
				t.Errorf("Read: %v", err)
			}
			if _, err := st.(store.Writer).Put(t.Context(), "confd/a", "2", store.Cond{}); !errors.Is(err, store.ErrDenied) {
				t.Errorf("Put: %v", err)
			}
		})
	}
}

// A password for a server that has none is a mistake that only a person can
// clear up.
func TestPasswordThatNobodyAsksFor(t *testing.T) {
	t.Parallel()
	r := testserver.StartRedis(t)
	v := at(r)
	v["password"] = "needless"
	if _, err := open(t, v).Read(Deadline(t, Patience)); !errors.Is(err, store.ErrDenied) || strings.Contains(err.Error(), "needless") {
		t.Errorf("Read: %v", err)
	}
}

// A wrong password is no reason to give up: the operator sets it right on the
// server, and the store goes on. Nobody is told it.
func TestPasswordIsSetRight(t *testing.T) {
	t.Parallel()
	const secret = "s3cr3t-of-the-agent"
	var logged Log
	r := testserver.StartRedis(t)
	r.Do(t, "ACL", "SETUSER", "agent", "on", ">another", "~*", "&*", "+@all")
	v := at(r)
	v["username"], v["password"] = "agent", secret
	st := openRoot(t, root, logTo(&logged), v)
	_, err := st.Read(Deadline(t, Patience))
	if !errors.Is(err, store.ErrDenied) {
		t.Fatalf("Read: %v", err)
	}
	_, werr := st.(store.Writer).Put(t.Context(), "confd/a", "1", store.Cond{})
	if !errors.Is(werr, store.ErrDenied) {
		t.Fatalf("Put: %v", werr)
	}
	if told := fmt.Sprintf("%+v %#v %+v %s", err, err, werr, logged.String()); strings.Contains(told, secret) {
		t.Fatalf("the password is in %s", told)
	}
	r.Do(t, "ACL", "SETUSER", "agent", ">"+secret)
	ReadUntil(t, st, "")
}

// The sentinel's password is the server's, where it asks for one.
func TestSentinelWithAPassword(t *testing.T) {
	t.Parallel()
	master := testserver.StartRedis(t, testserver.WithRedisPassword("right"))
	for name, options := range map[string][]testserver.RedisOption{"with one": {testserver.WithRedisPassword("right")}, "without": nil} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			watcher := testserver.StartSentinel(t, "mymaster", master, options...)
			ReadUntil(t, open(t, spec.Values{"nodes": []string{watcher.Address}, "password": "right"}), "")
		})
	}
}

// The rights that the documentation names are enough, and with fewer of the last
// ones a store does what it can.
var (
	readOnly = strings.Fields("resetkeys resetchannels -@all +ping +select +scan +type +get +hgetall +exists +multi +exec +psubscribe +subscribe")
	ourKeys  = strings.Fields("~/datakit/* ~/datakit &__keyspace@0__:/datakit/* &__keyspace@0__:/datakit")
)

func grant(t *testing.T, r *testserver.Redis, rights ...string) spec.Values {
	t.Helper()
	r.Do(t, append([]string{"ACL", "SETUSER", "agent", "on", ">own"}, rights...)...)
	v := at(r)
	v["username"], v["password"] = "agent", "own"
	return v
}

func TestLeastPrivilege(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		rights  []string
		polling bool // as far as is known at first
		all     bool // nothing may be refused
	}{
		"all that is documented":  {append(ourKeys, "+config|get", "+role"), false, true},
		"without CONFIG":          {ourKeys, true, false},
		"without the root itself": {strings.Fields("~/datakit/* &__keyspace@0__:/datakit/* +config|get"), false, false},
		"without the channels":    {strings.Fields("~/datakit/* ~/datakit +config|get"), true, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := testserver.StartRedis(t)
			r.Put(t, "/other/confd/a", "is nobody's business")
			v := grant(t, r, append(readOnly, c.rights...)...)
			v["circle_interval"] = int64(1)
			st := open(t, v)
			since := ReadUntil(t, st, "").Revision
			if isPolling(st) != c.polling {
				t.Errorf("polling is %t", !c.polling)
			}
			for n := range 2 {
				r.Put(t, root+"/confd/a", strconv.Itoa(n))
				since = waitFor(t, st, since, fmt.Sprintf("confd/a=%d", n))
			}
			if refused := r.Do(t, "ACL", "LOG"); c.all && refused != "" {
				t.Errorf("the server has refused us: %s", refused)
			}
			if _, err := st.(store.Writer).Put(t.Context(), "confd/a", "2", store.Cond{}); !errors.Is(err, store.ErrDenied) {
				t.Errorf("Put: %v", err)
			}
		})
	}
}

func TestLeastPrivilegeToWrite(t *testing.T) {
	t.Parallel()
	r := testserver.StartRedis(t)
	v := grant(t, r, append(append(readOnly, ourKeys...), strings.Fields("+watch +hget +set +del +hset +hdel")...)...)
	r.Do(t, "HSET", root+"/confd", "h", "1")
	w := open(t, v).(store.Writer)
	for _, key := range []string{"confd/a", "confd/h"} {
		rev, err := w.Put(t.Context(), key, "2", store.Cond{})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Delete(t.Context(), key, store.Cond{Revision: rev}); err != nil {
			t.Error(err)
		}
	}
}

func TestLeastPrivilegeInACluster(t *testing.T) {
	t.Parallel()
	nodes := testserver.StartRedisCluster(t, 0)
	var v spec.Values
	for _, n := range nodes {
		v = grant(t, n, append(append(readOnly, ourKeys...), "+config|get", "+cluster|nodes")...)
	}
	st := open(t, v)
	since := ReadUntil(t, st, "").Revision
	if isPolling(st) {
		t.Error("it says that it polls")
	}
	ownerOf(t, nodes, root+"/confd/a").Put(t, root+"/confd/a", "1")
	waitFor(t, st, since, "confd/a=1")
}

// A key that may not be read fails the whole read: left out, it would look
// deleted.
func TestKeyThatMayNotBeRead(t *testing.T) {
	t.Parallel()
	r := testserver.StartRedis(t)
	r.Put(t, root+"/confd/a", "1")
	r.Put(t, root+"/confd/hidden", "1")
	st := open(t, grant(t, r, append(readOnly, "~/datakit/confd/a", "&*")...))
	if snap, err := st.Read(Deadline(t, Patience)); !errors.Is(err, store.ErrDenied) {
		t.Fatalf("Read: %v, %v", snap, err)
	}
	r.Do(t, "ACL", "SETUSER", "agent", "~/datakit/*")
	ReadUntil(t, st, "confd/a=1 confd/hidden=1")
}
