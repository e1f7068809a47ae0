package e2e

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"datakit.dev/internal/status"
	"datakit.dev/internal/testserver"
)

// ask sends one request of the console with the token.
func (a *agent) ask(method, path, token, body string, headers ...string) (int, string, http.Header) {
	a.t.Helper()
	req, err := http.NewRequestWithContext(a.t.Context(), method, a.url(path), strings.NewReader(body))
	if err != nil {
		a.t.Fatal(err)
	}
	req.Header.Set("X-Datakit-Console", "1")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		a.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	return resp.StatusCode, string(text), resp.Header
}

// An operator makes a token, edits a key of a real etcd in the console, and sees
// what that restarted; who has no token does nothing, and all of it is on record.
func TestConsoleChangesAKeyOfEtcd(t *testing.T) {
	t.Parallel()
	e := testserver.StartEtcd(t)
	e.Put(t, "/datakit/confd/mem", "[[inputs.mem]]\n  interval = \"1s\"\n")
	a := newAgent(t, follow(e, "")+"[console]\n  write = true\n").start()
	a.until("mem runs", running("mem"))
	code, token, _ := datakit(t, "", "console", "token", "--dir", a.dir)
	if token = strings.TrimSpace(token); code != 0 || len(token) != 43 {
		t.Fatalf("code %d, token %q", code, token)
	}
	const key = "/v1/keys/etcdv3/confd/mem"
	if code, body, _ := a.ask("PUT", key, "", "", "If-Match", `"1"`); code != http.StatusUnauthorized {
		t.Errorf("without the token: %d %s", code, body)
	}
	code, body, header := a.ask("GET", key, token, "")
	if tag := header.Get("ETag"); code != http.StatusOK || tag == "" || !strings.Contains(body, `interval = \"1s\"`) {
		t.Fatalf("%d %s", code, body)
	}
	tag := header.Get("ETag")
	if code, body, _ := a.ask("PUT", key, token, "[[inputs.mem]]\n  intervall = \"1s\"\n", "If-Match", tag); code != http.StatusUnprocessableEntity || !strings.Contains(body, `"line":2`) {
		t.Errorf("a bad value: %d %s", code, body)
	}
	if code, body, header = a.ask("PUT", key, token, "[[inputs.mem]]\n  interval = \"2s\"\n", "If-Match", tag); code != http.StatusOK {
		t.Fatalf("%d %s", code, body)
	}
	if code, body, _ := a.ask("PUT", key, token, "[[inputs.mem]]\n", "If-Match", tag); code != http.StatusConflict {
		t.Errorf("a second time: %d %s", code, body)
	}
	a.until("mem is updated", func(s status.Status) bool { return len(s.Units) == 1 && s.Units[0].Updates == 1 })
	if code, body, _ = a.ask("GET", "/v1/changes?limit=1", token, ""); code != http.StatusOK ||
		!strings.Contains(body, `-  interval = \"1s\"\n+  interval = \"2s\"`) || !strings.Contains(body, `"verb":"update","unit":"input/mem"`) {
		t.Errorf("%d %s", code, body)
	}
	if code, body, _ = a.ask("DELETE", key, token, "", "If-Match", header.Get("ETag")); code != http.StatusOK {
		t.Errorf("%d %s", code, body)
	}
	a.until("mem is gone", func(s status.Status) bool { return len(s.Units) == 0 })
	path := filepath.Join(a.dir, "log", "audit.log")
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 && runtime.GOOS != "windows" {
		t.Errorf("the audit log: %v %v", info, err)
	}
	record := a.read("log/audit.log")
	if n := strings.Count(record, `"outcome":"done"`); n != 2 || strings.Count(record, "\n") != 7 || strings.Contains(record, "interval") {
		t.Errorf("on record: %s", record)
	}
	if strings.Contains(record+a.log.String(), token) {
		t.Error("the token is in a log")
	}
}
