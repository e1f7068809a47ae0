package api_test

import (
	"encoding/json"
	"strings"
	"sync/atomic"
	"testing"

	"datakit.dev/internal/api"
	"datakit.dev/internal/diag"
	"datakit.dev/internal/store"
)

func TestPlanOfADeletion(t *testing.T) {
	f := &fake{}
	url := serve(t, f) + "/v1/confd/plan"
	post(t, url, `{"source":"etcdv3","entries":[{"key":"confd/b","value":"x"},{"key":"confd/a","value":"","deleted":true}]}`).
		expect(t, 200, `"problems":[]`)
	if len(f.tried) != 1 || f.tried[0].Key != "confd/b" || len(f.removed) != 1 || f.removed[0] != "confd/a" {
		t.Errorf("asked for %v without %v", f.tried, f.removed)
	}
	post(t, url, `{"entries":[{"key":"confd/../a","value":"","deleted":true}]}`).expect(t, 400, "entry 1")
}

func TestPlanSaysWhereAValueIsWrong(t *testing.T) {
	url, _, _ := consoleOf(t, &fake{})
	post(t, url+"/v1/confd/plan", `{"entries":[{"key":"confd/a","value":"bad"},{"key":"confd/b","value":"good"}]}`).
		expect(t, 200, `"problems":[{"key":"confd/a","line":3,"column":4,"message":"expected a table"}]`)
}

func TestAValueIsValidatedAndNothingElse(t *testing.T) {
	f := &fake{}
	url, d, _ := consoleOf(t, f)
	at := url + "/v1/confd/validate"
	post(t, at, `{"key":"confd/a","value":"bad"}`).expect(t, 200, `{"content":{"problems":[{"line":3,"column":4,"message":"expected a table"}]}}`)
	post(t, at, `{"key":"confd/a","value":"x"}`).expect(t, 200, `{"content":{"problems":[]}}`)
	if f.tried != nil || len(d.entries) != 2 {
		t.Errorf("it tried %v, and the store holds %v", f.tried, d.entries)
	}
	for name, c := range map[string]struct {
		body string
		code int
	}{
		"nothing":       {"", 400},
		"no JSON":       {"[[inputs.cpu]]", 400},
		"a list":        {`[]`, 400},
		"unknown field": {`{"key":"a","value":"b","store":"etcdv3"}`, 400},
		"wrong types":   {`{"key":["a"],"value":{}}`, 400},
		"more behind":   {`{"key":"a","value":"b"} x`, 400},
		"huge":          {`{"key":"confd/a","value":"` + strings.Repeat("x", 9<<20) + `"}`, 413},
	} {
		t.Run(name, func(t *testing.T) { post(t, at, c.body).expect(t, c.code, "datakit.") })
	}
	// As much as a store may hold passes, however JSON spells it.
	value, err := json.Marshal(map[string]string{"key": "confd/a", "value": strings.Repeat("\x01", store.MaxValue)})
	if err != nil {
		t.Fatal(err)
	}
	post(t, at, string(value)).expect(t, 200, `"problems":[]`)
}

// A few values are validated at a time, and none of those that wait is lost.
func TestValidationsWaitForOneAnother(t *testing.T) {
	slow := &slowShelf{shelf: newShelf(), busy: make(chan struct{}), release: make(chan struct{})}
	url := serve(t, &fake{}, func(o *api.Options) { o.Keys = slow }) + "/v1/confd/validate"
	answers := make(chan int, 6)
	for range cap(answers) {
		go func() { answers <- post(t, url, `{"key":"confd/a","value":""}`).code }()
	}
	<-slow.busy
	<-slow.busy // the others wait at the door
	for range cap(answers) - 2 {
		slow.release <- struct{}{}
		<-slow.busy
	}
	slow.release <- struct{}{}
	slow.release <- struct{}{}
	for range cap(answers) {
		if code := <-answers; code != 200 {
			t.Errorf("code %d", code)
		}
	}
	if slow.most.Load() != 2 {
		t.Errorf("%d at once", slow.most.Load())
	}
}

// A slowShelf does not end its check until it is let go.
type slowShelf struct {
	*shelf
	busy, release chan struct{}
	now, most     atomic.Int64
}

func (s *slowShelf) Check(string, string) diag.List {
	n := s.now.Add(1)
	for most := s.most.Load(); n > most && !s.most.CompareAndSwap(most, n); most = s.most.Load() {
	}
	s.busy <- struct{}{}
	<-s.release
	s.now.Add(-1)
	return nil
}
