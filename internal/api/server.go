package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/net/netutil"
)

// The bounds of a connection. A client that sends or reads slower than that
// gives its place to another.
const (
	headerTimeout = 10 * time.Second
	readTimeout   = time.Minute
	writeTimeout  = 2 * time.Minute
	idleTimeout   = 2 * time.Minute
	stopTimeout   = 3 * time.Second
	maxHeader     = 64 << 10
	maxConns      = 512
)

// The pauses before an address that could not be had is tried again.
const (
	pauseMin = 250 * time.Millisecond
	pauseMax = 30 * time.Second
)

// A Server answers for one agent.
type Server struct {
	opts     Options
	registry *prometheus.Registry
	metrics  *metrics
	handler  http.Handler
	budget   budget

	readers   atomic.Int64  // of events
	sampler   sampler       // of what ticks tell
	debugging sync.Mutex    // one script at a time keeps the other cores free
	querying  chan struct{} // holds a token for each query under way
	checking  chan struct{} // the same for each value that is validated

	specification func() taggedBody

	mu   sync.Mutex
	addr string
	err  error
}

// ServeHTTP implements [http.Handler]: all routes, with what guards them.
func (s *Server) ServeHTTP(w http.ResponseWriter, req *http.Request) { s.handler.ServeHTTP(w, req) }

// Err says why the server does not listen, nil where it does.
func (s *Server) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// Addr returns where the server listens: host:port with the port that it got,
// or the path of a unix socket; "" while it does not listen.
func (s *Server) Addr() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.addr
}

func (s *Server) set(addr string, err error) {
	s.mu.Lock()
	s.addr, s.err = addr, err
	s.mu.Unlock()
	if s.opts.Bound != nil {
		s.opts.Bound(addr, err)
	}
}

// Run listens and answers until ctx ends, then lets the requests under way
// finish. An address that cannot be had is tried again: that the port is taken
// must not keep an agent from collecting.
func (s *Server) Run(ctx context.Context) error {
	if s.opts.Addr == "" {
		<-ctx.Done()
		return nil
	}
	pause, last := pauseMin, ""
	for {
		err := s.listen(ctx)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // the end was asked for
		}
		if s.Err() == nil {
			pause, last = pauseMin, "" // it did listen, until now
		}
		s.set("", err)
		if err.Error() != last { // one line for an error, not one for each try
			last = err.Error()
			s.opts.Log.Error("the HTTP interface does not listen; it is tried again", "error", last)
		}
		rest(ctx, pause)
		pause = min(2*pause, pauseMax)
	}
}

// listen listens and answers until ctx ends or the listener fails.
func (s *Server) listen(ctx context.Context) error {
	ln, err := Listen(ctx, s.opts.Addr)
	if err != nil {
		return err
	}
	s.set(ln.Addr().String(), nil)
	s.opts.Log.Info("the HTTP interface listens", "addr", ln.Addr().String())
	return s.serve(ctx, ln)
}

func rest(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// endingKey is where a request finds the channel that is closed when the server is
// to end: one that never ends by itself must not hold it up.
type endingKey struct{}

func ending(ctx context.Context) <-chan struct{} {
	done, _ := ctx.Value(endingKey{}).(<-chan struct{})
	return done // nil, which is never closed, in a server that somebody else runs
}

// serve answers on ln until ctx ends or ln fails.
func (s *Server) serve(ctx context.Context, ln net.Listener) error {
	srv := &http.Server{
		Handler: s,
		BaseContext: func(net.Listener) context.Context {
			return context.WithValue(context.WithoutCancel(ctx), endingKey{}, ctx.Done())
		},
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(s.opts.Log.Handler(), slog.LevelDebug),
	}
	closed := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(closed)
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
		defer cancel()
		if srv.Shutdown(grace) != nil {
			_ = srv.Close() // who has not finished by now is cut off
		}
	})
	err := srv.Serve(netutil.LimitListener(ln, maxConns))
	if !stop() {
		<-closed
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("http_api.listen: %w", errors.Join(err, srv.Close()))
}
