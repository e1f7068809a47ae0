package status

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"
)

// contract is the answer of GET /v1/status as the documentation shows it.
const contract = `{"version":"","hostname":"","started_at":"","generation":7,"converged":true,
 "stores":[{"backend":"etcdv3","nodes":["…"],"state":"watching","revision":"42","read_at":"","error":"","keys":3}],
 "keys":[{"store":"etcdv3","key":"/datakit/confd/cpu","revision":"42","state":"applied","error":""}],
 "units":[{"id":"input/cpu","kind":"cpu","origin":"etcdv3:/datakit/confd/cpu","state":"running","since":"","starts":1,"updates":0,
           "gathers":12,"points":120,"errors":0,"last_error":""}],
 "scripts":[{"category":"metric","name":"cpu.p","namespace":"confd","origin":"…","state":"active","runs":10,"errors":0,"error":""}]}`

// full is a status with one of everything.
func full() Status {
	at := time.Date(2026, 1, 2, 11, 4, 5, 6000, time.FixedZone("CST", 8*3600))
	return Status{
		Version: "1", Hostname: "web-1", StartedAt: At(at), Generation: 7, Converged: true,
		Stores:  []Store{{Backend: "etcdv3", Nodes: []string{"a:1"}, State: Watching, Revision: "42", ReadAt: At(at), Keys: 3}},
		Keys:    []Key{{Store: "etcdv3", Key: "/datakit/confd/cpu", Revision: "42", State: Applied}},
		Units:   []Unit{{ID: "input/cpu", Kind: "cpu", Origin: "etcdv3:/datakit/confd/cpu", State: Running, Since: At(at), Starts: 1}},
		Scripts: []Script{{Category: "metric", Name: "cpu.p", Namespace: "confd", State: "active"}},
		Outputs: []Output{{Name: "dataway"}}, Errors: []string{},
	}
}

// names returns the keys of an object, and of the first object of each list in
// it, in their order.
func names(t *testing.T, text string) map[string][]string {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	out := map[string][]string{}
	var object func(path string)
	var value func(path string)
	value = func(path string) {
		tok, err := d.Token()
		if err != nil {
			t.Fatal(err)
		}
		switch tok {
		case json.Delim('{'):
			object(path)
		case json.Delim('['):
			for d.More() {
				value(path)
			}
			if _, err := d.Token(); err != nil {
				t.Fatal(err)
			}
		}
	}
	object = func(path string) {
		for d.More() {
			tok, err := d.Token()
			if err != nil {
				t.Fatal(err)
			}
			name := tok.(string) //nolint:forcetypeassert // a key is one
			out[path] = append(out[path], name)
			value(path + "/" + name)
		}
		if _, err := d.Token(); err != nil {
			t.Fatal(err)
		}
	}
	value("")
	return out
}

func TestKeysAndOrderAreThoseOfTheContract(t *testing.T) {
	text, err := json.Marshal(full())
	if err != nil {
		t.Fatal(err)
	}
	got := names(t, string(text))
	for path, want := range names(t, contract) {
		have := slices.DeleteFunc(slices.Clone(got[path]), func(n string) bool { return !slices.Contains(want, n) })
		if !slices.Equal(have, want) {
			t.Errorf("%s has %q, want %q", path, got[path], want)
		}
	}
	for path, exact := range map[string]bool{"/stores": true, "/keys": true} {
		if want := names(t, contract)[path]; exact && !slices.Equal(got[path], want) {
			t.Errorf("%s has %q, want %q", path, got[path], want)
		}
	}
}

func TestContractDecodes(t *testing.T) {
	var s Status
	if err := json.Unmarshal([]byte(contract), &s); err != nil {
		t.Fatal(err)
	}
	if s.Generation != 7 || !s.Converged || s.Stores[0].State != Watching || s.Keys[0].State != Applied || s.Units[0].Gathers != 12 || s.Scripts[0].Runs != 10 {
		t.Errorf("%+v", s)
	}
}

func TestStatesAreThoseOfTheContract(t *testing.T) {
	stores := []StoreState{Connecting, Watching, Polling, Stale, Held, Denied, Disabled}
	keys := []KeyState{Applied, Kept, Rejected, Duplicate, Shadowed, Singleton, Empty, Ignored}
	units := []UnitState{Starting, Running, Failed, Stopping}
	for got, want := range map[string]string{
		join(stores): "connecting watching polling stale held denied disabled",
		join(keys):   "applied kept rejected duplicate shadowed singleton empty ignored",
		join(units):  "starting running failed stopping",
	} {
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func join[T ~string](states []T) string {
	var out []string
	for _, s := range states {
		out = append(out, string(s))
	}
	return strings.Join(out, " ")
}

func TestTimesAreUTC(t *testing.T) {
	text, err := json.Marshal(full())
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		StartedAt string `json:"started_at"`
		Stores    []struct {
			ReadAt string `json:"read_at"`
		}
		Units []struct{ Since string }
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	for _, got := range []string{doc.StartedAt, doc.Stores[0].ReadAt, doc.Units[0].Since} {
		if got != "2026-01-02T03:04:05.000006Z" {
			t.Errorf("got %q", got)
		}
		if _, err := time.Parse(time.RFC3339, got); err != nil {
			t.Error(err)
		}
	}
}

func TestTimeThatIsNotKnownIsEmpty(t *testing.T) {
	for _, v := range []any{Time{}, At(time.Time{})} {
		if text, err := json.Marshal(v); err != nil || string(text) != `""` {
			t.Errorf("%s, %v", text, err)
		}
	}
	text, err := json.Marshal(Status{})
	if err != nil || strings.Contains(string(text), "0001-") {
		t.Errorf("%s, %v", text, err)
	}
}

func TestListsAreNeverNull(t *testing.T) {
	text, err := json.Marshal(Status{Stores: []Store{{}}})
	if err != nil || strings.Contains(string(text), "null") {
		t.Errorf("%s, %v", text, err)
	}
}

func TestStatusSurvivesTheWire(t *testing.T) {
	text, err := json.Marshal(full())
	if err != nil {
		t.Fatal(err)
	}
	var back Status
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	if again, err := json.Marshal(back); err != nil || string(again) != string(text) {
		t.Errorf("%v\ngot  %s\nwant %s", err, again, text)
	}
	var bad Time
	if err := json.Unmarshal([]byte(`"soon"`), &bad); err == nil {
		t.Error("soon is a time")
	}
}
