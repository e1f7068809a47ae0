// Package refer keeps refer tables: tables of facts that one HTTP server holds
// for every agent, pulled on an interval, for scripts to look rows up in.
package refer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/point"
)

// Options say where the tables come from. A zero means the default.
type Options struct {
	URL      string
	Interval time.Duration // from one pull to the next; at least a second
	Timeout  time.Duration // of a pull
	MaxBytes int64         // of all tables as they are sent
	Client   *http.Client
	Log      *slog.Logger
}

// The defaults.
const (
	DefaultInterval = 5 * time.Minute
	DefaultTimeout  = 30 * time.Second
	DefaultMaxBytes = 16 << 20
)

const minInterval = time.Second

// The reasons for tables that are not taken.
var (
	ErrURL    = errors.New("the URL of the refer tables must start with http:// or https://")
	ErrStatus = errors.New("the server of the refer tables answers with an error")
	ErrSize   = errors.New("the refer tables are too large")
	ErrFormat = errors.New("the refer tables are malformed")
)

// Tables are the refer tables of one server. What was pulled last stays until a
// whole newer state is there: a server that is down, or that sends half a table,
// changes nothing.
type Tables struct {
	opts Options
	now  atomic.Pointer[tableSet]
	etag string // of what now holds; only Run uses it
}

type tableSet map[string]*table

var _ fn.Tables = (*Tables)(nil)

// New returns the tables of a server, none yet: Run pulls them.
func New(o Options) (*Tables, error) {
	u, err := url.Parse(o.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, ErrURL // and not what was given, which may hold a password
	}
	if o.Interval == 0 {
		o.Interval = DefaultInterval
	}
	o.Interval = max(o.Interval, minInterval)
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = DefaultMaxBytes
	}
	if o.Client == nil {
		o.Client = new(http.Client)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Tables{opts: o}, nil
}

// Row returns the first row of a table where columns hold values.
func (t *Tables) Row(name string, columns []string, values []point.Value) (fn.Row, bool) {
	set := t.now.Load()
	if set == nil {
		return fn.Row{}, false
	}
	tab := (*set)[name]
	if tab == nil {
		return fn.Row{}, false
	}
	return tab.find(columns, values)
}

// Run pulls the tables at once and then on the interval, until ctx is done. A
// pull that fails is logged, and the next one comes when it would anyway.
func (t *Tables) Run(ctx context.Context) error {
	tick := time.NewTicker(t.opts.Interval)
	defer tick.Stop()
	for {
		if err := t.pull(ctx); err != nil && ctx.Err() == nil {
			t.opts.Log.Warn("refer tables not pulled, the last ones stay", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// pull replaces the tables by those that the server has now.
func (t *Tables) pull(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, t.opts.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, t.opts.URL, http.NoBody)
	if err != nil {
		return ErrURL
	}
	if t.etag != "" {
		req.Header.Set("If-None-Match", t.etag)
	}
	resp, err := t.opts.Client.Do(req)
	if err != nil {
		return fmt.Errorf("pull the refer tables: %w", cause(err))
	}
	defer resp.Body.Close() //nolint:errcheck // it was only read
	switch resp.StatusCode {
	case http.StatusOK:
	case http.StatusNotModified:
		return nil
	default:
		return fmt.Errorf("%w: status %d", ErrStatus, resp.StatusCode)
	}
	body := &io.LimitedReader{R: resp.Body, N: t.opts.MaxBytes + 1}
	set, err := parse(body, maxCells)
	if body.N <= 0 {
		return fmt.Errorf("%w: at most %d bytes", ErrSize, t.opts.MaxBytes)
	}
	if err != nil {
		return err
	}
	t.now.Store(&set)
	t.etag = resp.Header.Get("ETag")
	return nil
}

// cause returns err without the URL that the client puts before it: it may hold
// a password or a token.
func cause(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}
