package awsapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
	"datakit.dev/internal/store/httpnodes"
)

// No emulator throttles, lets a session run out or has another clock: what
// stands for the service here answers as AWS documents it.

var service = Service{Backend: "ssm", Host: "ssm", Target: "AmazonSSM", Version: "1.1"}

// serve answers each request by its number, from 1.
func serve(t *testing.T, respond func(n int, w http.ResponseWriter, r *http.Request)) (url string, calls *atomic.Int64) {
	t.Helper()
	calls = new(atomic.Int64)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		respond(int(calls.Add(1)), w, r)
	}))
	t.Cleanup(srv.Close)
	return srv.URL, calls
}

func say(w http.ResponseWriter, status int, code, message string) {
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"__type": "com.amazonaws.ssm#" + code, "message": message})
}

func client(t *testing.T, v spec.Values) *Client {
	t.Helper()
	c, err := New(service, v)
	if err != nil {
		t.Fatal(err)
	}
	c.first = time.Millisecond
	t.Cleanup(c.Close)
	return c
}

func static(url string) spec.Values {
	return spec.Values{"nodes": []string{url}, "access_key": "AKIDEXAMPLE", "secret_key": "the-secret-key"}
}

func TestRequestIsThatOfTheProtocol(t *testing.T) {
	t.Parallel()
	url, _ := serve(t, func(_ int, w http.ResponseWriter, r *http.Request) {
		for name, want := range map[string]string{
			"X-Amz-Target": "AmazonSSM.GetThing", "Content-Type": "application/x-amz-json-1.1",
			"Authorization": "/eu-west-1/ssm/aws4_request, SignedHeaders=content-length;content-type;host;x-amz-date;x-amz-target, Signature=",
		} {
			if got := r.Header.Get(name); !strings.Contains(got, want) {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
		fmt.Fprint(w, `{"Value":"v"}`)
	})
	v := static(url)
	v["region"] = "eu-west-1"
	var out struct{ Value string }
	if err := client(t, v).Read(t.Context(), "GetThing", map[string]string{"Name": "n"}, &out); err != nil || out.Value != "v" {
		t.Errorf("%q, %v", out.Value, err)
	}
}

func TestBusyServiceIsAskedAgain(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fail        func(http.ResponseWriter)
		read, write int64 // how often each is sent
	}{
		"throttled":       {func(w http.ResponseWriter) { say(w, 400, "ThrottlingException", "Rate exceeded") }, 3, 3},
		"over its units":  {func(w http.ResponseWriter) { say(w, 400, "ProvisionedThroughputExceededException", "") }, 3, 3},
		"by its status":   {func(w http.ResponseWriter) { w.WriteHeader(http.StatusTooManyRequests) }, 3, 3},
		"an inner error":  {func(w http.ResponseWriter) { say(w, 500, "InternalServerError", "") }, 3, 1},
		"a gateway":       {func(w http.ResponseWriter) { w.WriteHeader(http.StatusServiceUnavailable) }, 3, 1},
		"another refusal": {func(w http.ResponseWriter) { say(w, 400, "ValidationException", "no") }, 1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			for _, write := range []bool{false, true} {
				url, calls := serve(t, func(n int, w http.ResponseWriter, _ *http.Request) {
					if n < 3 {
						c.fail(w)
						return
					}
					fmt.Fprint(w, "{}")
				})
				cli, want := client(t, static(url)), c.read
				call := cli.Read
				if write {
					call, want = cli.Write, c.write
				}
				err := call(t.Context(), "Op", struct{}{}, &struct{}{})
				if got := calls.Load(); got != want || (err == nil) != (want == 3) {
					t.Errorf("write %v: sent %d times, want %d (%v)", write, got, want, err)
				}
			}
		})
	}
}

func TestServiceThatIsAlwaysBusy(t *testing.T) {
	t.Parallel()
	url, calls := serve(t, func(_ int, w http.ResponseWriter, _ *http.Request) {
		say(w, 400, "ThrottlingException", "Rate exceeded")
	})
	err := client(t, static(url)).Read(t.Context(), "Op", struct{}{}, &struct{}{})
	if !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), "Rate exceeded") || calls.Load() != tries {
		t.Errorf("after %d calls: %v", calls.Load(), err)
	}
	c := client(t, static(url))
	c.first = time.Hour
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := c.Read(ctx, "Op", struct{}{}, &struct{}{}); !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), "Rate exceeded") {
		t.Errorf("a pause longer than its caller has: %v", err)
	}
}

