package api_test

import (
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"strings"
	"testing"
	"time"

	"datakit.dev/internal/api"
	"datakit.dev/internal/dql"
	"datakit.dev/internal/point"
	"datakit.dev/internal/point/block"
	"datakit.dev/internal/recent"
)

// lately returns recent points of three hosts.
func lately() *recent.Store {
	s := recent.New(1<<20, time.Hour)
	for i := range 3 {
		p := point.New("cpu", 1)
		p.SetTag("host", fmt.Sprint("h", i))
		p.Add("usage", point.IntOf(int64(10*i)))
		p.Time = time.Now().Add(time.Duration(i-10) * time.Minute).UnixNano()
		s.Observe(point.Metric, []point.Point{p})
	}
	return s
}

// asking serves an API on them.
func asking(t *testing.T) string {
	t.Helper()
	return serve(t, &fake{}, func(o *api.Options) { o.Recent = lately() }) + "/v1/query/raw"
}

// answer decodes a good answer.
func answer(t *testing.T, r reply) dql.Answer {
	t.Helper()
	var a dql.Answer
	if err := json.Unmarshal([]byte(r.body), &a); err != nil || r.code != http.StatusOK {
		t.Fatalf("%d %s: %v", r.code, r.body, err)
	}
	return a
}

// Whichever form upstream's clients and its manual have, it asks the same.
func TestEveryFormOfAQueryIsTaken(t *testing.T) {
	url := asking(t)
	for _, body := range []string{
		`{"q":"M::cpu:(max(usage))"}`,
		`{"query":"M::cpu:(max(usage))"}`,
		`{"queries":[{"query":"M::cpu:(max(usage))"}],"echo_explain":true}`,
		`{"queries":[{"qtype":"dql","query":{"q":"M::cpu:(max(usage))"}}]}`,
		`{"token":"tkn_x","queries":[{"qtype":"dql","query":{"query":"M::cpu:(max(usage))","highlight":true}}]}`,
	} {
		r := post(t, url, body)
		a := answer(t, r)
		if len(a.Content) != 1 || a.Content[0].RawQuery != "M::cpu:(max(usage))" || a.Content[0].Rows() != 1 {
			t.Errorf("%s: %s", body, r.body)
			continue
		}
		if s := a.Content[0].Series[0]; s.Name != "cpu" || s.Values[0][1] != 20.0 {
			t.Errorf("%s: %+v", body, s)
		}
		if _, err := time.ParseDuration(a.Content[0].Cost); err != nil {
			t.Errorf("cost %q", a.Content[0].Cost)
		}
	}
	post(t, url, `{"q":"M::none"}`).expect(t, http.StatusOK, `"series":[]`)
	if a := answer(t, post(t, url, `{"queries":[{"query":"cpu"},{"query":"show_measurement()"}]}`)); len(a.Content) != 2 || a.Content[1].Series[0].Name != "measurements" {
		t.Errorf("%+v", a)
	}
}

func TestTheOptionsOfAQueryGoOverIt(t *testing.T) {
	url := asking(t)
	from := time.Now().Add(-9*time.Minute - 30*time.Second).UnixMilli()
	for options, rows := range map[string]int{
		``:                             3,
		`,"limit":1`:                   1,
		`,"offset":2`:                  1,
		`,"conditions":"host != 'h1'"`: 2,
		`,"time_range":[` + fmt.Sprint(from) + `]`:                2,
		`,"time_range":[0,` + fmt.Sprint(from) + `]`:              1,
		`,"time_range":[9223372036854775807,9223372036854775807]`: 0,
		`,"max_duration":"8m30s"`:                                 -1,
		`,"max_duration":"510s"`:                                  1,
		`,"orderby":[{"usage":"asc"}]`:                            3,
		`,"slimit":0`:                                             0,
	} {
		r := post(t, url, `{"queries":[{"qtype":"dql","query":{"q":"M::cpu:(usage)"`+options+`}}]}`)
		if rows < 0 {
			r.expect(t, http.StatusUnprocessableEntity, "8m30s")
			continue
		}
		if a := answer(t, r); a.Content[0].Rows() != rows {
			t.Errorf("%s: %s", options, r.body)
		}
	}
	a := answer(t, post(t, url, `{"q":"M::cpu:(usage)","orderby":[{"usage":"asc"}]}`))
	if v := a.Content[0].Series[0].Values[0][1]; v != 0.0 {
		t.Errorf("the first is %v", v)
	}
}

