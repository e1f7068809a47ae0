package api_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"datakit.dev/internal/status"
	"datakit.dev/internal/status/changes"
)

func unitState(id string, s status.UnitState) changes.Entry {
	return changes.Entry{Kind: changes.Unit, Unit: &changes.UnitState{ID: id, State: s}}
}

func TestStatesOfOneOrOfAll(t *testing.T) {
	url, _, journal := consoleOf(t, &fake{})
	journal.Add(time.Now(),
		unitState("input/cpu", status.Starting), keyChange("k"), unitState("input/cpu", status.Running), unitState("input/mem", status.Failed),
		changes.Entry{Kind: changes.Generation, Generation: 1},
		changes.Entry{Kind: changes.Store, Store: &changes.StoreState{ID: "etcdv3", State: status.Stale}})
	for query, want := range map[string]string{
		"":                             "starting running failed stale ",
		"?unit=input/cpu":              "starting running ",
		"?unit=input%2Fcpu&limit=1":    "running ",
		"?store=etcdv3":                "stale ",
		"?unit=input/mem&store=etcdv3": "failed stale ",
		"?unit=etcdv3":                 "",
		"?unit=nosuch":                 "",
	} {
		r := get(t, url+"/v1/states"+query)
		r.expect(t, 200, `"states":[`)
		var a struct {
			Content struct {
				States []struct {
					Unit, Store *struct{ State string }
				}
			}
		}
		if err := json.Unmarshal([]byte(r.body), &a); err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, e := range a.Content.States {
			for _, s := range []*struct{ State string }{e.Unit, e.Store} {
				if s != nil {
					got += s.State + " "
				}
			}
		}
		if got != want {
			t.Errorf("%s: %q, expected %q", query, got, want)
		}
	}
	for _, query := range []string{"?limit=0", "?limit=1001", "?limit=x"} {
		get(t, url+"/v1/states"+query).expect(t, 400, "datakit.badRequest")
	}
}

func TestOlderChanges(t *testing.T) {
	url, _, journal := consoleOf(t, &fake{})
	first := journal.Last()
	for i := range 5 {
		journal.Add(time.Now(), keyChange(fmt.Sprint("k", i)))
	}
	for query, want := range map[string][]string{
		fmt.Sprintf("?before=%d&limit=2", first+4): {`"key":"k1"`, `"key":"k2"`},
		fmt.Sprintf("?before=%d", first+2):         {`"key":"k0"`},
		fmt.Sprintf("?before=%d", first+1):         {`"changes":[]`},
		"?before=1":                                {`"changes":[]`},
	} {
		r := get(t, url+"/v1/changes"+query)
		r.expect(t, 200, want...)
		var a struct {
			Content struct{ Changes []struct{ Key string } }
		}
		if err := json.Unmarshal([]byte(r.body), &a); err != nil {
			t.Fatal(err)
		}
		if n := len(a.Content.Changes); n != len(want) && n != 0 {
			t.Errorf("%s: %d changes", query, n)
		}
	}
	get(t, url+"/v1/changes?before=x").expect(t, 400)
	get(t, url+"/v1/changes?before=5&since=3").expect(t, 400)
}
