package monitor

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"datakit.dev/internal/status"
)

// fact is one line of what is told of the row that was opened; without a name it
// heads those that follow.
type fact struct {
	name, value string
	style       style
}

func exact(n uint64) string { return strconv.FormatUint(n, 10) }

// find returns the element that has the id, and false where it is gone.
func find[T any](list []T, id func(T) string, want string) (T, bool) {
	i := slices.IndexFunc(list, func(e T) bool { return id(e) == want })
	if i < 0 {
		var none T
		return none, false
	}
	return list[i], true
}

// happened returns what the chronicle has about a subject of one of the kinds.
func (m *Model) happened(kinds []string, subjects ...string) []fact {
	var out []fact
	for _, c := range m.chronicle.entries {
		if !slices.ContainsFunc(kinds, func(kind string) bool {
			return slices.ContainsFunc(subjects, func(subject string) bool { return c.about(kind, subject) })
		}) {
			continue
		}
		if out == nil {
			out = append(out, fact{value: "changes"})
		}
		look := plain
		if c.Bad {
			look = bad
		}
		out = append(out, fact{m.clock(c.At), c.Text, look})
	}
	return out
}

func errorFact(name, text string) fact {
	if text == "" {
		return fact{name, "none", faint}
	}
	return fact{name, text, bad}
}

func unitFacts(m *Model, id string) []fact {
	u, ok := find(m.answer.Status.Units, func(u status.Unit) string { return u.ID }, id)
	if !ok {
		return nil
	}
	points := exact(u.Points)
	if r, ok := m.history.rate("unit/" + id); ok {
		points += fmt.Sprintf(", %s a second", perSecond(r))
	}
	out := []fact{
		{"kind", u.Kind, plain},
		{"state", string(u.State), unitStyle(u.State)},
		{"since", m.stamp(u.Since.Time), plain},
		{"origin", u.Origin, plain},
	}
	if k, ok := find(m.answer.Status.Keys, keyID, u.Origin); ok {
		out = append(out, fact{"key", fmt.Sprintf("%s, revision %s", k.State, k.Revision), keyStyle(k.State)})
		if k.Error != "" {
			out = append(out, fact{"reason", k.Error, bad})
		}
	}
	out = append(out,
		fact{"starts", exact(u.Starts), plain},
		fact{"updates", exact(u.Updates) + " in place", plain},
		fact{"gathers", exact(u.Gathers), plain},
		fact{"last gather", m.stamp(u.LastGather.Time), plain},
		fact{"next gather", m.stamp(u.NextGather.Time), plain},
		fact{"missed", exact(u.Missed) + " ticks", plain},
		fact{"points", points, plain},
		fact{"errors", exact(u.Errors), plain},
		errorFact("last error", u.LastError),
	)
	return append(out, m.happened([]string{"unit", "key"}, id, u.Origin)...)
}

func storeFacts(m *Model, id string) []fact {
	s, ok := find(stores(m.answer.Status), func(s namedStore) string { return s.id }, id)
	if !ok {
		return nil
	}
	out := []fact{
		{"backend", s.Backend, plain},
		{"nodes", strings.Join(s.Nodes, ", "), plain},
		{"state", string(s.State), storeStyle(s.State)},
		{"lag", m.lag(s.Store).text, plain},
		{"read", m.stamp(s.ReadAt.Time), plain},
		{"revision", s.Revision, plain},
		errorFact("error", s.Error),
		{value: fmt.Sprintf("keys %d", s.Keys)},
	}
	for _, k := range m.answer.Status.Keys {
		if k.Store == id {
			out = append(out, fact{string(k.State), k.Key + because(k.Error), keyStyle(k.State)})
		}
	}
	return append(out, m.happened([]string{"store"}, id)...)
}

func keyFacts(m *Model, id string) []fact {
	k, ok := find(m.answer.Status.Keys, keyID, id)
	if !ok {
		return nil
	}
	out := []fact{
		{"store", k.Store, plain},
		{"key", k.Key, plain},
		{"state", string(k.State), keyStyle(k.State)},
		{"revision", k.Revision, plain},
		{"reason", k.Error, plain},
	}
	for _, u := range m.answer.Status.Units {
		if u.Origin == id {
			out = append(out, fact{"unit", fmt.Sprintf("%s, %s", u.ID, u.State), unitStyle(u.State)})
		}
	}
	return append(out, m.happened([]string{"key"}, id)...)
}

func scriptFacts(m *Model, id string) []fact {
	s, ok := find(m.answer.Status.Scripts, scriptID, id)
	if !ok {
		return nil
	}
	runs := exact(s.Runs)
	if r, ok := m.history.rate("script/" + id); ok {
		runs += fmt.Sprintf(", %s a second", perSecond(r))
	}
	out := []fact{
		{"category", s.Category, plain},
		{"name", s.Name, plain},
		{"namespace", s.Namespace, plain},
		{"state", s.State, scriptStyle(s.State)},
		{"origin", s.Origin, plain},
		{"runs", runs, plain},
		{"time", perRun(s).text + " us a run", plain},
		{"drops", exact(s.Drops), plain},
		{"errors", exact(s.Errors), plain},
		errorFact("error", s.Error),
	}
	return append(out, m.happened([]string{"script", "key"}, id, s.Origin)...)
}

func outputFacts(m *Model, id string) []fact {
	o, ok := find(m.answer.Status.Outputs, func(o status.Output) string { return o.Name }, id)
	if !ok {
		return nil
	}
	written := exact(o.Written)
	if r, ok := m.history.rate("output/" + id); ok {
		written += fmt.Sprintf(", %s a second", perSecond(r))
	}
	out := []fact{
		{"queued", fmt.Sprintf("%d points, %s", o.QueuePoints, size(o.QueueBytes)), plain},
		{"written", written, plain},
		{"dropped", exact(o.Dropped), trouble(o.Dropped).style},
		{"retries", exact(o.Retries), plain},
		errorFact("last error", o.LastError),
	}
	return append(out, m.happened([]string{"output"}, id)...)
}

func changeFacts(m *Model, id string) []fact {
	c, ok := find(m.chronicle.entries, func(n numbered) string { return n.id }, id)
	if !ok {
		return nil
	}
	if c.own != nil {
		return m.toldFacts(*c.own)
	}
	look := plain
	if c.Bad {
		look = bad
	}
	return []fact{{"when", m.stamp(c.At), plain}, {"kind", c.Kind, plain}, {"name", c.Subject, plain}, {"what", c.Text, look}}
}
