package dataway

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"iter"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"time"

	"datakit.dev/internal/output"
	"datakit.dev/internal/point"
	"datakit.dev/internal/point/lineproto"
)

// The times of a connection, each also within the timeout of the request.
const (
	dialTimeout = 10 * time.Second
	keepAlive   = 30 * time.Second
)

type dataway struct {
	config
	client *http.Client
	ends   []*endpoint
	agent  string

	raw    []byte
	packed bytes.Buffer
	zip    *gzip.Writer
	batch  *point.Point // the first point of the batch that endpoints' parts count
}

func newClient(c config) (*http.Client, error) {
	proxy := http.ProxyFromEnvironment
	if c.Proxy != "" {
		u, err := url.Parse(c.Proxy)
		if err != nil || u.Host == "" {
			return nil, errors.New("[dataway] http_proxy is not of the form http://HOST:PORT") // the error of Parse shows the address
		}
		proxy = http.ProxyURL(u)
	}
	return &http.Client{
		Timeout: c.Timeout,
		// A redirect could carry the token to another host, and most would turn
		// the post into a get.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			Proxy:                  proxy,
			DialContext:            (&net.Dialer{Timeout: dialTimeout, KeepAlive: keepAlive}).DialContext,
			TLSHandshakeTimeout:    dialTimeout,
			ResponseHeaderTimeout:  c.Timeout,
			MaxResponseHeaderBytes: 64 << 10,
			MaxIdleConnsPerHost:    c.IdleConns,
			IdleConnTimeout:        c.IdleTime,
			ForceAttemptHTTP2:      true,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: c.Insecure}, //nolint:gosec // only where the user asks for it
		},
	}, nil
}

func userAgent(version string) string {
	return fmt.Sprintf("datakit/%s (%s; %s)", version, runtime.GOOS, runtime.GOARCH)
}

// Write implements [output.Output]. Every address gets every part of b; one that
// had it already does not get it again when another one makes the queue call
// once more.
func (d *dataway) Write(ctx context.Context, b output.Batch) error {
	if len(b.Points) == 0 {
		return nil
	}
	if d.batch != &b.Points[0] {
		d.begin(&b.Points[0])
	}
	var failed, rejected error
	broken := make(map[*endpoint]bool, len(d.ends))
	n := 0
	for part := range d.split(b.Points) {
		n++
		body, err := d.pack(part)
		if err != nil {
			return err
		}
		for _, e := range d.ends {
			if e.parts >= n || broken[e] {
				continue
			}
			switch err := d.deliver(ctx, e, b.Category, body); {
			case err == nil:
				e.parts = n
			case errors.Is(err, output.ErrRejected):
				e.parts, rejected = n, err
			default:
				broken[e], failed = true, err
			}
		}
	}
	if failed != nil {
		return failed
	}
	d.begin(nil)
	return rejected
}

// begin notes that no endpoint has anything of the batch with this first point.
func (d *dataway) begin(first *point.Point) {
	d.batch = first
	for _, e := range d.ends {
		e.parts = 0
	}
}

// split yields the lines of pts in parts within the size of a request. A line
// that is alone too large is a part of its own: the server decides.
func (d *dataway) split(pts []point.Point) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		d.raw = d.raw[:0]
		for i := range pts {
			before := len(d.raw)
			d.raw = lineproto.Append(d.raw, &pts[i])
			if len(d.raw) <= d.MaxBody || before == 0 {
				continue
			}
			if !yield(d.raw[:before]) {
				return
			}
			d.raw = append(d.raw[:0], d.raw[before:]...)
		}
		if len(d.raw) > 0 {
			yield(d.raw)
		}
	}
}

// pack compresses one part; the result is valid until the next call.
func (d *dataway) pack(part []byte) ([]byte, error) {
	if !d.Gzip {
		return part, nil
	}
	d.packed.Reset()
	if d.zip == nil {
		// The fastest level halves the work of the default one, and costs a tenth more bytes.
		zip, err := gzip.NewWriterLevel(&d.packed, gzip.BestSpeed)
		if err != nil {
			return nil, fmt.Errorf("compress: %w", err)
		}
		d.zip = zip
	}
	d.zip.Reset(&d.packed)
	if _, err := d.zip.Write(part); err != nil {
		return nil, fmt.Errorf("compress: %w", err)
	}
	if err := d.zip.Close(); err != nil {
		return nil, fmt.Errorf("compress: %w", err)
	}
	return d.packed.Bytes(), nil
}

// deliver posts body until it is taken or refused, the tries are used up, or
// the server asks for time.
func (d *dataway) deliver(ctx context.Context, e *endpoint, c point.Category, body []byte) error {
	for try := 1; ; try++ {
		err := d.post(ctx, e, c, body)
		f := (*failure)(nil)
		if err == nil || try >= d.Tries || errors.Is(err, output.ErrRejected) || errors.As(err, &f) && f.after > 0 {
			return err
		}
		t := time.NewTimer(d.RetryDelay)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return err
		}
	}
}

func (d *dataway) post(ctx context.Context, e *endpoint, c point.Category, body []byte) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, e.target(c), bytes.NewReader(body))
	if err != nil {
		return e.unreachable(err)
	}
	r.Header.Set("Content-Type", "text/plain; charset=utf-8")
	r.Header.Set("User-Agent", d.agent)
	if d.Gzip {
		r.Header.Set("Content-Encoding", "gzip")
	}
	answer, err := d.client.Do(r)
	if err != nil {
		return e.unreachable(err)
	}
	return e.answered(answer, time.Now())
}

// Close implements [output.Output].
func (d *dataway) Close() error {
	d.client.CloseIdleConnections()
	return nil
}
