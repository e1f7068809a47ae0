package httpnodes_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
	"datakit.dev/internal/store/httpnodes"
	"datakit.dev/internal/testserver"
)

// pushes is a server that sends text and then does what end says.
func pushes(t *testing.T, text string, end func(*http.Request)) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, text)
		w.(http.Flusher).Flush()
		if end != nil {
			end(r)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

// lines returns what comes of nodes, "begun" for the answer itself.
func lines(t *testing.T, r httpnodes.Request, nodes ...string) (got []string, resp httpnodes.Response, err error) {
	t.Helper()
	resp, err = client(t, nodes...).Lines(t.Context(), r, func(line []byte) error {
		if line == nil {
			got = append(got, "begun")
			return nil
		}
		got = append(got, string(line))
		return nil
	})
	return got, resp, err
}

func TestLinesComeAsTheyAreSent(t *testing.T) {
	came := make(chan string)
	s := pushes(t, "one\n\ntwo\n", func(*http.Request) { <-came })
	_, err := client(t, s.URL).Lines(t.Context(), httpnodes.Request{}, func(line []byte) error {
		if string(line) == "two" {
			close(came) // the server has not ended yet
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	got, resp, err := lines(t, httpnodes.Request{}, pushes(t, "one\n\ntwo\n", nil).URL)
	if err != nil || resp.Status != http.StatusOK || !slices.Equal(got, []string{"begun", "one", "", "two"}) {
		t.Fatalf("%q, %+v, %v", got, resp, err)
	}
}

// Half a line is none: it could be read as another.
func TestLineThatBreaksOff(t *testing.T) {
	got, _, err := lines(t, httpnodes.Request{}, pushes(t, "one\ntw", nil).URL)
	if err != nil || !slices.Equal(got, []string{"begun", "one"}) {
		t.Errorf("%q, %v", got, err)
	}
	got, _, err = lines(t, httpnodes.Request{}, pushes(t, "one\ntw", func(*http.Request) { panic(http.ErrAbortHandler) }).URL)
	if !errors.Is(err, store.ErrUnavailable) || !slices.Equal(got, []string{"begun", "one"}) {
		t.Errorf("%q, %v", got, err)
	}
}

func TestLinesOfTheNextNode(t *testing.T) {
	got, _, err := lines(t, httpnodes.Request{}, closed(t), node(t, "ill", 503).URL, pushes(t, "one\n", nil).URL)
	if err != nil || !slices.Equal(got, []string{"begun", "one"}) {
		t.Errorf("%q, %v", got, err)
	}
	// One that has begun is not left for another, whose lines would be a second story.
	got, _, err = lines(t, httpnodes.Request{}, pushes(t, "one\n", func(*http.Request) { panic(http.ErrAbortHandler) }).URL, pushes(t, "two\n", nil).URL)
	if !errors.Is(err, store.ErrUnavailable) || !slices.Equal(got, []string{"begun", "one"}) {
		t.Errorf("%q, %v", got, err)
	}
}

func TestRefusalInThePlaceOfLines(t *testing.T) {
	got, resp, err := lines(t, httpnodes.Request{}, node(t, "first", 403).URL, pushes(t, "two\n", nil).URL)
	if err != nil || got != nil || resp.Status != http.StatusForbidden || !strings.HasPrefix(string(resp.Body), "first") {
		t.Fatalf("%q, %+v, %v", got, resp, err)
	}
	if _, _, err := lines(t, httpnodes.Request{}, closed(t)); !errors.Is(err, store.ErrUnavailable) {
		t.Error(err)
	}
}

func TestLinesAreBounded(t *testing.T) {
	got, _, err := lines(t, httpnodes.Request{Limit: 100}, pushes(t, "one\n"+strings.Repeat("x", 101)+"\n", nil).URL)
	if !errors.Is(err, httpnodes.ErrTooLong) || !errors.Is(err, store.ErrUnavailable) || !slices.Equal(got, []string{"begun", "one"}) {
		t.Fatalf("%q, %v", got, err)
	}
}

func TestErrorOfTheTaker(t *testing.T) {
	mine := errors.New("mine")
	for _, at := range []string{"", "one"} {
		s := pushes(t, "one\ntwo\n", func(r *http.Request) { <-r.Context().Done() })
		_, err := client(t, s.URL, s.URL).Lines(t.Context(), httpnodes.Request{}, func(line []byte) error {
			if string(line) == at {
				return fmt.Errorf("at %q: %w", at, mine)
			}
			return nil
		})
		if !errors.Is(err, mine) || errors.Is(err, store.ErrUnavailable) {
			t.Error(err)
		}
	}
}

// A node that begins and then says nothing is left.
func TestSilenceBetweenLines(t *testing.T) {
	t.Parallel()
	s := pushes(t, "one\n", func(r *http.Request) { <-r.Context().Done() })
	got, _, err := lines(t, httpnodes.Request{}, s.URL)
	if !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), "no answer in time") || !slices.Equal(got, []string{"begun", "one"}) {
		t.Fatalf("%q, %v", got, err)
	}
}

// Close ends what is under way; Renew does not.
func TestEndOfConnections(t *testing.T) {
	for _, proto := range []string{"HTTP/1.1", "HTTP/2.0"} {
		ca := testserver.NewCA(t)
		begun, reached := make(chan string, 3), make(chan struct{}, 3)
		s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, r.Proto+"\n")
			w.(http.Flusher).Flush()
			reached <- struct{}{}
			<-r.Context().Done()
		}))
		s.TLS, s.EnableHTTP2 = ca.Server(t, false), proto == "HTTP/2.0"
		s.StartTLS()
		t.Cleanup(s.Close)
		c, err := httpnodes.New("x", "1", spec.Values{"nodes": []string{s.URL}, "client_ca_keys": ca.File})
		if err != nil {
			t.Fatal(err)
		}
		ends := make(chan error, 2)
		follow := func() {
			_, err := c.Lines(t.Context(), httpnodes.Request{Long: time.Minute}, func(line []byte) error {
				if line != nil {
					begun <- string(line)
				}
				return nil
			})
			ends <- err
		}
		go follow()
		if got := <-begun; got != proto {
			t.Errorf("%s: the server speaks %s", proto, got)
		}
		c.Renew()
		go follow()
		<-begun
		select {
		case err := <-ends:
			t.Errorf("%s: Renew ended a request: %v", proto, err)
		default:
		}
		c.Close()
		for range 2 {
			if err := <-ends; !errors.Is(err, store.ErrUnavailable) {
				t.Errorf("%s: %v", proto, err)
			}
		}
	}
}
