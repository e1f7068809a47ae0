package monitor

import (
	"errors"
	"strings"
	"testing"
	"time"

	"datakit.dev/internal/status"
	journal "datakit.dev/internal/status/changes"
)

// start is when the agent of the tests started.
func start() time.Time { return time.Date(2026, 1, 1, 8, 0, 0, 0, time.UTC) }

func after(d time.Duration) status.Time { return status.At(start().Add(d)) }

func unit(id, origin string, points uint64) status.Unit {
	return status.Unit{
		ID: id, Kind: strings.Split(id, "/")[1], Origin: origin, State: status.Running, Since: after(time.Second), Starts: 1,
		Gathers: points / 4, Points: points, LastGather: after(118 * time.Second), NextGather: after(128 * time.Second),
	}
}

// busy is an agent with something of everything, two minutes after its start.
func busy() status.Status {
	failed := unit("input/redis", "etcdv3:/datakit/confd/redis", 90)
	failed.State, failed.Since, failed.Starts, failed.Errors = status.Failed, after(110*time.Second), 4, 4
	failed.LastError = "dial tcp 10.0.0.5:6379: connect: connection refused"
	stream := unit("input/logging/应用日志", "etcdv3:/datakit/confd/日志采集", 120_000)
	stream.Gathers, stream.LastGather, stream.NextGather = 0, status.Time{}, status.Time{}
	cpu := unit("input/cpu", "etcdv3:/datakit/confd/cpu", 48)
	cpu.Updates = 2
	return status.Status{
		Version: "1.0.0", Hostname: "web-1", StartedAt: status.At(start()), Generation: 7,
		Stores: []status.Store{
			{Backend: "etcdv3", Nodes: []string{"10.0.0.2:2379", "10.0.0.3:2379"}, State: status.Watching, Revision: "42", ReadAt: after(80 * time.Second), Keys: 6},
			{Backend: "consul", Nodes: []string{"10.0.0.4:8500"}, State: status.Stale, Revision: "917", ReadAt: after(20 * time.Second), Keys: 2, Error: "connection refused; its last-known-good runs"},
		},
		Keys: []status.Key{
			{Store: "etcdv3", Key: "/datakit/confd/cpu", Revision: "42", State: status.Applied},
			{Store: "etcdv3", Key: "/datakit/confd/cpu-2", Revision: "40", State: status.Singleton, Error: "cpu runs once, and etcdv3:/datakit/confd/cpu was first"},
			{Store: "etcdv3", Key: "/datakit/confd/redis", Revision: "41", State: status.Kept, Error: "etcdv3:/datakit/confd/redis:2:14: expected a duration such as \"10s\", got an integer"},
			{Store: "etcdv3", Key: "/datakit/confd/日志采集", Revision: "39", State: status.Applied},
		},
		Units: []status.Unit{
			cpu, unit("input/disk", "default", 96), stream, unit("input/mem", "default", 12), failed, unit("input/system", "default", 36),
		},
		Scripts: []status.Script{
			{Category: "logging", Name: "应用.p", Namespace: "confd", Origin: "etcdv3:/datakit/pipeline/logging/应用.p", State: "active", Runs: 120_000, Drops: 1500, Errors: 3, Nanoseconds: 2_400_000_000},
			{Category: "metric", Name: "cpu.p", Namespace: "default", Origin: "local:pipeline/metric/cpu.p", State: "shadowed"},
		},
		Outputs: []status.Output{
			{Name: "dataway", QueuePoints: 1200, QueueBytes: 340_000, Written: 119_000, Retries: 2, LastError: "503 Service Unavailable"},
		},
	}
}

