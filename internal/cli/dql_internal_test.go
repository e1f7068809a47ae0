package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/term"

	"datakit.dev/internal/dql"
	"datakit.dev/internal/spec"
)

// A data gateway gets upstream's body with the token, and its answer is printed
// with every digit of its numbers.
func TestTheGatewayIsAskedAsUpstreamDoes(t *testing.T) {
	var body map[string]any
	gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.Method != http.MethodPost || req.URL.Path != "/v1/query/raw" || req.URL.Query().Get("token") != "tkn_secret" {
			t.Errorf("%s %s", req.Method, req.URL)
		}
		if err := json.NewDecoder(req.Body).Decode(&body); err != nil {
			t.Error(err)
		}
		fmt.Fprint(w, `{"content":[{"series":[{"name":"m","columns":["time","n"],"values":[[1700000000000,9007199254740993]]}],"cost":"1ms"}]}`)
	}))
	defer gateway.Close()
	ask, err := gatewayAsker(gateway.URL+"?token=tkn_secret", spec.Values{}, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	a, _, err := ask(t.Context(), "M::m")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"queries": []any{map[string]any{"qtype": "dql", "query": map[string]any{"q": "M::m"}}}, "echo_explain": true, "token": "tkn_secret"}
	if fmt.Sprint(body) != fmt.Sprint(want) {
		t.Errorf("the body is %v", body)
	}
	var out strings.Builder
	if err := writeAnswer(&out, a); err != nil || !strings.Contains(out.String(), "2023-11-14T22:13:20.000Z  9007199254740993") {
		t.Errorf("%v\n%s", err, out.String())
	}
}

// Ctrl-C clears the line and does not end the session; Ctrl-D ends it.
func TestCtrlCClearsTheLine(t *testing.T) {
	terminal := term.NewTerminal(struct {
		io.Reader
		io.Writer
	}{breaking{strings.NewReader("M::wrong:(x\x03M::m\r\x03\x03show_measurement()\r\x04")}, io.Discard}, "dql> ")
	terminal.AutoCompleteCallback = (&completer{show: io.Discard}).complete
	for _, want := range []string{"M::m", "show_measurement()"} {
		if line, err := terminal.ReadLine(); line != want || err != nil {
			t.Errorf("%q, %v, want %q", line, err, want)
		}
	}
	if line, err := terminal.ReadLine(); !errors.Is(err, io.EOF) {
		t.Errorf("at the end: %q, %v", line, err)
	}
}

// No error of a gateway shows its token, whatever repeats it.
func TestTheTokenReachesNoError(t *testing.T) {
	gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		http.Error(w, "no workspace for "+req.URL.String()+strings.Repeat("x", 1000), http.StatusForbidden)
	}))
	defer gateway.Close()
	for _, url := range []string{gateway.URL, "http://127.0.0.1:1"} {
		ask, err := gatewayAsker(url+"?token=tkn_secret", spec.Values{}, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err = ask(t.Context(), "M::m"); err == nil || strings.Contains(err.Error(), "secret") || len(err.Error()) > 600 {
			t.Errorf("%s: %v", url, err)
		}
	}
	for _, url := range []string{"ftp://h?token=tkn_secret", "tkn_secret", ":tkn_secret"} {
		if _, err := gatewayAsker(url, spec.Values{}, time.Minute); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", url, err)
		}
	}
}

func TestHistoryIsKeptForTheUserAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state", "datakit", "dql_history")
	h := loadHistory(path)
	for i := range maxHistory + 10 {
		h.Add(fmt.Sprint("q", i))
		h.Add(fmt.Sprint("q", i)) // once is enough
		h.Add("")
	}
	if err := h.save(); err != nil {
		t.Fatal(err)
	}
	again := loadHistory(path)
	if again.Len() != maxHistory || again.At(0) != fmt.Sprint("q", maxHistory+9) || again.At(maxHistory-1) != "q10" {
		t.Errorf("%d lines, the newest %q, the oldest %q", again.Len(), again.At(0), again.At(again.Len()-1))
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	for env, want := range map[string]string{"HOME": "/h/.local/state/datakit/dql_history", "XDG_STATE_HOME": "/h/datakit/dql_history"} {
		if got := filepath.ToSlash(historyPath(map[string]string{env: "/h"})); got != want {
			t.Errorf("%s: %s", env, got)
		}
	}
	if historyPath(nil) != "" || loadHistory("").save() != nil {
		t.Error("without a home there is no history, and no error")
	}
}

