// Package redis is a config store in Redis: a single server, a master that
// Sentinel names, or a Redis Cluster.
//
// A store reads the tree once and keeps that copy complete by the keyspace
// notifications of the servers. They are hints and no more: a notification names
// a key, whose value is then read. Redis sends each of them once, to whoever is
// connected at that moment, and some changes (FLUSHALL) it does not tell at all.
// So we subscribe before we read, read everything anew with every connection,
// and look at short intervals whether the servers still answer, still tell, and
// still hold the keys that we know. Where they do not tell, the tree is read
// every circle_interval.
//
// The protocol is spoken here, in a few hundred lines. The usual client library
// makes the program larger by a third, reconnects a subscription in silence, so
// that what was missed meanwhile cannot be known, and takes the memory for an
// answer on the server's word.
package redis

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"time"

	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
	"datakit.dev/internal/store/follow"
	"datakit.dev/internal/tlsconf"
)

// The kinds of server, as they call themselves.
const (
	standalone = "standalone"
	sentinel   = "sentinel"
	cluster    = "cluster"
)

// Backend returns the Redis store for the list of backends.
func Backend() store.Backend {
	return store.Backend{
		Name:  "redis",
		Doc:   "Redis 5 and later, single, with Sentinel or as a Cluster: watched by keyspace notifications, polled where they are off.",
		DocZH: "Redis 5 及以上（单机、Sentinel 或 Cluster）：通过键空间通知监听变更，未开启通知时轮询。",
		Spec: spec.Schema{Name: "confds", Fields: store.Pick("nodes", "scheme", "prefix", "separator", "circle_interval",
			"basic_auth", "username", "password", "client_ca_keys", "client_cert", "client_key", "client_insecure")},
		// OneInstant is true of a server; the masters of a Cluster have none in common.
		Traits: store.Traits{Watches: true, Writes: true, CompareAndSet: true, Mirrors: true, OneInstant: true},
		Open:   func(o store.Options) (store.Store, error) { return open(o) },
	}
}

// A redis is the store.
type redis struct {
	*follow.Store
	src *source
}

func open(o store.Options) (*redis, error) {
	s, err := parse(o)
	if err != nil {
		return nil, err
	}
	log := o.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	src := newSource(s, log)
	return &redis{Store: follow.New("redis", src, log), src: src}, nil
}

// Polling implements [store.Poller].
func (r *redis) Polling() bool { return r.src.polling.Load() }

// settings is what the options say.
type settings struct {
	nodes              []string // host:port, or the path of a socket
	sentinels          bool     // the nodes are said to be sentinels
	service            string   // the master's name among the sentinels
	database           int
	names              names
	username, password string
	tls                tlsconf.Options
	secure             bool
	every              time.Duration // between two reads where nothing is told
	look               time.Duration // between two looks at servers that say nothing
}

func parse(o store.Options) (*settings, error) {
	v := o.Values
	s := &settings{
		username: v.String("username"), password: v.String("password"),
		tls: tlsconf.FromValues(v), every: time.Duration(max(v.Int("circle_interval"), 1)) * time.Second,
		look: lookEvery,
	}
	s.takeKey()
	switch {
	case v.Bool("basic_auth") && (s.username == "" || s.password == ""):
		return nil, errors.New("basic_auth needs both username and password")
	case s.username != "" && s.password == "":
		return nil, errors.New("username needs a password")
	}
	if err := s.tls.Check(); err != nil {
		return nil, err
	}
	s.secure = s.tls.Set() || v.String("scheme") == "https"
	if err := s.takeNodes(v.Strings("nodes")); err != nil {
		return nil, err
	}
	return s, s.takeSeparator(o.Root, v.String("separator"))
}

// takeKey takes client_key for the password where it names no file, as upstream
// does always. Beside client_cert it is the file of a key, which may come later.
func (s *settings) takeKey() {
	if s.tls.Key == "" || s.tls.Cert != "" {
		return
	}
	if _, err := os.Stat(s.tls.Key); err == nil {
		return
	}
	if s.password == "" {
		s.password = s.tls.Key
	}
	s.tls.Key = ""
}

// takeSeparator takes a number for the database, and anything else for the text
// that stands for / in names.
func (s *settings) takeSeparator(root, separator string) error {
	n, err := strconv.Atoi(separator)
	switch {
	case err == nil && n < 0:
		return fmt.Errorf("separator: %d is no database", n)
	case err == nil && s.database != 0 && s.database != n:
		return fmt.Errorf("separator says database %d, nodes say %d", n, s.database)
	case err == nil:
		s.database, separator = n, "/"
	case separator == "":
		separator = "/"
	case len(separator) > maxSeparator || strings.ContainsAny(separator, "\r\n\x00"):
		return fmt.Errorf("separator: expected the number of a database, or a text of at most %d bytes such as \":\"", maxSeparator)
	}
	s.names = newNames(root, separator)
	return nil
}

const maxSeparator = 16
