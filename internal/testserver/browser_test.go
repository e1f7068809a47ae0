package testserver

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// A scenario that only opens a page passes where nothing is wrong with the page,
// and fails for each thing that could be.
func TestAPageThatComplainsFailsItsScenario(t *testing.T) {
	t.Parallel()
	const good = `<!doctype html><html lang="en"><title>Good</title><link rel="icon" href="data:,"><h1>Good</h1>`
	for name, c := range map[string]struct{ page, says string }{
		"good":        {good, "opened Good"},
		"error":       {good + `<script src="/throw.js"></script>`, "uncaught: Error: thrown"},
		"console":     {good + `<script src="/complain.js"></script>`, "console error: written"},
		"missing":     {good + `<img src="/nosuch.png" alt="">`, "404 GET"},
		"policy":      {good + `<p style="color:red">red</p>`, "content security policy: style-src"},
		"elsewhere":   {good + `<script src="/elsewhere.js"></script>`, "connect-src"},
		"no heading":  {`<!doctype html><title>Bad</title><link rel="icon" href="data:,">`, "Timeout"},
		"refused act": {good + `<meta name="act" content="nosuch">`, "nosuch: "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := httptest.NewServer(hostile(c.page))
			defer s.Close()
			said, err := Scenario{Name: "open", URL: s.URL, Env: []string{"DATAKIT_PATIENCE=3000"}}.run(t, scenarioTime)
			if !strings.Contains(said, c.says) || (err == nil) != (name == "good") {
				t.Errorf("%v: %s", err, said)
			}
		})
	}
}

// hostile serves page under the policy of the console.
func hostile(page string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'")
		_, _ = w.Write([]byte(page))
	})
	for path, script := range map[string]string{
		"/throw.js": `throw new Error("thrown")`, "/complain.js": `console.error("written")`, "/elsewhere.js": `fetch("http://127.0.0.1:1/")`,
	} {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/javascript")
			_, _ = w.Write([]byte(script))
		})
	}
	return mux
}

// What only the test can do is done while the scenario waits, and one that never
// ends is ended.
func TestAScenarioHasItsTestAct(t *testing.T) {
	t.Parallel()
	page := `<!doctype html><title>Act</title><link rel="icon" href="data:,"><h1>Act</h1><meta name="act" content="greet">`
	s := httptest.NewServer(hostile(page))
	defer s.Close()
	acts := map[string]func(...string) string{"greet": func(args ...string) string { return "hello " + args[0] }}
	if said, err := (Scenario{Name: "open", URL: s.URL, Acts: acts}).run(t, scenarioTime); err != nil || !strings.Contains(said, "answered hello Act") {
		t.Errorf("%v: %s", err, said)
	}
	acts["greet"] = func(...string) string { return "wait" }
	if said, err := (Scenario{Name: "open", URL: s.URL, Acts: acts}).run(t, 4*time.Second); err == nil || !strings.Contains(err.Error(), "did not end") {
		t.Errorf("%v: %s", err, said)
	}
}
