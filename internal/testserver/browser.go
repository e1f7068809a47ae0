package testserver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// A Scenario is a program in web/e2e that does in a browser what a user does.
type Scenario struct {
	Name string   // of its file, without .mjs
	URL  string   // of the agent
	Env  []string // more variables, NAME=value

	// Acts is what only the test can do, such as to stop a server. The scenario
	// asks for one by name; what it returns is its answer.
	Acts map[string]func(args ...string) string
}

// scenarioTime ends a scenario that hangs.
const scenarioTime = 2 * time.Minute

// RunScenario runs s in a Chromium of its own, and fails the test where the
// scenario fails. What the page looked like then is kept in .cache/browser.
func RunScenario(tb testing.TB, s Scenario) {
	tb.Helper()
	said, err := s.run(tb, scenarioTime)
	if tb.Logf("%s", said); err != nil {
		tb.Errorf("scenario %s: %v", s.Name, err)
	}
}

// run returns what s said, and an error where it failed or took longer than limit.
func (s Scenario) run(tb testing.TB, limit time.Duration) (string, error) {
	tb.Helper()
	dir := browserDir(tb)
	program := chromium(tb)
	asked, ended := make(chan request), make(chan struct{})
	defer close(ended)
	server := httptest.NewServer(s.ask(asked, ended))
	defer server.Close()

	cmd := exec.CommandContext(context.Background(), "node", s.Name+".mjs")
	cmd.Dir = dir
	cmd.Env = append(append(os.Environ(), s.Env...), "DATAKIT_SCENARIO="+s.Name, "DATAKIT_URL="+s.URL, "DATAKIT_ACTS="+server.URL,
		"DATAKIT_CHROMIUM="+program, "DATAKIT_KEEP="+filepath.Join(dir, "..", "..", ".cache", "browser"))
	p := start(tb, cmd)
	defer p.kill()
	over := time.NewTimer(limit)
	defer over.Stop()
	for {
		select {
		case r := <-asked:
			r.answer <- r.act(r.args...)
		case <-p.done:
			if !cmd.ProcessState.Success() {
				return p.log.String(), errors.New(cmd.ProcessState.String())
			}
			return p.log.String(), nil
		case <-over.C:
			return p.log.String(), fmt.Errorf("it did not end within %v", limit)
		}
	}
}

// A request is an act that a scenario waits for. It is done in the goroutine of
// the test, which alone may end the test.
type request struct {
	act    func(args ...string) string
	args   []string
	answer chan string
}

// ask hands the requests of a scenario to its test.
func (s Scenario) ask(asked chan<- request, ended <-chan struct{}) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		var words []string
		if err := json.NewDecoder(req.Body).Decode(&words); err != nil || len(words) == 0 || s.Acts[words[0]] == nil {
			http.Error(w, fmt.Sprintf("%q is nothing that the test does (%v)", words, err), http.StatusBadRequest)
			return
		}
		r := request{act: s.Acts[words[0]], args: words[1:], answer: make(chan string, 1)}
		select {
		case asked <- r:
		case <-ended:
			return
		}
		select {
		case text := <-r.answer:
			_, _ = io.WriteString(w, text)
		case <-ended:
		}
	})
}

// chromium returns the browser, and skips or fails where something that the
// scenarios need is missing.
func chromium(tb testing.TB) string {
	tb.Helper()
	Need(tb, "node", "apt-get install nodejs npm")
	path, err := exec.LookPath("chromium")
	if err != nil {
		Need(tb, "chromium", "apt-get install chromium")
	}
	return path
}

// browserDir returns web/e2e of this repository, with its libraries installed.
func browserDir(tb testing.TB) string {
	tb.Helper()
	dir, err := os.Getwd()
	if err != nil {
		tb.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if dir == filepath.Dir(dir) {
			tb.Fatal("no go.mod above the test")
		}
		dir = filepath.Dir(dir)
	}
	if _, err := os.Stat(filepath.Join(dir, "web", "node_modules", "playwright-core")); err != nil {
		Missing(tb, "playwright-core", "make console, or npm ci in web")
	}
	return filepath.Join(dir, "web", "e2e")
}
