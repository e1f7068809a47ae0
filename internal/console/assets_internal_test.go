package console

import (
	"bytes"
	"compress/gzip"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/net/html"

	"datakit.dev/internal/access"
	"datakit.dev/internal/status"
)

type idle struct{}

func (idle) Status() status.Status { return status.Status{Hostname: "web-1"} }

func pack(t *testing.T, text string) *fstest.MapFile {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return &fstest.MapFile{Data: b.Bytes()}
}

const script = `console.log("a script, long enough to be smaller when it is packed: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")`

// built returns a site of a small build, and of none.
func builtSite(t *testing.T) (with, without *site) {
	t.Helper()
	assets, err := loadAssets(fstest.MapFS{
		".gitignore":            {Data: []byte("*")},
		"index.html.gz":         pack(t, "<!doctype html><title>shell</title>"),
		"assets/index-ab.js.gz": pack(t, script),
	})
	if err != nil {
		t.Fatal(err)
	}
	none, err := loadAssets(fstest.MapFS{".gitignore": {Data: []byte("*")}})
	if err != nil || len(none) != 0 {
		t.Fatalf("%d files of no build, %v", len(none), err)
	}
	plain := newPage(Options{Agent: idle{}})
	return &site{plain: plain, assets: assets}, &site{plain: plain, assets: none}
}

func ask(s *site, method, path string, headers ...string) *httptest.ResponseRecorder {
	req := httptest.NewRequest(method, "http://localhost"+path, http.NoBody)
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, req.WithContext(access.WithAdmission(req.Context(), true)))
	return w
}

func TestAFileIsSentAsTheClientTakesIt(t *testing.T) {
	s, _ := builtSite(t)
	const path = "/assets/index-ab.js"
	packed := ask(s, "GET", path, "Accept-Encoding", "br, gzip")
	if packed.Code != 200 || packed.Header().Get("Content-Encoding") != "gzip" || !bytes.Equal(packed.Body.Bytes(), s.assets[path].gz) {
		t.Errorf("packed: %d %v", packed.Code, packed.Header())
	}
	for _, accept := range []string{"", "br", "gzip;q=0", "*;q=0, gzip; q=0.0", "identity"} {
		w := ask(s, "GET", path, "Accept-Encoding", accept)
		if w.Body.String() != script || w.Header().Get("Content-Encoding") != "" || w.Header().Get("Vary") != "Accept-Encoding" {
			t.Errorf("%q: %v %q", accept, w.Header(), w.Body)
		}
	}
	if h := packed.Header(); h.Get("Content-Type") != "text/javascript; charset=utf-8" || !strings.Contains(h.Get("Cache-Control"), "immutable") {
		t.Errorf("%v", h)
	}
	if w := ask(s, "GET", path, "Accept-Encoding", "*"); w.Header().Get("Content-Encoding") != "gzip" {
		t.Error("a client that takes anything gets it unpacked")
	}
	if w := ask(s, "HEAD", path, "Accept-Encoding", "gzip"); w.Code != 200 || w.Body.Len() != 0 || w.Header().Get("Content-Length") == "0" {
		t.Errorf("HEAD: %d, %d bytes, %v", w.Code, w.Body.Len(), w.Header())
	}
}

// The shell is asked for each time, and sent again only where it is another one: an
// agent that was upgraded must not be shown by the pages of the old one.
func TestTheShellIsAskedForEachTime(t *testing.T) {
	s, _ := builtSite(t)
	first := ask(s, "GET", "/")
	etag := first.Header().Get("ETag")
	if first.Code != 200 || etag == "" || first.Header().Get("Cache-Control") != "no-cache" || !strings.Contains(first.Body.String(), "shell") {
		t.Fatalf("%d %v", first.Code, first.Header())
	}
	for _, header := range []string{etag, "W/" + etag, `"x", ` + etag, "*"} {
		if w := ask(s, "GET", "/", "If-None-Match", header); w.Code != http.StatusNotModified || w.Body.Len() != 0 {
			t.Errorf("%s: %d, %d bytes", header, w.Code, w.Body.Len())
		}
	}
	if w := ask(s, "GET", "/", "If-None-Match", `"other"`); w.Code != 200 {
		t.Errorf("another shell: %d", w.Code)
	}
}