// later is busy ten seconds on, after a few changes.
func later() status.Status {
	s := busy()
	s.Generation = 8
	for i := range s.Units {
		s.Units[i].Points += 10
		if !s.Units[i].NextGather.IsZero() {
			s.Units[i].LastGather, s.Units[i].NextGather = after(128*time.Second), after(138*time.Second)
		}
	}
	s.Units[0].Updates++
	s.Units[2].Points += 12_335
	s.Units[4].NextGather = after(142 * time.Second)
	s.Units = append(s.Units, unit("input/net", "etcdv3:/datakit/confd/net", 4))
	s.Keys[0].Revision = "43"
	s.Keys = append(s.Keys, status.Key{Store: "etcdv3", Key: "/datakit/confd/net", Revision: "44", State: status.Applied})
	s.Stores[0].Revision, s.Stores[0].ReadAt, s.Stores[0].Keys = "44", after(129*time.Second), 7
	s.Scripts[0].Runs += 12_345
	s.Outputs[0].Written += 12_000
	return s
}

func answer(s status.Status, passed time.Duration) Answer {
	return Answer{Status: s, At: start().Add(passed)}
}

// watching is a monitor that has seen both.
func watching(t testing.TB, w, h int) *Model {
	t.Helper()
	m := NewModel(time.Second)
	m.Resize(w, h)
	m.Take(answer(busy(), 2*time.Minute))
	m.Take(answer(later(), 130*time.Second))
	return m
}

// ownList is what the agent remembers of the keys of later.
func ownList() []journal.Entry {
	list := []journal.Change{
		{
			Store: "local", Key: "pipeline/metric/mem.p", Generation: 6, State: journal.Removed, Was: status.Applied,
			Diff: "@@ -1 +0,0 @@\n-add_key(a, 1)\n", Steps: []journal.Step{{Verb: "stop", Unit: "script/metric/mem.p", Nanoseconds: 40_000}},
		},
		{
			Store: "etcdv3", Key: "/datakit/confd/cpu", Revision: "43", Generation: 8, State: status.Applied, Was: status.Applied,
			Diff:  "@@ -1,3 +1,3 @@\n [[inputs.cpu]]\n-  interval = \"10s\"\n+  interval = \"5s\"\n\n",
			Steps: []journal.Step{{Verb: "update", Unit: "input/cpu", Nanoseconds: 1_234_567}}, Cut: true,
		},
		{
			Store: "etcdv3", Key: "/datakit/confd/net", Revision: "44", Generation: 8, State: status.Applied,
			Diff: "@@ -0,0 +1 @@\n+[[inputs.net]]\n", Steps: []journal.Step{{Verb: "start", Unit: "input/net", Nanoseconds: 15_000_000}},
		},
	}
	out := make([]journal.Entry, len(list))
	for i := range list {
		out[i] = journal.Entry{ID: uint64(100 + i), Time: after(time.Duration(125+i) * time.Second), Kind: journal.Key, Change: &list[i]}
	}
	return out
}

// told is a monitor that has seen both, of an agent that tells its own list.
func told(t testing.TB, w, h int) *Model {
	t.Helper()
	m := NewModel(time.Second)
	m.Resize(w, h)
	a := answer(busy(), 2*time.Minute)
	a.Changes = []journal.Entry{}
	m.Take(a)
	a = answer(later(), 130*time.Second)
	a.Changes = ownList()
	m.Take(a)
	return m
}

// press presses keys one after the other, named with spaces between.
func press(m *Model, keys string) (last Effect) {
	for k := range strings.FieldsSeq(keys) {
		last = m.Press(k)
	}
	return last
}

// expect checks that every part is on the screen.
func expect(t *testing.T, m *Model, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(m.Screen(), p) {
			t.Errorf("the screen lacks %q:\n%s", p, m.Screen())
		}
	}
}

// lack checks that no part is on the screen.
func lack(t *testing.T, m *Model, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if strings.Contains(m.Screen(), p) {
			t.Errorf("the screen has %q:\n%s", p, m.Screen())
		}
	}
}

// order returns the first words of the rows of the section with the focus.
func (m *Model) names() (out []string) {
	for _, r := range m.current().shown {
		out = append(out, r.cells[0].text)
	}
	return out
}

var errAway = errors.New("no agent answers on localhost:9529: connection refused")
