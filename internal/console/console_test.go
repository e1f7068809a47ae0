package console_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"datakit.dev/internal/access"
	"datakit.dev/internal/console"
	"datakit.dev/internal/status"
	"datakit.dev/internal/status/changes"
)

type agent struct{ s status.Status }

func (a agent) Status() status.Status { return a.s }

// busy is an agent with something of everything.
func busy() (agent, *changes.Journal) {
	j := changes.New(time.Now())
	j.Add(time.Now(), changes.Entry{Kind: changes.Key, Change: &changes.Change{
		Store: "etcdv3", Key: "/datakit/confd/cpu", Revision: "42", State: status.Applied, Diff: "@@ -1,1 +1,1 @@\n-a\n+<script>alert(1)</script>\n",
		Steps: []changes.Step{{Verb: "restart", Unit: "input/cpu", Nanoseconds: 1_500_000}},
	}})
	return agent{status.Status{
		Version: "1.2.3", Hostname: "web-1", Generation: 7, StartedAt: status.At(time.Now()),
		Stores:  []status.Store{{Backend: "etcdv3", Nodes: []string{"a:1", "b:2"}, State: status.Stale, Error: `down <img src=x onerror="alert(1)">`}},
		Keys:    []status.Key{{Key: "/datakit/confd/good", State: status.Applied}, {Key: "/datakit/confd/bad", State: status.Rejected, Error: "line 3"}},
		Units:   []status.Unit{{ID: "input/cpu", State: status.Running, Points: 120}},
		Scripts: []status.Script{{Category: "logging", Name: "a.p", State: "active"}}, Outputs: []status.Output{{Name: "dataway", Written: 5}},
		Errors: []string{"the backup could not be written"},
	}}, j
}

func show(t *testing.T, a agent, j *changes.Journal, path string, admitted bool, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	req := httptest.NewRequest(http.MethodGet, path, nil)
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h, err := console.New(console.Options{Agent: a, Changes: j})
	if err != nil {
		t.Fatal(err)
	}
	h.ServeHTTP(w, req.WithContext(access.WithAdmission(req.Context(), admitted)))
	return w
}

func TestThePageShowsWhatTheAgentDoes(t *testing.T) {
	a, j := busy()
	w := show(t, a, j, "/plain", true)
	text := w.Body.String()
	for _, part := range []string{"Not converged", "web-1", "1.2.3", "a:1, b:2", "stale", "/datakit/confd/bad", "line 3", "input/cpu", "restart", "1.5ms", "logging/a.p", "dataway", "the backup", "-a\n"} {
		if !strings.Contains(text, part) {
			t.Errorf("the page lacks %q", part)
		}
	}
	if w.Code != 200 || strings.Contains(text, "/datakit/confd/good") {
		t.Errorf("code %d, or a key that is simply applied", w.Code)
	}
}

func TestThePageSpeaksTheBrowsersLanguage(t *testing.T) {
	a, j := busy()
	for accept, want := range map[string]string{
		"zh-CN,zh;q=0.9,en;q=0.8": "zh-CN", "zh": "zh-CN", "zh-TW": "zh-CN", "en-GB,zh;q=0.5": "en", "fr, zh;q=0.2": "zh-CN", "fr": "en", "": "en",
		"\x00;;q=x": "en", strings.Repeat("zh,", 5000): "en",
	} {
		w := show(t, a, j, "/plain", true, "Accept-Language", accept)
		if got := w.Header().Get("Content-Language"); got != want || !strings.Contains(w.Body.String(), `<html lang="`+want+`">`) {
			t.Errorf("%.30q: %s, expected %s", accept, got, want)
		}
	}
	if text := show(t, a, j, "/plain", true, "Accept-Language", "zh").Body.String(); !strings.Contains(text, "最近变更") || strings.Contains(text, "Last changes") {
		t.Error("the page in Chinese is not in Chinese")
	}
}

// Who is not let in sees nothing of the agent, but what to do.
func TestStrangersSeeNothing(t *testing.T) {
	a, j := busy()
	w := show(t, a, j, "/plain", false)
	if text := w.Body.String(); w.Code != 401 || strings.Contains(text, "web-1") || strings.Contains(text, "cpu") || !strings.Contains(text, "ssh -L") {
		t.Errorf("%d %s", w.Code, text)
	}
	if w := show(t, a, j, "/nosuch", true); w.Code != 404 || strings.Contains(w.Body.String(), "web-1") {
		t.Errorf("%d", w.Code)
	}
}