func TestEveryPathHasItsAnswer(t *testing.T) {
	with, without := builtSite(t)
	for _, c := range []struct {
		site *site
		path string
		code int
		want string
	}{
		{with, "/", 200, "<title>shell"},
		{with, "/units?id=input%2Fcpu", 200, "<title>shell"},
		{with, "/query", 200, "<title>shell"},
		{with, "/nosuch", 404, "<title>shell"},
		{with, "/index.html", 404, "<title>shell"},
		{with, "/plain", 200, "web-1"},
		{with, "/style.css", 200, ":root"},
		{with, "/assets/index-old.js", 404, "no such file"},
		{with, "/assets/", 404, "no such file"},
		{with, "/assets/../index.html", 404, "no such file"},
		{with, "/assets/%2e%2e/%2e%2e/console.go", 404, "no such file"},
		{with, "/../../etc/passwd", 404, "<title>shell"},
		{with, "/.gitignore", 404, "<title>shell"},
		{with, "/assets/index-ab.js.gz", 404, "no such file"},
		{without, "/", 200, "web-1"},
		{without, "/plain", 200, "web-1"},
		{without, "/units", 404, "There is no such page"},
		{without, "/assets/index-ab.js", 404, "There is no such page"},
	} {
		w := ask(c.site, "GET", c.path)
		if w.Code != c.code || !strings.Contains(w.Body.String(), c.want) {
			t.Errorf("%s: %d %.80q, expected %d %q", c.path, w.Code, w.Body, c.code, c.want)
		}
		if w.Code == 404 && w.Header().Get("ETag") != "" {
			t.Errorf("%s: what is not there has an ETag", c.path)
		}
	}
}

func TestABuildThatIsNotWholeIsRefused(t *testing.T) {
	for name, dist := range map[string]fstest.MapFS{
		"no shell": {"assets/a.js.gz": pack(t, "x")},
		"no type":  {"index.html.gz": pack(t, "x"), "assets/a.nosuchtype.gz": pack(t, "x")},
	} {
		if got, err := loadAssets(dist); err == nil {
			t.Errorf("%s: %v is taken", name, slices.Sorted(maps.Keys(got)))
		}
	}
}

// What follows looks at what `make console` has built; without npm there is nothing.
func realSite(t *testing.T) *site {
	t.Helper()
	h, err := New(Options{Agent: idle{}})
	if err != nil {
		t.Fatal(err)
	}
	s, ok := h.(*site)
	if !ok || len(s.assets) == 0 {
		if os.Getenv("CI") == "true" {
			t.Fatal("the console's pages are not built: make console")
		}
		t.Skip("the console's pages are not built: make console, which needs npm")
	}
	return s
}

// The policy of the pages forbids what stands in the shell itself, and what comes
// from elsewhere: a build that puts it there shows nothing at all.
func TestTheBuiltShellKeepsToItsPolicy(t *testing.T) {
	s := realSite(t)
	doc, err := html.Parse(ask(s, "GET", "/").Body)
	if err != nil {
		t.Fatal(err)
	}
	links := 0
	for n := range doc.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		if (n.Data == "script" || n.Data == "style") && n.FirstChild != nil {
			t.Errorf("the shell holds a %s of its own", n.Data)
		}
		for _, at := range n.Attr {
			if at.Key == "style" || strings.HasPrefix(at.Key, "on") {
				t.Errorf("%s has %s=%q", n.Data, at.Key, at.Val)
			}
			if at.Key != "src" && (at.Key != "href" || n.Data != "link") {
				continue
			}
			links++
			if w := ask(s, "GET", at.Val); !strings.HasPrefix(at.Val, "/assets/") || w.Code != 200 {
				t.Errorf("%s %s is not there: %d", n.Data, at.Val, w.Code)
			}
		}
	}
	if links < 2 {
		t.Errorf("the shell names %d files", links)
	}
	if text := ask(s, "GET", "/").Body.String(); !strings.Contains(text, `<noscript>`) || !strings.Contains(text, `href="/plain"`) {
		t.Error("who has no JavaScript is not shown the plain page")
	}
}

// maxFirstLoad bounds what the first page fetches, packed.
const maxFirstLoad = 250_000

func TestTheFirstLoadIsSmall(t *testing.T) {
	s := realSite(t)
	seen := map[string]int{}
	s.fetched("/"+shellName, seen)
	sum := 0
	for _, n := range seen {
		sum += n
	}
	if sum > maxFirstLoad || len(seen) < 3 {
		t.Errorf("the first page fetches %d bytes in %d files: %v", sum, len(seen), seen)
	}
	t.Logf("%d bytes in %d files, %d in all", sum, len(seen), len(s.assets))
}

// fetched notes what a browser fetches for path at once: what the shell links, and
// what scripts import, but not what they import later, when a page is opened.
func (s *site) fetched(path string, seen map[string]int) {
	a, ok := s.assets[path]
	if _, known := seen[path]; known || !ok {
		return
	}
	seen[path] = len(a.gz)
	r, err := gzip.NewReader(bytes.NewReader(a.gz))
	if err != nil {
		return
	}
	text, err := io.ReadAll(r)
	if err != nil {
		return
	}
	for _, m := range regexp.MustCompile(`(?:src="|href="|from\s*"\.|import\s*"\.)(/[\w./-]+)"`).FindAllStringSubmatch(string(text), -1) {
		s.fetched(m[1], seen)
		s.fetched("/assets"+m[1], seen)
	}
}

func FuzzTakesGzip(f *testing.F) {
	for _, s := range []string{"gzip", "gzip;q=0", "*", "a;q=,;;", ",,,", "GZIP ; q=1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, accept string) {
		if takesGzip(accept) && !strings.Contains(strings.ToLower(accept), "gzip") && !strings.Contains(accept, "*") {
			t.Errorf("%q is taken to name gzip", accept)
		}
	})
}
