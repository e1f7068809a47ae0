package consul

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"datakit.dev/internal/faketime"
	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
	"datakit.dev/internal/store/storetest"
	"datakit.dev/internal/testserver"
)

func openWait(t *testing.T, node string, wait time.Duration) *kv {
	t.Helper()
	k, err := open(store.Options{Root: "/datakit", Values: spec.Values{"nodes": []string{node}, "auth_token": "hunter2"}}, wait)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = k.Close() })
	return k
}

// Nobody may read for minutes: a frozen server is noticed all the same, once a
// query has been held for longer than the server was asked to.
func TestFrozenServerIsNoticedByItself(t *testing.T) {
	t.Parallel()
	c := testserver.StartConsul(t)
	st := openWait(t, c.Endpoint, time.Second)
	since := storetest.ReadUntil(t, st, "").Revision
	c.Pause(t)
	if err := st.Wait(storetest.Deadline(t, storetest.Patience), since); !errors.Is(err, store.ErrUnavailable) {
		t.Fatalf("Wait: %v, which is not store.ErrUnavailable", err)
	}
	c.Resume(t)
	storetest.Until(t, "Wait", func() error { return st.Wait(storetest.Deadline(t, storetest.Patience), "") })
}

// Queries that run into their time limit bring the same tree again and again.
func TestQuietTree(t *testing.T) {
	t.Parallel()
	c := testserver.StartConsul(t)
	c.Put(t, "datakit/confd/a", "1")
	st := openWait(t, c.Endpoint, 10*time.Millisecond)
	since := storetest.ReadUntil(t, st, "confd/a=1").Revision
	if err := st.Wait(storetest.Deadline(t, 500*time.Millisecond), since); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("Wait: %v", err)
	}
	c.Put(t, "datakit/confd/a", "2")
	storetest.Wait(t, st, since)
	storetest.ReadUntil(t, st, "confd/a=2")
}

// What answers is not always a Consul: a wrong port, a proxy, a captive portal.
// None of it may look like a tree; the answers are written here, for no real
// Consul gives them.
func TestAnswersOfNoConsul(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status int
		index  string
		body   string
		want   error
		says   string
	}{
		"another server's 404":      {404, "", "404 page not found", store.ErrUnavailable, "no answer of Consul"},
		"a page":                    {200, "", "<html>", store.ErrUnavailable, "no answer of Consul"},
		"a page with an index":      {200, "7", "<html>", store.ErrUnavailable, "no answer of Consul"},
		"an index that is none":     {404, "seven", "", store.ErrUnavailable, "no answer of Consul"},
		"a negative index":          {404, "-1", "", store.ErrUnavailable, "no answer of Consul"},
		"an index out of range":     {404, "18446744073709551615", "", store.ErrUnavailable, "no answer of Consul"},
		"an object":                 {200, "7", `{"Key":"datakit/a"}`, store.ErrUnavailable, "no answer of Consul"},
		"half an answer":            {200, "7", `[{"Key":"datakit/confd/a","Value":"MQ==","Modify`, store.ErrUnavailable, "no answer of Consul"},
		"an answer without its end": {200, "7", `[{"Key":"datakit/confd/a","Value":"MQ=="}`, store.ErrUnavailable, "no answer of Consul"},
		"no base64":                 {200, "7", `[{"Key":"datakit/confd/a","Value":"!"}]`, store.ErrUnavailable, "no answer of Consul"},
		"a key beside the root":     {200, "7", `[{"Key":"datakitX/confd/a"}]`, store.ErrUnavailable, "outside of the root"},
		"a flood of nothing":        {200, "7", "[" + strings.Repeat("{},", 1<<20) + "{}]", store.ErrUnavailable, "outside of the root"},
		"too many keys":             {200, "7", flood(), store.ErrUnavailable, "over 100000 keys"},
		"too many requests":         {429, "", "hunter2 is\r\nover the limit", store.ErrUnavailable, "429: … is over the limit"},
		"a login page":              {401, "", "who are you", store.ErrDenied, "who are you"},
		"a long reason":             {400, "", strings.Repeat("ü", 999), store.ErrUnavailable, "ü …"},
		"a page for a reason":       {400, "", strings.Repeat(" ", 9999) + "hunter2", store.ErrUnavailable, "a page of 10006 bytes"},
		"no reason":                 {400, "", "", store.ErrUnavailable, "no reason given"},
		"keys left out":             {404, "7", "filtered", store.ErrDenied, "may not read every key"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if c.index != "" {
					w.Header().Set("X-Consul-Index", c.index)
				}
				if c.body == "filtered" {
					w.Header().Set("X-Consul-Results-Filtered-By-ACLs", "true")
				}
				w.WriteHeader(c.status)
				_, _ = w.Write([]byte(c.body))
			}))
			t.Cleanup(srv.Close)
			st := openWait(t, srv.URL, time.Second)
			snap, err := st.Read(storetest.Deadline(t, storetest.Patience))
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "hunter2") || len(err.Error()) > 1000 {
				t.Errorf("Read: %v, %v; want %v that says %q", snap.Entries, err, c.want, c.says)
			}
			_, err = st.Put(t.Context(), "confd/a", "1", store.Cond{})
			if err == nil {
				t.Error("Put takes it for a success")
			}
		})
	}
}