// No value can break out of its place, and the page needs nothing that its policy
// forbids: no script, no style of its own, nothing from elsewhere.
func TestThePageKeepsToItsPolicy(t *testing.T) {
	a, j := busy()
	for _, accept := range []string{"en", "zh"} {
		doc, err := html.Parse(show(t, a, j, "/plain", true, "Accept-Language", accept).Body)
		if err != nil {
			t.Fatal(err)
		}
		levels, ids := []int{}, map[string]bool{}
		for n := range doc.Descendants() {
			if n.Type != html.ElementNode {
				continue
			}
			if n.Data == "script" || n.Data == "style" || n.Data == "iframe" || n.Data == "img" || n.Data == "meta" && attribute(n, "http-equiv") != "" {
				t.Errorf("the page holds a %s", n.Data)
			}
			if m := regexp.MustCompile(`^h([1-6])$`).FindStringSubmatch(n.Data); m != nil {
				level, _ := strconv.Atoi(m[1])
				levels = append(levels, level)
			}
			if n.Data == "th" && attribute(n, "scope") == "" {
				t.Error("a header cell without a scope")
			}
			for _, at := range n.Attr {
				if strings.HasPrefix(at.Key, "on") || at.Key == "style" || (at.Key == "src" || at.Key == "href") && strings.Contains(at.Val, "//") {
					t.Errorf("%s has %s=%q", n.Data, at.Key, at.Val)
				}
				if at.Key == "id" && ids[at.Val] {
					t.Errorf("two elements are called %s", at.Val)
				}
				if at.Key == "id" {
					ids[at.Val] = true
				}
			}
		}
		for n := range doc.Descendants() {
			if by := attribute(n, "aria-labelledby"); by != "" && !ids[by] {
				t.Errorf("no element is called %s", by)
			}
		}
		for i, level := range levels {
			if i == 0 && level != 1 || i > 0 && (level == 1 || level > levels[i-1]+1) {
				t.Errorf("the headings are %v", levels)
			}
		}
	}
}

func attribute(n *html.Node, name string) string {
	for _, at := range n.Attr {
		if at.Key == name {
			return at.Val
		}
	}
	return ""
}

func TestTenThousandUnitsStayReadable(t *testing.T) {
	var a agent
	for i := range 10_000 {
		a.s.Units = append(a.s.Units, status.Unit{ID: "input/prom/" + strconv.Itoa(i)})
		a.s.Keys = append(a.s.Keys, status.Key{Key: strconv.Itoa(i), State: status.Rejected})
	}
	text := show(t, a, nil, "/plain", true).Body.String()
	if len(text) > 200<<10 || !strings.Contains(text, "9800 more") {
		t.Errorf("%d bytes", len(text))
	}
}

// The style names every colour twice, for light and for dark, and each pair of
// text and ground can be told apart as WCAG AA asks.
func TestColoursAreReadable(t *testing.T) {
	w := show(t, agent{}, nil, "/style.css", false)
	css, err := io.ReadAll(w.Body)
	if err != nil || w.Code != 200 || w.Header().Get("Content-Type") != "text/css; charset=utf-8" {
		t.Fatalf("%d %v", w.Code, err)
	}
	blocks := regexp.MustCompile(`:root \{([^}]*)\}`).FindAllStringSubmatch(string(css), -1)
	if len(blocks) != 2 {
		t.Fatalf("%d sets of colours", len(blocks))
	}
	for _, b := range blocks {
		colour := map[string]float64{}
		for _, m := range regexp.MustCompile(`--(\w+): (#\w+);`).FindAllStringSubmatch(b[1], -1) {
			colour[m[1]] = luminance(t, m[2])
		}
		for _, ground := range []string{"ground", "soft"} {
			for _, ink := range []string{"text", "link", "good", "bad"} {
				if c := contrast(colour[ink], colour[ground]); c < 4.5 {
					t.Errorf("%s on %s has a contrast of %.1f", ink, ground, c)
				}
			}
		}
	}
}