func TestAWrongQueryIsToldWhereItIsWrong(t *testing.T) {
	url := asking(t)
	for body, want := range map[string]string{
		`{"q":"M::cpu:(avg(usage)"}`:                                   `"line":1,"column":19,"message":"expected \")\" after the targets`,
		`{"queries":[{"query":"cpu"},{"query":"X::cpu"}]}`:             `query 2: 1:1: unknown namespace`,
		`{"q":"cpu","conditions":"host ="}`:                            `conditions:1:7: expected a name`,
		`{"q":"cpu","orderby":[{"a":"up"}]}`:                           `expected asc or desc`,
		`{"q":"cpu","time_range":[1,2,3]}`:                             `time_range`,
		`{"queries":[{"qtype":"sql","query":"x"}]}`:                    `unknown qtype`,
		`{"queries":[{"qtype":"dql","query":5}]}`:                      `expected \"query\" to be a text`,
		`{"queries":[` + strings.Repeat(`{"query":"x"},`, 40) + `{}]}`: `at most 32`,
		`{}`:       `expected {\"q\"`,
		`[]`:       `expected {\"q\"`,
		`nonsense`: `expected {\"q\"`,
		`{"q":"` + strings.Repeat("x", 70_000) + `"}`: `at most 65536 bytes`,
	} {
		if r := post(t, url, body); r.code != http.StatusBadRequest && r.code != http.StatusUnprocessableEntity || !strings.Contains(r.body, want) {
			t.Errorf("%.80s: %d %s", body, r.code, r.body)
		}
	}
	post(t, url, strings.Repeat(" ", 2<<20)).expect(t, http.StatusRequestEntityTooLarge, "bodyTooLarge")
	get(t, url).expect(t, http.StatusMethodNotAllowed, "POST")
	post(t, url, `{"q":"cpu"}`, "Sec-Fetch-Site", "cross-site").expect(t, http.StatusForbidden, "crossOrigin")
	post(t, url, `{"q":"cpu"}`, "Host", "evil.example").expect(t, http.StatusForbidden, "datakit.host")
}

func TestWithoutRecentPointsThereIsNoAnswer(t *testing.T) {
	post(t, serve(t, &fake{})+"/v1/query/raw", `{"q":"cpu"}`).expect(t, http.StatusNotFound, "recentOff", "max_bytes")
}

// stuck is a source whose points a test holds back.
type stuck struct{ begun, free chan struct{} }

func (stuck) Names(point.Category) []string { return []string{"m"} }
func (stuck) Oldest() int64                 { return 0 }

func (s stuck) Blocks(point.Category, string, int64, int64) iter.Seq[block.Block] {
	return func(func(block.Block) bool) {
		s.begun <- struct{}{}
		<-s.free
	}
}

// Two queries are answered at once; a third waits for its turn.
func TestQueriesWaitForTheirTurn(t *testing.T) {
	s := stuck{make(chan struct{}), make(chan struct{})}
	url := serve(t, &fake{}, func(o *api.Options) { o.Recent = s }) + "/v1/query/raw"
	codes := make(chan int)
	for range 3 {
		go func() { codes <- post(t, url, `{"q":"m"}`).code }()
	}
	<-s.begun
	<-s.begun
	select {
	case <-s.begun:
		t.Fatal("a third query is answered beside two")
	default:
	}
	s.free <- struct{}{}
	<-s.begun // now it is
	s.free <- struct{}{}
	s.free <- struct{}{}
	for range 3 {
		if c := <-codes; c != http.StatusOK {
			t.Errorf("code %d", c)
		}
	}
}
