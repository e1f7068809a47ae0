package dataway

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"datakit.dev/internal/diag"
	"datakit.dev/internal/output"
)

// The bounds of what is taken from an answer.
const (
	excerptBytes = 256
	drainBytes   = 64 << 10 // read to the end, up to here, so that the connection is used again
	longestAsk   = 5 * time.Minute
)

// A failure is an error whose text has no secret in it. It matches its cause
// with errors.Is, but does not unwrap to it: the cause of a failed request
// prints the whole address.
type failure struct {
	text  string
	cause error
	after time.Duration
}

// Error returns the text.
func (f *failure) Error() string { return f.text }

// Is reports whether the cause is target.
func (f *failure) Is(target error) bool { return errors.Is(f.cause, target) }

// RetryAfter returns how long the server asked to be left alone; the queue
// waits at least as long.
func (f *failure) RetryAfter() time.Duration { return f.after }

// unreachable is the failure of a request that got no answer.
func (e *endpoint) unreachable(err error) *failure {
	text := err.Error()
	if u := (*url.Error)(nil); errors.As(err, &u) {
		text = u.Err.Error()
	}
	return &failure{text: "post to " + e.name + ": " + diag.OneLine(e.clean(text)), cause: err}
}

// answered returns nil for a success, and what went wrong for any other answer.
// It closes the body.
func (e *endpoint) answered(r *http.Response, now time.Time) error {
	body, err := io.ReadAll(io.LimitReader(r.Body, 8*excerptBytes))
	if err == nil {
		_, err = io.CopyN(io.Discard, r.Body, drainBytes)
	}
	if closeErr := r.Body.Close(); err == nil || errors.Is(err, io.EOF) {
		err = closeErr
	}
	if r.StatusCode/100 == 2 {
		return nil // whatever becomes of the body: the points are there
	}
	f := &failure{text: "post to " + e.name + ": it answered " + strconv.Itoa(r.StatusCode), cause: err}
	if text := e.excerpt(body); text != "" {
		f.text += ": " + text
	}
	switch code := r.StatusCode; {
	case code/100 == 3:
		f.text += "; redirects are not followed, write the final address into [dataway] urls"
	case code == http.StatusRequestTimeout, code == http.StatusTooManyRequests, code >= 500,
		code == http.StatusProxyAuthRequired: // that is the proxy's word, not the destination's
		f.after = retryAfter(r.Header.Get("Retry-After"), now)
	case code/100 == 4:
		f.cause = output.ErrRejected
	}
	return f
}

// excerpt returns the beginning of an answer, fit for a log. Secrets go before
// the cut, so that no half of one stays.
func (e *endpoint) excerpt(body []byte) string {
	text := strings.TrimSpace(diag.OneLine(e.clean(strings.ToValidUTF8(string(body), "?"))))
	if len(text) > excerptBytes {
		text = strings.ToValidUTF8(text[:excerptBytes], "") + "…"
	}
	return text
}

// retryAfter reads the header of that name: seconds or a date.
func retryAfter(s string, now time.Time) time.Duration {
	var d time.Duration
	if n, err := strconv.ParseUint(s, 10, 32); err == nil {
		d = time.Duration(n) * time.Second
	} else if at, err := http.ParseTime(s); err == nil {
		d = at.Sub(now)
	}
	return min(max(d, 0), longestAsk)
}
