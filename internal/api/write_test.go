package api_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"testing"
	"time"

	"datakit.dev/internal/api"
	"datakit.dev/internal/faketime"
	"datakit.dev/internal/point"
	"datakit.dev/internal/point/lineproto"
)

func TestWriteTakesPoints(t *testing.T) {
	f := &fake{}
	url := serve(t, f)
	post(t, url+"/v1/write/logging?precision=ms", "nginx,host=a status=200i 1700000000000\n# a comment\nnginx status=404i\n").
		expect(t, 200, `{"content":{"written":2}}`)
	got := f.got()
	if f.into != point.Logging || len(got) != 2 || got[0].Time != 1700000000000*1e6 || got[1].Time != 0 {
		t.Fatalf("category %s, points %v", f.into, got)
	}
	if v, _ := got[0].Tag("host"); v != "a" {
		t.Errorf("tag host is %q", v)
	}
	for _, c := range point.Categories() {
		post(t, url+"/v1/write/"+string(c), "m f=1").expect(t, 200)
	}
}

// The lines that are right are taken: nobody sends again after a 400.
func TestWriteTellsEachBadLine(t *testing.T) {
	f := &fake{}
	r := post(t, serve(t, f)+"/v1/write/metric", "good f=1\nbad f=\nworse\ngood f=2\n")
	r.expect(t, 400, "datakit.badPoints")
	var got struct {
		Written int
		Errors  []struct {
			Line, Column int
			Message      string
		}
	}
	if err := json.Unmarshal([]byte(r.body), &got); err != nil {
		t.Fatal(err)
	}
	if got.Written != 2 || len(f.got()) != 2 || len(got.Errors) != 2 || got.Errors[0].Line != 2 || got.Errors[0].Column != 7 || got.Errors[1].Line != 3 {
		t.Errorf("got %s", r.body)
	}
}

func TestWriteRefuses(t *testing.T) {
	url := serve(t, &fake{}) + "/v1/write/metric"
	post(t, url, "").expect(t, 400, "datakit.empty")
	post(t, url, "# nothing\n\n").expect(t, 400, "datakit.empty")
	post(t, url+"?precision=fortnight", "m f=1").expect(t, 400, "datakit.precision", "fortnight")
	post(t, url, "m f=1", "Content-Encoding", "br").expect(t, 415, "datakit.encoding", "send gzip or none")
	post(t, url, "m f=1", "Content-Encoding", "gzip").expect(t, 400, "datakit.badRequest", "no gzip")
	post(t, url, "m f=1\nm2,t=\xff f=1").expect(t, 400, `"line":2`, `"column":6`, "not valid UTF-8")
	post(t, url, "\uFFFD f=1").expect(t, 200) // U+FFFD itself is fine
}

func zipped(t testing.TB, text io.Reader) *bytes.Buffer {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := io.Copy(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return &b
}

func TestWriteTakesGzip(t *testing.T) {
	f := &fake{}
	url := serve(t, f) + "/v1/write/metric"
	send(t, http.MethodPost, url, zipped(t, strings.NewReader("m f=1\n")), "Content-Encoding", "gzip").expect(t, 200)
	if len(f.got()) != 1 {
		t.Errorf("%d points", len(f.got()))
	}
	cut := zipped(t, strings.NewReader(strings.Repeat("m f=1\n", 1000)))
	cut.Truncate(cut.Len() - 9)
	send(t, http.MethodPost, url, cut, "Content-Encoding", "gzip").expect(t, 400, "unexpected EOF")
	if len(f.got()) != 1 {
		t.Errorf("half a body was taken: %d points", len(f.got()))
	}
}

// zeros is n bytes of nothing.
type zeros struct{ n int64 }

func (z *zeros) Read(p []byte) (int, error) {
	if z.n <= 0 {
		return 0, io.EOF
	}
	n := min(int64(len(p)), z.n)
	clear(p[:n])
	z.n -= n
	return int(n), nil
}

// A small body that unpacks to a gigabyte is refused.
func TestGzipBombIsRefused(t *testing.T) {
	bomb := bytes.NewReader(bytes.Repeat(zipped(t, &zeros{n: 1 << 20}).Bytes(), 1024))
	url := serve(t, &fake{}) + "/v1/write/metric"
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	send(t, http.MethodPost, url, bomb, "Content-Encoding", "gzip").expect(t, 413, "datakit.bodyTooLarge", "33554432 bytes")
	runtime.ReadMemStats(&after)
	if grew := after.TotalAlloc - before.TotalAlloc; grew > 256<<20 {
		t.Errorf("%d MiB were allocated for it", grew>>20)
	}
}

// A claim of a gigabyte is refused before a byte of it is sent, and costs no
// memory.
func TestHugeClaimsAreRefused(t *testing.T) {
	url := serve(t, &fake{})
	for _, path := range []string{"/v1/write/metric", "/v1/confd/plan"} {
		sent := &zeros{n: 1 << 30}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+path, struct{ io.Reader }{sent})
		if err != nil {
			t.Fatal(err)
		}
		req.ContentLength = 1 << 30
		req.Header.Set("Expect", "100-continue")
		client := &http.Client{Transport: &http.Transport{ExpectContinueTimeout: time.Hour}}
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusRequestEntityTooLarge || sent.n != 1<<30 {
			t.Errorf("%s: %s after %d bytes", path, resp.Status, 1<<30-sent.n)
		}
	}
}

