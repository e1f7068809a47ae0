// Package api is the agent's HTTP face: its status, its metrics, a way in for
// points, and the few things that can be asked of it while it runs.
//
//	GET  /v1/ping             version, uptime, host
//	GET  /v1/status           what runs, and what became of every key
//	GET  /metrics             the same for Prometheus
//	POST /v1/write/CATEGORY   points as line protocol
//	POST /v1/reload           read the local configuration again
//	POST /v1/confd/accept     apply the deletions that are held
//	POST /v1/confd/plan       what a change of keys would do
//	POST /v1/confd/validate   what is wrong with one value
//	POST /v1/pipeline/debug   what a script does to sample data
//	POST /v1/pipeline/try     what a script does to recent points
//	POST /v1/query/raw        answer DQL from the recent points
//	GET  /v1/changes          what changed of late, and what that restarted
//	GET  /v1/events           the same as it happens
//	GET  /v1/openapi.json     all of this, for programs
//	GET  /v1/recent           which points are kept for queries and trials
//	GET  /v1/specs            what configuration and scripts are made of
//	     /v1/keys             the keys of the stores, for the console
//	     /v1/console          logging in to it
//
// [Routes] describes them all, with who may call them. An error is JSON:
// {"error_code":"datakit.notFound","message":"…"}.
package api

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"datakit.dev/internal/access"
	"datakit.dev/internal/audit"
	"datakit.dev/internal/config"
	"datakit.dev/internal/dql"
	"datakit.dev/internal/pipeline"
	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/point"
	"datakit.dev/internal/reconcile"
	"datakit.dev/internal/status"
	"datakit.dev/internal/status/changes"
	"datakit.dev/internal/store"
)

// Info is what never changes while an agent runs.
type Info struct {
	Version string
	Host    string
	Started time.Time
}

// An Agent is what the API shows and asks. Its methods are called from several
// goroutines at once.
type Agent interface {
	Info() Info
	Status() status.Status

	// Reload reads the local configuration again and applies it.
	Reload(ctx context.Context) error

	// Accept applies the deletions that are held, and returns how many stores
	// held one.
	Accept() int

	// Try says what would happen if entries, below the root, were in the store
	// with the ID source, or in the first one where that is "", and the keys
	// removed were not.
	Try(source string, entries []store.Entry, removed ...string) reconcile.Trial

	// Write takes points over. It sets the time of those that have none, and
	// blocks while the flow is full.
	Write(ctx context.Context, category point.Category, pts []point.Point) error
}

// Options is what a server needs.
type Options struct {
	Log   *slog.Logger
	Agent Agent

	// Addr is host:port, or the path of a unix socket; "" listens nowhere.
	Addr string

	// Recent is what queries are answered from; nil: nothing.
	Recent dql.Source

	// Scripts is what scripts to be debugged are compiled against.
	Scripts pipeline.Options

	// Running returns the scripts of the stores that run, by name: those that a
	// script on trial may use. nil: none.
	Running func(point.Category) map[string]string

	// Catalog is the inputs that /v1/specs describes; nil: none.
	Catalog *config.Catalog

	// Services returns what these scripts can reach outside; nil: nothing.
	Services func() fn.Services

	// Changes is what /v1/changes and /v1/events show; nil is none.
	Changes *changes.Journal

	// Console answers every GET that no route of the API takes; where it is nil
	// they are told that there is nothing. [access.Admitted] says whether it may
	// show what the agent does.
	Console http.Handler

	// Settings returns [console] as it is now; nil is a console that is enabled and
	// writes nothing.
	Settings func() config.Console

	// Gate lets in who has the token; nil lets in this machine alone.
	Gate *access.Gate

	// Audit is the record of what is changed. Without one no key is written.
	Audit *audit.Log

	// Keys is the stores' keys; nil shows none.
	Keys Keys

	// Bound is told the address after the server has begun to listen, and the
	// error where it could not; nil tells nobody.
	Bound func(addr string, err error)
}

// New returns a server that does not listen yet.
func New(o Options) *Server {
	if o.Changes == nil {
		o.Changes = changes.New(time.Now())
	}
	s := &Server{
		opts: o, registry: prometheus.NewRegistry(), budget: budget{limit: maxBodies},
		querying: make(chan struct{}, maxQuerying), checking: make(chan struct{}, maxChecking),
	}
	s.specification = sync.OnceValue(s.specify)
	s.metrics = newMetrics(o.Agent, s.registry)
	s.handler = s.routes()
	return s
}
