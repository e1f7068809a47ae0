package dataway

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"datakit.dev/internal/output"
	"datakit.dev/internal/point"
	"datakit.dev/internal/point/lineproto"
	"datakit.dev/internal/spec"
)

const token = "tkn_0123456789abcdef0123456789abcdef"

// A request is what the server saw.
type request struct {
	path, query, agent, encoding, from string
	names                              []string
	size                               int // of the body, uncompressed
}

// A server is a real HTTP server that keeps what it gets, and answers as told.
type server struct {
	*httptest.Server
	mu     sync.Mutex
	got    []request
	answer func(n int, w http.ResponseWriter) // nil answers 200; n counts from 1
}

func newServer(t *testing.T, answer func(n int, w http.ResponseWriter)) *server {
	t.Helper()
	s := &server{answer: answer}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

// ServeHTTP implements [http.Handler].
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var body io.Reader = r.Body
	if r.Header.Get("Content-Encoding") == "gzip" {
		zip, err := gzip.NewReader(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		body = zip
	}
	text, err := io.ReadAll(body)
	pts, l := lineproto.Decode(string(text), lineproto.Options{})
	if err != nil || len(l) > 0 || r.Method != http.MethodPost {
		http.Error(w, fmt.Sprint(err, l), http.StatusBadRequest)
		return
	}
	q := request{path: r.URL.Path, query: r.URL.RawQuery, agent: r.UserAgent(), encoding: r.Header.Get("Content-Encoding"), size: len(text), from: r.RemoteAddr}
	for _, p := range pts {
		q.names = append(q.names, p.Name)
	}
	s.mu.Lock()
	s.got = append(s.got, q)
	n := len(s.got)
	s.mu.Unlock()
	if s.answer != nil {
		s.answer(n, w)
	}
}

func (s *server) requests() []request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.got)
}

func status(code int) func(int, http.ResponseWriter) {
	return func(_ int, w http.ResponseWriter) { w.WriteHeader(code) }
}

func openWith(t *testing.T, change func(spec.Values), urls ...string) output.Output {
	t.Helper()
	v := spec.Defaults(Schema().Fields)
	v["urls"], v["retry_delay"] = urls, time.Millisecond
	if change != nil {
		change(v)
	}
	out, err := Plugin().Open(output.Env{Version: "1.2.3", Log: slog.New(slog.DiscardHandler)}, v)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := out.Close(); err != nil {
			t.Error(err)
		}
	})
	return out
}

func batch(c point.Category, names ...string) output.Batch {
	b := output.Batch{Category: c}
	for _, n := range names {
		b.Points = append(b.Points, point.Point{Name: n, Time: 1, Fields: []point.Field{{Key: "f", Value: point.IntOf(1)}}})
	}
	return b
}

func TestPointsArriveAtTheWriteRouteOfTheirCategory(t *testing.T) {
	if err := Schema().Check(); err != nil {
		t.Error(err)
	}
	for _, zip := range []bool{true, false} {
		s := newServer(t, nil)
		out := openWith(t, func(v spec.Values) { v["gzip"] = zip }, s.URL+"/base/?token="+token+"&x=1")
		for _, c := range []point.Category{point.Metric, point.CustomObject} {
			if err := out.Write(t.Context(), batch(c, "a", "b")); err != nil {
				t.Fatal(err)
			}
		}
		if err := out.Write(t.Context(), output.Batch{Category: point.Metric}); err != nil {
			t.Error(err)
		}
		got := s.requests()
		if len(got) != 2 || got[0].path != "/base/v1/write/metric" || got[1].path != "/base/v1/write/custom_object" {
			t.Fatalf("requests %+v", got)
		}
		if r := got[0]; r.query != "token="+token+"&x=1" || !strings.HasPrefix(r.agent, "datakit/1.2.3 (") || r.encoding == "gzip" != zip || !slices.Equal(r.names, []string{"a", "b"}) {
			t.Errorf("request %+v", r)
		}
	}
}