// A body without a length that does not end is cut off.
func TestEndlessBodyIsRefused(t *testing.T) {
	w := serveOne(&fake{}, &zeros{n: 1 << 40}, "", "")
	if w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// gate is a body that says when it is reached, and then stands still until it
// may end.
type gate struct {
	reached chan<- struct{}
	end     <-chan struct{}
}

func (g gate) Read([]byte) (int, error) {
	g.reached <- struct{}{}
	<-g.end
	return 0, io.EOF
}

// Bodies under way together are bounded too, and what they took is given back.
func TestManyBodiesAtOnceAreBounded(t *testing.T) {
	server := api.New(api.Options{Log: slog.New(slog.DiscardHandler), Agent: &fake{}})
	server.SetBudget(4 << 20)
	write := func(body io.Reader) int {
		w := httptest.NewRecorder()
		server.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/v1/write/metric", body))
		return w.Code
	}
	most := "m f=1\n" + strings.Repeat("#", 1<<20)
	reached, end := make(chan struct{}), make(chan struct{})
	codes := make(chan int, 3)
	for range 3 { // the bound leaves room for three that stand still
		go func() { codes <- write(io.MultiReader(strings.NewReader(most), gate{reached, end})) }()
		<-reached // one by one: what several ask for while they grow depends on their turns
	}
	for range 5 {
		if code := write(strings.NewReader(most)); code != http.StatusServiceUnavailable {
			t.Errorf("one too many got %d", code)
		}
	}
	close(end)
	for range 3 {
		if code := <-codes; code != http.StatusOK {
			t.Errorf("one that fits got %d", code)
		}
	}
	for range 8 {
		if code := write(strings.NewReader(most)); code != http.StatusOK {
			t.Errorf("one after the other got %d", code)
		}
	}
}

// A flow that takes nothing says so in time, and the sender may come again.
func TestWriteToAFullFlow(t *testing.T) {
	faketime.Test(t, func(t *testing.T) {
		w := serveOne(&fake{block: true}, strings.NewReader("m f=1"), "", "")
		if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" || !strings.Contains(w.Body.String(), "the flow is full") {
			t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
		}
		if strings.Contains(w.Body.String(), "hunter2") {
			t.Errorf("a password went out: %s", w.Body)
		}
	})
}

// serveOne answers one write without a connection.
func serveOne(f *fake, body io.Reader, encoding, precision string) *httptest.ResponseRecorder {
	req := httptest.NewRequest(http.MethodPost, "/v1/write/metric", body)
	req.URL.RawQuery = url.Values{"precision": {precision}}.Encode()
	req.Header.Set("Content-Encoding", encoding)
	w := httptest.NewRecorder()
	api.New(api.Options{Log: slog.New(slog.DiscardHandler), Agent: f}).ServeHTTP(w, req)
	return w
}

// FuzzWrite feeds the route; whatever comes, it answers, and never with a 5xx.
func FuzzWrite(f *testing.F) {
	for _, s := range []string{"", "m f=1", "m,t=v f=1i 17", "\xff", "m f=\"a\nb\" 1\nbad", "# x", strings.Repeat("m f=1\n", 9)} {
		f.Add([]byte(s), "", "")
		f.Add(zipped(f, strings.NewReader(s)).Bytes(), "gzip", "ms")
	}
	f.Fuzz(func(t *testing.T, body []byte, encoding, precision string) {
		agent := &fake{}
		w := serveOne(agent, bytes.NewReader(body), encoding, precision)
		if w.Code >= 500 || !json.Valid(w.Body.Bytes()) {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		for i := range agent.got() {
			p := &agent.got()[i]
			if line := lineproto.Append(nil, p); p.Name == "" || len(p.Fields) == 0 {
				t.Fatalf("an empty point came through: %q", line)
			}
		}
	})
}
