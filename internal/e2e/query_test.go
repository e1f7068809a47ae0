package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"datakit.dev/internal/dql"
	"datakit.dev/internal/status"
)

// planned is the query of the plan.
const planned = "M::`nvidia_smi`:((`tconsul`)) limit 20"

// rows asks the agent's own recent points, and returns the values of the first
// column behind the time, by the tag v.
func (a *agent) rows(query string) map[string][]string {
	a.t.Helper()
	body, err := json.Marshal(map[string]any{"queries": []any{map[string]any{"qtype": "dql", "query": map[string]any{"q": query}}}})
	if err != nil {
		a.t.Fatal(err)
	}
	code, text := a.post("/v1/query/raw", string(body))
	var ans dql.Answer
	if err := json.Unmarshal([]byte(text), &ans); err != nil || code != http.StatusOK {
		a.t.Fatalf("%s: %d %s", query, code, text)
	}
	out := map[string][]string{}
	for _, s := range ans.Content[0].Series {
		for _, row := range s.Values {
			out[s.Tags["v"]] = append(out[s.Tags["v"]], fmt.Sprint(row[1]))
		}
	}
	return out
}

// untilRows asks until the answer is as cond wants it.
func (a *agent) untilRows(query string, cond func(map[string][]string) bool) map[string][]string {
	a.t.Helper()
	for deadline := time.Now().Add(patience); ; pause() {
		rows := a.rows(query)
		if cond(rows) {
			return rows
		}
		if time.Now().After(deadline) {
			a.t.Fatalf("%s still answers %v", query, rows)
		}
	}
}

// The plan's way to see what runs: two instances of nvidia_smi, a script that
// adds tconsul to their points, and a DQL query that shows whether one or both
// answer, and which edit of the script.
func TestBothInstancesAnswerThePlansQuery(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the card is a shell script")
	}
	t.Parallel()
	a := newAgent(t, "")
	a.configure(fmt.Sprintf("[confd]\n  debounce = \"50ms\"\n[[confds]]\n  backend = \"file\"\n  file = [%q]\n", filepath.Join(a.dir, "store")))
	program := card(t)
	a.write("store/confd/nvidia_smi", nvidia(program, "one"))
	a.write("store/confd/nvidia_smi2", nvidia(program, "two"))
	a.write("store/pipeline/metric/nvidia_smi.p", "add_key(tconsul, 1)\n")
	a.start()
	a.until("both run", func(s status.Status) bool { return len(units(s, "nvidia_smi")) == 2 && s.Converged })

	byInstance := strings.Replace(planned, " limit", " BY v limit", 1)
	a.untilRows(byInstance, func(r map[string][]string) bool { return len(r["one"]) > 0 && len(r["two"]) > 0 })
	if all := a.rows(planned)[""]; len(all) < 2 {
		t.Errorf("the plan's query answers %v", all)
	}

	// An edit of the script shows in the next points; the newest stand first.
	a.write("store/pipeline/metric/nvidia_smi.p", "add_key(tconsul, 2)\n")
	a.untilRows(byInstance, func(r map[string][]string) bool { return r["one"][0] == "2" && r["two"][0] == "2" })

	// The command line asks the same, and shows the query's mistakes.
	code, out, errs := datakit(t, "", "dql", byInstance, "--dir", a.dir)
	if code != 0 || !strings.Contains(out, "nvidia_smi v=one\n") || !strings.Contains(out, "nvidia_smi v=two\n") || !strings.Contains(out, "tconsul") {
		t.Errorf("%d\n%s%s", code, out, errs)
	}
	if code, out, errs := datakit(t, "", "dql", "M::nvidia_smi:(tconsul", "--dir", a.dir); code != 1 || !strings.Contains(out, "^") || !strings.Contains(errs, "expected") {
		t.Errorf("%d\n%s%s", code, out, errs)
	}
	if s, _ := a.status(); s.Recent == nil || s.Recent.Points == 0 || s.Recent.Bytes > s.Recent.MaxBytes {
		t.Errorf("recent %+v", s.Recent)
	}
	if _, text, err := a.get("/metrics"); err != nil || !strings.Contains(text, "datakit_recent_points ") || !strings.Contains(text, "datakit_recent_bytes ") {
		t.Errorf("metrics: %v\n%s", err, tail(text, 500))
	}

	// Switched off by a reload, nothing is kept.
	a.configure("[recent]\n  max_bytes = 0\n")
	if code, text := a.post("/v1/reload", ""); code != http.StatusOK {
		t.Fatal(text)
	}
	if s, _ := a.status(); s.Recent != nil {
		t.Errorf("switched off, the agent still keeps %+v", s.Recent)
	}
	if r := a.rows(planned); len(r) != 0 {
		t.Errorf("switched off, the agent still answers %v", r)
	}
}