// A session that has run out is renewed where its keys came from, once.
func TestExpiredSession(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"ExpiredTokenException", "UnrecognizedClientException", "InvalidClientTokenId"} {
		for good, works := range map[string]bool{"token2": true, "no-token": false} {
			m := newMint(t, time.Now().Add(24*time.Hour))
			url, calls := serve(t, func(_ int, w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("X-Amz-Security-Token") != good {
					say(w, 400, code, "The security token included in the request is expired")
					return
				}
				fmt.Fprint(w, "{}")
			})
			c := client(t, spec.Values{"nodes": []string{url}, "region": "us-east-1"})
			c.finder = in(t, m.env())
			err := c.Write(t.Context(), "Op", struct{}{}, &struct{}{})
			if works && err != nil || !works && !errors.Is(err, store.ErrDenied) || calls.Load() != 2 || m.n.Load() != 2 {
				t.Errorf("%s: %d calls with %d keys: %v", code, calls.Load(), m.n.Load(), err)
			}
		}
	}
	url, calls := serve(t, func(_ int, w http.ResponseWriter, _ *http.Request) { say(w, 403, "ExpiredTokenException", "") })
	if err := client(t, static(url)).Read(t.Context(), "Op", struct{}{}, &struct{}{}); !errors.Is(err, store.ErrDenied) || calls.Load() != 1 {
		t.Errorf("keys of the options, %d calls: %v", calls.Load(), err)
	}
}

func TestClockThatIsOff(t *testing.T) {
	t.Parallel()
	url, _ := serve(t, func(_ int, w http.ResponseWriter, _ *http.Request) {
		say(w, 400, "InvalidSignatureException", "Signature expired: 20260101T000000Z is now earlier than … Canonical String: x-amz-security-token:the-token")
	})
	c := client(t, static(url))
	for off, want := range map[time.Duration]string{
		10 * time.Minute: "is 10m0s ahead", -2 * time.Hour: "is 2h0m0s behind", 0: "is the secret key right?",
	} {
		c.now = func() time.Time { return time.Now().Add(off) }
		err := c.Read(t.Context(), "Op", struct{}{}, &struct{}{})
		if !errors.Is(err, store.ErrDenied) || !strings.Contains(err.Error(), want) || off == 0 && strings.Contains(err.Error(), "clock") {
			t.Errorf("off by %v: %v", off, err)
		}
		if strings.Contains(err.Error(), "the-token") {
			t.Errorf("it repeats what was signed: %v", err)
		}
	}
}

func TestRefusalsHaveTheirPlace(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		respond func(http.ResponseWriter)
		want    error
		says    string
	}{
		"no permission":    {func(w http.ResponseWriter) { say(w, 400, "AccessDeniedException", "User: arn:x is not authorized") }, store.ErrDenied, "User: arn:x"},
		"a forbidden page": {func(w http.ResponseWriter) { w.WriteHeader(http.StatusForbidden); fmt.Fprint(w, "<html>") }, store.ErrDenied, "status 403"},
		"a code in a header": {func(w http.ResponseWriter) {
			w.Header().Set("X-Amzn-ErrorType", "AccessDenied:http://x")
			w.WriteHeader(http.StatusBadRequest)
		}, store.ErrDenied, "AccessDenied"},
		"some web server":   {func(w http.ResponseWriter) { w.WriteHeader(http.StatusNotFound); fmt.Fprint(w, "<html>") }, store.ErrUnavailable, "is it ssm"},
		"a page of success": {func(w http.ResponseWriter) { fmt.Fprint(w, "<html>welcome") }, store.ErrUnavailable, "not what ssm sends"},
		"sent elsewhere": {func(w http.ResponseWriter) {
			w.Header().Set("Location", "http://example.com/")
			w.WriteHeader(http.StatusMovedPermanently)
		}, store.ErrUnavailable, ""},
	} {
		url, _ := serve(t, func(_ int, w http.ResponseWriter, _ *http.Request) { c.respond(w) })
		err := client(t, static(url)).Read(t.Context(), "Op", struct{}{}, &struct{}{})
		if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v; want %v and %q", name, err, c.want, c.says)
		}
	}
}

func TestAnswerWithoutEnd(t *testing.T) {
	t.Parallel()
	url, _ := serve(t, func(_ int, w http.ResponseWriter, _ *http.Request) {
		for range maxAnswer>>10 + 1 {
			_, _ = fmt.Fprintf(w, "%1024s", "")
		}
	})
	if err := client(t, static(url)).Read(t.Context(), "Op", struct{}{}, &struct{}{}); !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), "too long") {
		t.Error(err)
	}
}

