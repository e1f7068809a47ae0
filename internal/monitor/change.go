package monitor

import (
	"fmt"
	"slices"
	"time"

	"datakit.dev/internal/status"
	journal "datakit.dev/internal/status/changes"
)

// maxChanges bounds what the monitor remembers.
const maxChanges = 500

// A Change is one thing that happened to the agent.
type Change struct {
	At      time.Time
	Kind    string // agent store key unit script output
	Subject string // its name, as the table of its kind has it
	Text    string
	Bad     bool
	own     *journal.Entry // of the agent's own list; nil of what differs between two looks
}

// differ collects the changes between two statuses.
type differ struct {
	at  time.Time
	out []Change
}

func (d *differ) add(kind, subject string, isBad bool, format string, args ...any) {
	d.out = append(d.out, Change{At: d.at, Kind: kind, Subject: subject, Text: fmt.Sprintf(format, args...), Bad: isBad})
}

// changes returns what happened between two statuses of one agent, as far as
// they tell: what came and went between two polls leaves no trace.
func changes(was, is status.Status, at time.Time) []Change {
	d := differ{at: at}
	d.agent(was, is)
	compare(stores(was), stores(is), func(s namedStore) string { return s.id }, d.store)
	compare(was.Keys, is.Keys, keyID, d.key)
	compare(was.Units, is.Units, func(u status.Unit) string { return u.ID }, d.unit)
	compare(was.Scripts, is.Scripts, scriptID, d.script)
	compare(was.Outputs, is.Outputs, func(o status.Output) string { return o.Name }, d.output)
	return d.out
}

// compare calls visit for every id with what it was and is; nil where it was not
// there.
func compare[T any](was, is []T, id func(T) string, visit func(id string, was, is *T)) {
	old := make(map[string]*T, len(was))
	for i := range was {
		old[id(was[i])] = &was[i]
	}
	seen := make(map[string]bool, len(is))
	for i := range is {
		name := id(is[i])
		seen[name] = true
		visit(name, old[name], &is[i])
	}
	for i := range was {
		if name := id(was[i]); !seen[name] {
			visit(name, &was[i], nil)
		}
	}
}

func (d *differ) agent(was, is status.Status) {
	if !was.StartedAt.Equal(is.StartedAt.Time) {
		d.add("agent", is.Hostname, false, "started again, version %s", is.Version)
	}
	if was.Converged != is.Converged {
		if is.Converged {
			d.add("agent", is.Hostname, false, "converged, generation %d", is.Generation)
		} else {
			d.add("agent", is.Hostname, true, "not converged any more")
		}
	}
	for _, e := range is.Errors {
		if !slices.Contains(was.Errors, e) {
			d.add("agent", is.Hostname, true, "%s", e)
		}
	}
}

func (d *differ) store(id string, was, is *namedStore) {
	switch {
	case was == nil:
		d.add("store", id, isBadStore(is.State), "followed, %s", is.State)
	case is == nil:
		d.add("store", id, false, "not followed any more")
	case was.State != is.State:
		d.add("store", id, isBadStore(is.State), "%s, was %s%s", is.State, was.State, because(is.Error))
	case was.Revision != is.Revision && is.Revision != "":
		d.add("store", id, false, "revision %s, %d keys", is.Revision, is.Keys)
	}
}

func (d *differ) key(id string, was, is *status.Key) {
	switch {
	case was == nil:
		d.add("key", id, isBadKey(is.State), "put, %s%s", is.State, because(is.Error))
	case is == nil:
		d.add("key", id, false, "deleted")
	case was.Revision != is.Revision:
		d.add("key", id, isBadKey(is.State), "changed, %s%s", is.State, because(is.Error))
	case was.State != is.State || was.Error != is.Error:
		d.add("key", id, isBadKey(is.State), "%s, was %s%s", is.State, was.State, because(is.Error))
	}
}

func (d *differ) unit(id string, was, is *status.Unit) {
	switch {
	case was == nil:
		d.add("unit", id, is.State == status.Failed, "started from %s", is.Origin)
		return
	case is == nil:
		d.add("unit", id, false, "stopped")
		return
	case is.Starts > was.Starts:
		d.add("unit", id, false, "restarted, %d starts", is.Starts)
	case is.Updates > was.Updates:
		d.add("unit", id, false, "changed in place")
	case was.Origin != is.Origin:
		d.add("unit", id, false, "now from %s", is.Origin)
	}
	switch {
	case was.State != is.State && is.State == status.Failed:
		d.add("unit", id, true, "failed%s", because(is.LastError))
	case was.State != is.State:
		d.add("unit", id, false, "%s, was %s", is.State, was.State)
	case is.Errors > was.Errors && is.LastError != was.LastError:
		d.add("unit", id, true, "%s", is.LastError)
	}
}

func (d *differ) script(id string, was, is *status.Script) {
	switch {
	case was == nil:
		d.add("script", id, is.State == scriptRejected, "%s from %s%s", is.State, is.Origin, because(is.Error))
	case is == nil:
		d.add("script", id, false, "gone")
	case was.State != is.State || was.Error != is.Error:
		d.add("script", id, is.Error != "", "%s, was %s%s", is.State, was.State, because(is.Error))
	case was.Origin != is.Origin:
		d.add("script", id, false, "now from %s", is.Origin)
	}
}

func (d *differ) output(id string, was, is *status.Output) {
	switch {
	case was == nil || is == nil:
	case is.LastError != was.LastError && is.LastError != "":
		d.add("output", id, true, "%s", is.LastError)
	case is.Dropped > 0 && was.Dropped == 0:
		d.add("output", id, true, "drops points")
	}
}

func because(why string) string {
	if why == "" {
		return ""
	}
	return ": " + why
}

// begun returns what a first status tells of the time before it: when the agent
// and its units came into the state that they are in.
func begun(s status.Status, at time.Time) []Change {
	d := differ{at: s.StartedAt.Time}
	d.add("agent", s.Hostname, false, "started, version %s", s.Version)
	for _, u := range s.Units {
		if u.Since.IsZero() || u.Since.After(at) {
			continue
		}
		d.at = u.Since.Time
		if u.State == status.Failed {
			d.add("unit", u.ID, true, "failed%s", because(u.LastError))
		} else {
			d.add("unit", u.ID, false, "%s from %s", u.State, u.Origin)
		}
	}
	slices.SortStableFunc(d.out, func(a, b Change) int { return a.At.Compare(b.At) })
	return d.out
}