func TestAnAnswerDecidesBetweenRetryAndRefusal(t *testing.T) {
	for code, want := range map[int]string{
		200: "", 204: "", 400: "rejected", 401: "rejected", 403: "rejected", 404: "rejected", 413: "rejected", 422: "rejected",
		301: "retry", 302: "retry", 407: "retry", 408: "retry", 429: "retry", 500: "retry", 502: "retry", 503: "retry",
	} {
		s := newServer(t, status(code))
		got := ""
		err := openWith(t, nil, s.URL+"?token="+token).Write(t.Context(), batch(point.Metric, "a"))
		switch {
		case errors.Is(err, output.ErrRejected):
			got = "rejected"
		case err != nil:
			got = "retry"
		}
		if got != want || err != nil && !strings.Contains(err.Error(), strconv.Itoa(code)) {
			t.Errorf("%d: %q (%v), want %q", code, got, err, want)
		}
		if n := len(s.requests()); n != 1 {
			t.Errorf("%d: %d requests", code, n)
		}
	}
}

func TestRetriesInARow(t *testing.T) {
	s := newServer(t, func(n int, w http.ResponseWriter) {
		if n < 3 {
			w.WriteHeader(http.StatusBadGateway)
		}
	})
	out := openWith(t, func(v spec.Values) { v["max_retry_count"] = int64(3) }, s.URL)
	if err := out.Write(t.Context(), batch(point.Metric, "a")); err != nil || len(s.requests()) != 3 {
		t.Errorf("%d requests, %v", len(s.requests()), err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ending := newServer(t, func(_ int, w http.ResponseWriter) { w.WriteHeader(http.StatusInternalServerError); cancel() })
	out = openWith(t, func(v spec.Values) { v["max_retry_count"], v["retry_delay"] = int64(9), time.Minute }, ending.URL)
	if err := out.Write(ctx, batch(point.Metric, "a")); err == nil || len(ending.requests()) != 1 {
		t.Errorf("%d requests, %v", len(ending.requests()), err)
	}
}

func TestRetryAfterIsToldToTheQueue(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for header, want := range map[string]time.Duration{
		"": 0, "7": 7 * time.Second, "-7": 0, "soon": 0, "99999999": longestAsk, "18446744073709551616": 0,
		now.Add(90 * time.Second).Format(http.TimeFormat): 90 * time.Second,
		now.Add(-time.Hour).Format(http.TimeFormat):       0,
		now.Add(1000 * time.Hour).Format(http.TimeFormat): longestAsk,
	} {
		if got := retryAfter(header, now); got != want {
			t.Errorf("%q: %v, want %v", header, got, want)
		}
	}
	s := newServer(t, func(_ int, w http.ResponseWriter) {
		w.Header().Set("Retry-After", "9")
		w.WriteHeader(http.StatusTooManyRequests)
	})
	err := openWith(t, func(v spec.Values) { v["max_retry_count"] = int64(5) }, s.URL).Write(t.Context(), batch(point.Metric, "a"))
	var asks interface{ RetryAfter() time.Duration }
	if !errors.As(err, &asks) || asks.RetryAfter() != 9*time.Second || len(s.requests()) != 1 {
		t.Errorf("%d requests, %v", len(s.requests()), err)
	}
}

func TestALargeBatchIsSplitAndEachPartSentOnce(t *testing.T) {
	ok := newServer(t, nil)
	flaky := newServer(t, func(n int, w http.ResponseWriter) {
		if n == 2 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	refuses := newServer(t, status(http.StatusForbidden))
	out := openWith(t, func(v spec.Values) { v["max_raw_body_size"] = int64(1024) }, flaky.URL, ok.URL, refuses.URL)
	var names []string
	for i := range 300 {
		names = append(names, fmt.Sprint("p", i))
	}
	names[150] = strings.Repeat("x", 2000) // larger than a request
	b := batch(point.Metric, names...)
	if err := out.Write(t.Context(), b); err == nil || errors.Is(err, output.ErrRejected) {
		t.Fatalf("the first write: %v", err)
	}
	if err := out.Write(t.Context(), b); !errors.Is(err, output.ErrRejected) && err != nil {
		t.Fatalf("the second write: %v", err)
	}
	flaky.got = slices.Delete(flaky.got, 1, 2) // the one that failed
	for _, s := range []*server{ok, flaky} {
		var got []string
		for _, r := range s.requests() {
			if r.size > 1024 && len(r.names) > 1 {
				t.Errorf("a request of %d bytes", r.size)
			}
			got = append(got, r.names...)
		}
		if !slices.Equal(got, names) {
			t.Errorf("%d points, want %d, in order and once each", len(got), len(names))
		}
	}
	// The next batch begins anew.
	if err := out.Write(t.Context(), batch(point.Metric, "next")); !errors.Is(err, output.ErrRejected) {
		t.Errorf("the next batch: %v", err)
	}
	if got := ok.requests(); !slices.Equal(got[len(got)-1].names, []string{"next"}) {
		t.Error("the next batch did not arrive")
	}
}

func TestAnotherBatchBeginsAnew(t *testing.T) {
	ok := newServer(t, nil)
	down := newServer(t, status(http.StatusServiceUnavailable))
	out := openWith(t, nil, ok.URL, down.URL)
	for _, name := range []string{"given up", "next"} { // the queue gives up a batch when the agent ends
		if err := out.Write(t.Context(), batch(point.Metric, name)); err == nil {
			t.Error("no error")
		}
	}
	if got := ok.requests(); len(got) != 2 || got[1].names[0] != "next" {
		t.Errorf("%+v", got)
	}
}

// free returns the address of a port that nobody listens on.
func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return l.Addr().String()
}

// Whatever goes wrong, and whoever repeats the address: no error, status or log
// shows the token.
func TestTheTokenIsInNoError(t *testing.T) {
	echo := newServer(t, func(_ int, w http.ResponseWriter) {
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprintf(w, "no workspace for %s, asked at /v1/write?token=%s\n\x1b[31m", token, token)
	})
	split := newServer(t, func(_ int, w http.ResponseWriter) {
		w.WriteHeader(http.StatusInternalServerError)
		fmt.Fprint(w, strings.Repeat("x", excerptBytes-10)+token) // the cut falls into the token
	})
	elsewhere := newServer(t, nil)
	redirect := newServer(t, func(_ int, w http.ResponseWriter) {
		w.Header().Set("Location", elsewhere.URL+"/?token="+token)
		w.WriteHeader(http.StatusTemporaryRedirect)
	})
	brokenProxy := func(v spec.Values) { v["http_proxy"] = "http://user:" + token + "@" + free(t) }
	for name, c := range map[string]struct {
		url    string
		change func(spec.Values)
	}{
		"echo":     {echo.URL + "?token=" + token, nil},
		"split":    {split.URL + "?token=" + token, nil},
		"redirect": {redirect.URL + "?token=" + token, nil},
		"closed":   {"http://" + free(t) + "?token=" + token, nil},
		"no host":  {"http://no-such-host.invalid?token=" + token, nil},
		"userinfo": {"http://user:" + token + "@" + free(t), nil},
		"proxy":    {"http://h.invalid?token=" + token, brokenProxy},
		"not http": {strings.Replace(newTLSServer(t).URL, "https", "http", 1) + "?token=" + token, nil},
		"bad cert": {newTLSServer(t).URL + "?token=" + token, nil},
	} {
		err := openWith(t, c.change, c.url).Write(t.Context(), batch(point.Metric, "a"))
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		for e := err; e != nil; e = errors.Unwrap(e) {
			if text := fmt.Sprintf("%v %+v", e, e); strings.Contains(text, token) || strings.Contains(text, token[:12]) || strings.ContainsAny(text, "\n\x1b") || name != "echo" && strings.Contains(text, writeRoute) {
				t.Errorf("%s: %s", name, text)
			}
		}
	}
	if n := len(elsewhere.requests()); n != 0 {
		t.Errorf("the redirect was followed %d times, with the token", n)
	}
}

func TestABadAddressIsRefusedWithoutShowingIt(t *testing.T) {
	for _, c := range []struct {
		urls  []string
		proxy string
		want  string
	}{
		{nil, "", "urls is empty"},
		{[]string{"http://ok", "openway.guance.com?token=" + token}, "", "address 2 is not of the form"},
		{[]string{"ftp://h?token=" + token}, "", "address 1"},
		{[]string{"http://h:port?token=" + token}, "", "address 1"},
		{[]string{"http://%zz?token=" + token}, "", "address 1"},
		{[]string{"http://ok"}, "http://u:" + token + "@h:port", "http_proxy is not of the form"},
	} {
		v := spec.Defaults(Schema().Fields)
		v["urls"], v["http_proxy"] = c.urls, c.proxy
		_, err := Plugin().Open(output.Env{}, v)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), token) {
			t.Errorf("%v: %v", c.urls, err)
		}
	}
}

func newTLSServer(t *testing.T) *server {
	t.Helper()
	s := &server{}
	s.Server = httptest.NewUnstartedServer(s)
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

func TestTLSIsVerifiedUnlessToldOtherwise(t *testing.T) {
	s := newTLSServer(t)
	if err := openWith(t, nil, s.URL).Write(t.Context(), batch(point.Metric, "a")); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("an unknown certificate: %v", err)
	}
	skip := func(v spec.Values) { v["insecure_skip_verify"] = true }
	if err := openWith(t, skip, s.URL).Write(t.Context(), batch(point.Metric, "a")); err != nil || len(s.requests()) != 1 {
		t.Errorf("not verified: %v", err)
	}
}

func TestAServerThatHangsCostsOnlyTheTimeout(t *testing.T) {
	release := make(chan struct{})
	s := newServer(t, func(int, http.ResponseWriter) { <-release })
	defer close(release)
	out := openWith(t, func(v spec.Values) { v["timeout"] = 50 * time.Millisecond }, s.URL+"?token="+token)
	if err := out.Write(t.Context(), batch(point.Metric, "a")); !errors.Is(err, context.DeadlineExceeded) || strings.Contains(err.Error(), token) {
		t.Errorf("its timeout: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	patient := openWith(t, nil, s.URL)
	time.AfterFunc(20*time.Millisecond, cancel)
	if err := patient.Write(ctx, batch(point.Metric, "a")); !errors.Is(err, context.Canceled) {
		t.Errorf("its context: %v", err)
	}
}

func TestAnEndlessAnswerIsNotRead(t *testing.T) {
	for code, wantErr := range map[int]bool{200: false, 400: true} {
		wrote := make(chan int, 1)
		s := newServer(t, func(_ int, w http.ResponseWriter) {
			w.WriteHeader(code)
			n := 0
			for range 1 << 14 { // up to 1 GiB
				m, err := w.Write(bytes.Repeat([]byte("spam "), 13_000))
				if n += m; err != nil {
					break
				}
			}
			wrote <- n
		})
		err := openWith(t, nil, s.URL).Write(t.Context(), batch(point.Metric, "a"))
		if (err != nil) != wantErr || err != nil && len(err.Error()) > excerptBytes+200 {
			t.Errorf("%d: %v", code, err)
		}
		if n := <-wrote; n > 100<<20 {
			t.Errorf("%d: the server could write %d bytes", code, n)
		}
	}
}

func TestABrokenConnectionIsRetried(t *testing.T) {
	s := newServer(t, func(n int, _ http.ResponseWriter) {
		if n == 1 {
			panic(http.ErrAbortHandler)
		}
	})
	out := openWith(t, func(v spec.Values) { v["max_retry_count"] = int64(2) }, s.URL)
	if err := out.Write(t.Context(), batch(point.Metric, "a")); err != nil {
		t.Error(err)
	}
}

func TestRequestsGoThroughTheProxy(t *testing.T) {
	var asked string
	proxy := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { asked = r.URL.Host }))
	defer proxy.Close()
	out := openWith(t, func(v spec.Values) { v["http_proxy"] = proxy.URL }, "http://dataway.invalid?token="+token)
	if err := out.Write(t.Context(), batch(point.Metric, "a")); err != nil || asked != "dataway.invalid" {
		t.Errorf("the proxy was asked for %q, %v", asked, err)
	}
}

func TestConnectionsAreUsedAgain(t *testing.T) {
	s := newServer(t, func(_ int, w http.ResponseWriter) { fmt.Fprint(w, strings.Repeat("x", drainBytes/2)) })
	out := openWith(t, nil, s.URL)
	conns := map[string]bool{}
	for range 5 {
		if err := out.Write(t.Context(), batch(point.Metric, "a")); err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range s.requests() {
		conns[r.from] = true
	}
	if len(conns) != 1 {
		t.Errorf("%d connections for five requests", len(conns))
	}
}