func flood() string {
	var out strings.Builder
	for i := range store.MaxEntries + 2 {
		fmt.Fprintf(&out, `,{"Key":"datakit/%d"}`, i)
	}
	return "[" + out.String()[1:] + "]"
}

// A server whose index jumps back and forth, as behind a balancer over two
// clusters, is asked no faster than any other, and always shows what it says.
func TestServerThatAnswersAtOnce(t *testing.T) {
	t.Parallel()
	requests := make(chan string, 1000)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests <- r.URL.Query().Get("index")
		w.Header().Set("X-Consul-Index", fmt.Sprint(10-len(requests)%2*5))
		_, _ = w.Write([]byte(`[{"Key":"datakit/confd/a","Value":"MQ==","ModifyIndex":3}]`))
	}))
	t.Cleanup(srv.Close)
	began := time.Now()
	st := openWait(t, srv.URL, 40*time.Second)
	since := storetest.ReadUntil(t, st, "confd/a=1").Revision
	if err := st.Wait(storetest.Deadline(t, time.Second), since); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Wait: %v", err)
	}
	if n := len(requests); n < 2 || n > 8+2*int(time.Since(began)/minGap) {
		t.Errorf("%d requests in %s", n, time.Since(began))
	}
}

// Whatever answers come, the queries keep their pace in the long run: each that
// brings nothing new costs twice the one before. After a quiet time there is no
// gap.
func TestPace(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var p pace
		began := time.Unix(0, 0)
		now, cost, idle := began, time.Duration(0), 0
		for range 30 {
			now = now.Add(time.Duration(rapid.IntRange(0, 100).Draw(t, "held")) * time.Millisecond)
			quiet, size := rapid.Bool().Draw(t, "idle"), rapid.IntRange(0, 8<<20).Draw(t, "size")
			idle++
			if !quiet {
				idle = 1
			}
			now = now.Add(p.next(now, quiet, size))
			if elapsed := now.Sub(began); elapsed < cost-slack {
				t.Fatalf("queries that cost %s take %s", cost, elapsed)
			}
			cost += min(minGap<<(idle-1), maxGap) + time.Duration(size)*time.Second/bytesPerSecond
		}
		if gap := p.next(now.Add(time.Hour), false, 0); gap != 0 {
			t.Fatalf("after an hour of quiet the gap is %s", gap)
		}
	})
}

func TestPauseEndsWithItsContext(t *testing.T) {
	faketime.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		if err := pause(ctx, minGap); err != nil || time.Since(began) != minGap {
			t.Errorf("%v after %s", err, time.Since(began))
		}
		if err := pause(ctx, time.Hour); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Second {
			t.Errorf("%v after %s", err, time.Since(began))
		}
	})
}

func TestCovers(t *testing.T) {
	for _, c := range []struct {
		name      string
		copy, now state
		want      bool
	}{
		{"nothing is known", state{}, state{index: 1, missing: true}, false},
		{"the same", state{index: 7}, state{index: 7}, true},
		{"the server is ahead", state{index: 7}, state{index: 8}, false},
		{"the copy is ahead", state{index: 8}, state{index: 7}, true},
		{"both empty, and others write", state{index: 7, missing: true}, state{index: 9, missing: true}, true},
		{"the first key", state{index: 7, missing: true}, state{index: 9}, false},
		{"the last key is gone", state{index: 7}, state{index: 9, missing: true}, false},
		{"at once not ours to read", state{index: 7}, state{index: 7, missing: true}, false},
	} {
		if got := c.copy.covers(c.now); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}