func TestClosedClient(t *testing.T) {
	t.Parallel()
	asked := make(chan struct{})
	hang := make(chan struct{})
	url, _ := serve(t, func(_ int, _ http.ResponseWriter, r *http.Request) {
		close(asked)
		select {
		case <-hang:
		case <-r.Context().Done():
		}
	})
	defer close(hang)
	c := client(t, static(url))
	done := make(chan error, 1)
	go func() { done <- c.Read(t.Context(), "Op", struct{}{}, &struct{}{}) }()
	<-asked
	c.Close()
	if err := <-done; !errors.Is(err, store.ErrClosed) {
		t.Errorf("the call that was under way: %v", err)
	}
	if err := c.Write(t.Context(), "Op", struct{}{}, &struct{}{}); !errors.Is(err, store.ErrClosed) {
		t.Errorf("a later one: %v", err)
	}
	c.Close()
}

func TestOptionsThatNeverWork(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		v    spec.Values
		says string
	}{
		"half a key":        {spec.Values{"access_key": "A"}, "go together"},
		"the other half":    {spec.Values{"secret_key": "A"}, "go together"},
		"a key with spaces": {spec.Values{"access_key": "A B", "secret_key": "s"}, "access_key"},
		"an odd region":     {spec.Values{"region": "us-east-1.evil.example/#"}, "region"},
		"a long region":     {spec.Values{"region": strings.Repeat("a", 50)}, "region"},
		"an odd node":       {spec.Values{"nodes": []string{"ftp://x"}}, "nodes"},
		"a user in a node":  {spec.Values{"nodes": []string{"http://u:pa55@x"}}, "nodes"},
		"half a pair":       {spec.Values{"client_cert": "/x"}, "client_cert"},
	} {
		if _, err := New(service, c.v); err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "pa55") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := New(service, spec.Values{}); err != nil {
		t.Errorf("no option is needed: %v", err)
	}
}

func TestEndpointOfARegion(t *testing.T) {
	t.Parallel()
	for region, want := range map[string]string{
		"eu-west-1": "https://ssm.eu-west-1.amazonaws.com:443", "cn-north-1": "https://ssm.cn-north-1.amazonaws.com.cn:443",
		"us-gov-west-1": "https://ssm.us-gov-west-1.amazonaws.com:443",
	} {
		a, err := parse(service, spec.Values{"region": region})
		if err != nil {
			t.Fatal(err)
		}
		conn, err := a.connect(t.Context(), service, in(t, nil))
		if err != nil || conn.nodes.Nodes()[0] != want || conn.region != region {
			t.Errorf("%s: %v, %v", region, conn, err)
		}
	}
}

// Whatever a service answers, its error is one short line without our keys.
func FuzzRefusal(f *testing.F) {
	f.Add(400, "", []byte(`{"__type":"a.b#ValidationException","message":"Value '[secret, AKIDEXAMPLE]' at 'value' failed"}`))
	f.Add(500, "X:y", []byte("<html>"))
	f.Add(403, "", []byte(`{"Message":"the-secret-key\nsession-token"}`))
	f.Add(429, "", []byte(`{"message":7}`))
	c := &Client{service: service, now: time.Now}
	keys := aws.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "the-secret-key", SessionToken: "session-token"}
	f.Fuzz(func(t *testing.T, status int, header string, body []byte) {
		err := c.refusal(httpnodes.Response{Status: status, Header: http.Header{"X-Amzn-Errortype": {header}}, Body: body}, keys)
		text := err.Error()
		if len(text) > 1000 || strings.ContainsAny(text, "\n\r\x1b") {
			t.Errorf("%q", text)
		}
		e, _ := errors.AsType[*Error](err)
		for _, secret := range []string{keys.SecretAccessKey, keys.SessionToken} {
			if strings.Contains(e.Message, secret) {
				t.Errorf("it tells %s: %q", secret, text)
			}
		}
	})
}

func TestRefusedValueIsNotRepeated(t *testing.T) {
	t.Parallel()
	url, _ := serve(t, func(_ int, w http.ResponseWriter, _ *http.Request) {
		say(w, 400, "ValidationException", "1 validation error detected: Value 'password = \"it's mine\"' at 'value' failed to satisfy constraint")
	})
	err := client(t, static(url)).Write(t.Context(), "PutParameter", struct{}{}, &struct{}{})
	if err == nil || strings.Contains(err.Error(), "mine") || !strings.Contains(err.Error(), "the value at 'value' failed to satisfy") {
		t.Error(err)
	}
}
