package api_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"datakit.dev/internal/access"
	"datakit.dev/internal/api"
	"datakit.dev/internal/faketime"
	"datakit.dev/internal/status"
	"datakit.dev/internal/status/changes"
)

func keyChange(key string) changes.Entry {
	return changes.Entry{Kind: changes.Key, Change: &changes.Change{Store: "etcdv3", Key: key, State: status.Applied}}
}

func TestChangesGoOnWhereAClientWas(t *testing.T) {
	url, _, journal := consoleOf(t, &fake{})
	first := journal.Last()
	for i := range 5 {
		journal.Add(time.Now(), keyChange(fmt.Sprint("k", i)), changes.Entry{Kind: changes.Generation, Generation: uint64(i)})
	}
	type answer struct {
		Content struct {
			Changes []struct {
				ID    uint64
				Key   string
				Steps []changes.Step
			}
			Complete bool
			Last     uint64
		}
	}
	ask := func(query string) (a answer, keys string) {
		t.Helper()
		r := get(t, url+"/v1/changes"+query)
		r.expect(t, 200)
		if err := json.Unmarshal([]byte(r.body), &a); err != nil {
			t.Fatal(err)
		}
		for _, c := range a.Content.Changes {
			if keys += c.Key; c.Steps == nil {
				t.Errorf("steps are null: %s", r.body)
			}
		}
		return a, keys
	}
	if _, keys := ask("?limit=2"); keys != "k3k4" {
		t.Errorf("the newest two are %s", keys)
	}
	a, keys := ask(fmt.Sprintf("?since=%d&limit=3", first))
	if keys != "k0k1k2" || !a.Content.Complete {
		t.Errorf("the first three are %s, complete %v", keys, a.Content.Complete)
	}
	if a, keys = ask(fmt.Sprintf("?since=%d", a.Content.Last)); keys != "k3k4" {
		t.Errorf("the rest is %s", keys)
	}
	if _, keys = ask(fmt.Sprintf("?since=%d", a.Content.Last)); keys != "" {
		t.Errorf("behind the last is %s", keys)
	}
	if a, keys = ask("?since=1"); a.Content.Complete || keys != "k0k1k2k3k4" {
		t.Errorf("behind another agent's ID: %s, complete %v", keys, a.Content.Complete)
	}
}

// reader is a client of events.
type reader struct {
	t    *testing.T
	body *bufio.Reader
	resp *http.Response
}

func listen(t *testing.T, url string, headers ...string) *reader {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	return &reader{t, bufio.NewReader(resp.Body), resp}
}

// next returns the name, the ID and the data of the next event; all of them are
// empty at the end of the stream.
func (r *reader) next() (name, id, data string) {
	r.t.Helper()
	for {
		line, err := r.body.ReadString('\n')
		if err != nil {
			return "", "", ""
		}
		field, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		switch {
		case field == "event":
			name = value
		case field == "id":
			id = value
		case field == "data":
			data = value
		case line == "\n" && name != "":
			return name, id, data
		}
	}
}

func TestEventsComeAsTheyHappen(t *testing.T) {
	url, _, journal := consoleOf(t, &fake{})
	journal.Add(time.Now(), keyChange("before"))
	r := listen(t, url+"/v1/events")
	if r.resp.Header.Get("Content-Type") != "text/event-stream" || r.resp.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("headers %v", r.resp.Header)
	}
	if name, _, data := r.next(); name != "hello" || !strings.Contains(data, `"complete":true`) {
		t.Fatalf("first %s %s", name, data)
	}
	journal.Add(time.Now(), keyChange("now"), changes.Entry{Kind: changes.Generation, Generation: 7})
	name, id, data := r.next()
	if name != "change" || !strings.Contains(data, `"key":"now"`) || !strings.Contains(data, `"id":`+id) {
		t.Errorf("got %s %s %s", name, id, data)
	}
	if name, _, data := r.next(); name != "generation" || !strings.Contains(data, `"generation":7`) {
		t.Errorf("got %s %s", name, data)
	}
	journal.Add(time.Now(), changes.Entry{Kind: changes.Unit, Unit: &changes.UnitState{ID: "input/cpu", State: status.Failed, Error: "a\nb"}},
		changes.Entry{Kind: changes.Store, Store: &changes.StoreState{ID: "etcdv3", State: status.Stale}})
	if name, _, data := r.next(); name != "unit" || !strings.Contains(data, `"state":"failed"`) {
		t.Errorf("got %s %s", name, data)
	}
	if name, _, data := r.next(); name != "store" || !strings.Contains(data, `"state":"stale"`) {
		t.Errorf("got %s %s", name, data)
	}
	// A browser that lost its connection goes on where it was, whatever its URL says.
	again := listen(t, url+"/v1/events?since=0", "Last-Event-ID", id)
	if name, _, data := again.next(); name != "hello" || !strings.Contains(data, `"complete":true`) {
		t.Errorf("again %s %s", name, data)
	}
	if name, _, _ := again.next(); name != "generation" {
		t.Errorf("behind the change comes %s", name)
	}
	// One of an agent before a restart is told to read all anew.
	old := listen(t, url+"/v1/events?since=5")
	if _, _, data := old.next(); !strings.Contains(data, `"complete":false`) {
		t.Errorf("an old client is told %s", data)
	}
}