func TestTabCompletesWhatThereIs(t *testing.T) {
	asked := 0
	var shown strings.Builder
	c := &completer{show: &shown, names: func(query string) []string {
		asked++
		return map[string][]string{
			"show_measurement()":                {"cpu", "cpu_load", "mem"},
			"show_logging_source()":             {"nginx"},
			"show_field_key(from=['cpu'])":      {"usage_idle", "usage_total"},
			"show_tag_key(from=['cpu'])":        {"host"},
			"show_logging_field('nginx')":       {"message"},
			"show_custom_object_source()":       {"order"},
			"show_custom_object_field('order')": {"price"},
		}[query]
	}}
	for before, want := range map[string]string{
		"show_mea|":            "show_measurement()|",
		"c|":                   "c|",
		"me|":                  "mem|",
		"M::me|":               "M::mem|",
		"m::CPU_|":             "m::cpu_load|",
		"L::n|":                "L::nginx|",
		"M::cpu:(u|":           "M::cpu:(usage_|",
		"M::cpu:(usage_i|)":    "M::cpu:(usage_idle|)",
		"M::cpu:(avg(usage_t|": "M::cpu:(avg(usage_total|",
		"M::cpu:(derivat|":     "M::cpu:(derivative(|",
		"M::cpu { ho|":         "M::cpu { host|",
		"M::`cpu`:(ho|":        "M::`cpu`:(host|",
		"L::nginx:(mess|":      "L::nginx:(message|",
		"CO::order:(pri|":      "CO::order:(price|",
		"M::cpu:(a) SLI|":      "M::cpu:(a) SLIMIT|",
		"M::cpu:(a) sli|":      "M::cpu:(a) SLIMIT|",
		"D::x|":                "D::x|",
		"M::zzz|":              "M::zzz|",
		"使用|":                  "使用|",
	} {
		line, _, _ := strings.Cut(before, "|")
		rest := before[len(line)+1:]
		got, pos, ok := c.complete(line+rest, len(line), '\t')
		if !ok || got[:pos]+"|"+got[pos:] != want {
			t.Errorf("%s became %s|%s, want %s", before, got[:pos], got[pos:], want)
		}
	}
	if _, _, ok := c.complete("M::", 3, 'x'); ok {
		t.Error("a letter completes")
	}
	// Where there are several they are shown; a line asks once.
	shown.Reset()
	c.forget()
	asked = 0
	for range 3 {
		c.complete("M::cpu", 6, '\t')
	}
	if !strings.HasPrefix(shown.String(), "cpu  cpu_load\n") || asked != 1 {
		t.Errorf("asked %d times, shown %q", asked, shown.String())
	}
}

func TestCSVHasEveryColumnOnce(t *testing.T) {
	a := dql.Answer{Content: []dql.Result{{Series: []dql.Series{
		{Name: "a", Tags: map[string]string{"host": "h"}, Columns: []string{"time", "x"}, Values: [][]any{{nil, json.Number("1")}}},
		{Name: "b", Columns: []string{"time", "y", "x"}, Values: [][]any{{json.Number("5"), "p,\x1bq", true}, {json.Number("6")}}},
	}}}}
	var out strings.Builder
	if err := writeCSV(&out, a, true); err != nil {
		t.Fatal(err)
	}
	want := []string{"name,host,time,x,y", "a,h,,1,", "b,,5,true,\"p,�q\"", "b,,6,,"}
	if got := strings.Split(strings.TrimSpace(out.String()), "\n"); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	if err := writeCSV(io.Discard, dql.Answer{}, false); err != nil {
		t.Error(err)
	}
}