// Thousands of clients take 64 places, and the rest of the agent answers.
func TestThousandsOfReaders(t *testing.T) {
	url, _, journal := consoleOf(t, &fake{})
	var places []*reader
	for range 64 {
		places = append(places, listen(t, url+"/v1/events"))
	}
	for _, r := range places {
		r.next() // hello: it has its place
	}
	for range 2000 {
		r := get(t, url+"/v1/events")
		if r.expect(t, 503, "datakit.busy"); r.header.Get("Retry-After") == "" {
			t.Fatal("no Retry-After")
		}
	}
	get(t, url+"/v1/ping").expect(t, 200)
	journal.Add(time.Now(), keyChange("k"))
	for _, r := range places {
		if name, _, _ := r.next(); name != "change" {
			t.Fatalf("a reader got %s", name)
		}
	}
	// Who leaves makes place.
	_ = places[0].resp.Body.Close()
	for {
		r := listen(t, url+"/v1/events")
		if r.resp.StatusCode == http.StatusOK {
			break
		}
	}
}

// sluggish is a client that is read from only when it wants to.
type sluggish struct {
	http.ResponseWriter
	mu   sync.Mutex
	text strings.Builder
	gate chan struct{} // one value lets one write through
	died bool
}

func (s *sluggish) Header() http.Header { return http.Header{} }
func (s *sluggish) WriteHeader(int)     {}
func (s *sluggish) FlushError() error   { return nil }

func (s *sluggish) Write(p []byte) (int, error) {
	<-s.gate
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.died {
		return 0, io.ErrClosedPipe
	}
	return s.text.Write(p)
}

func (s *sluggish) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// stream runs the handler of events in a bubble of its own time.
func stream(t *testing.T, journal *changes.Journal, gate *access.Gate, headers ...string) (s *sluggish, done chan struct{}, cancel func()) {
	server := api.New(api.Options{Log: slog.New(slog.DiscardHandler), Agent: &fake{}, Changes: journal, Gate: gate})
	ctx, cancel := context.WithCancel(t.Context())
	req := httptest.NewRequestWithContext(ctx, http.MethodGet, "/v1/events", nil)
	req.RemoteAddr, req.Host = "127.0.0.1:1", "localhost"
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	s, done = &sluggish{gate: make(chan struct{}, 1<<20)}, make(chan struct{})
	go func() {
		defer close(done)
		server.ServeHTTP(s, req)
	}()
	return s, done, cancel
}

func open(s *sluggish) {
	for range 1000 {
		s.gate <- struct{}{}
	}
}

func TestHeartbeatsKeepAQuietStreamOpen(t *testing.T) {
	faketime.Test(t, func(t *testing.T) {
		s, done, cancel := stream(t, changes.New(time.Now()), nil)
		open(s)
		time.Sleep(time.Minute + time.Second)
		if n := strings.Count(s.String(), ": beat\n\n"); n != 4 {
			t.Errorf("%d heartbeats in a minute: %s", n, s)
		}
		time.Sleep(time.Hour)
		if <-done; !strings.HasSuffix(s.String(), "event: end\ndata: {\"reason\":\"connect again\"}\n\n") {
			t.Errorf("after an hour: %.200s", s)
		}
		cancel()
	})
}

// A client that reads too slowly is told so and dropped, and costs no memory.
func TestASlowReaderIsDropped(t *testing.T) {
	faketime.Test(t, func(t *testing.T) {
		journal := changes.New(time.Now())
		s, done, cancel := stream(t, journal, nil)
		defer cancel()
		s.gate <- struct{}{} // it reads hello
		synctest.Wait()
		journal.Add(time.Now(), keyChange("one"))
		synctest.Wait()
		for i := range 2 * changes.MaxChanges {
			journal.Add(time.Now(), keyChange(fmt.Sprint(i)))
		}
		open(s)
		<-done
		if text := s.String(); strings.Count(text, "event: change") > 1 || !strings.Contains(text, "event: end\ndata: {\"reason\":\"you read too slowly") {
			t.Errorf("it got %.300s", text)
		}
	})
}

func TestAReaderThatIsGoneEndsItsStream(t *testing.T) {
	faketime.Test(t, func(t *testing.T) {
		journal := changes.New(time.Now())
		s, done, cancel := stream(t, journal, nil)
		defer cancel()
		open(s)
		synctest.Wait()
		s.mu.Lock()
		s.died = true
		s.mu.Unlock()
		journal.Add(time.Now(), keyChange("one"))
		<-done
	})
}

// Who is not let in any more hears nothing more.
func TestRevokingTheTokenEndsTheStream(t *testing.T) {
	faketime.Test(t, func(t *testing.T) {
		f := access.File(t.TempDir() + "/token")
		secret, err := f.Create(time.Now())
		if err != nil {
			t.Fatal(err)
		}
		s, done, cancel := stream(t, changes.New(time.Now()), access.NewGate(f), "Authorization", "Bearer "+secret)
		defer cancel()
		open(s)
		time.Sleep(20 * time.Second)
		if _, err := f.Revoke(); err != nil {
			t.Fatal(err)
		}
		<-done
		if !strings.Contains(s.String(), "you are logged out") {
			t.Errorf("got %s", s)
		}
	})
}

// A server that ends does not wait for its readers, and tells them.
func TestShutdownEndsStreams(t *testing.T) {
	_, told, end := start(t, "127.0.0.1:0")
	addr := (<-told).addr
	r := listen(t, "http://"+addr+"/v1/events")
	r.next()
	begun := make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() {
		close(begun)
		end()
	})
	<-begun
	if name, _, data := r.next(); name != "end" || !strings.Contains(data, "the agent stops") {
		t.Errorf("got %q %s", name, data)
	}
	all.Wait()
	var d net.Dialer
	if conn, err := d.DialContext(t.Context(), "tcp", addr); err == nil {
		_ = conn.Close()
		t.Error("it still listens")
	}
}
