package monitor

import (
	"time"

	"datakit.dev/internal/status"
	journal "datakit.dev/internal/status/changes"
)

// An Answer is what the agent said at one time.
type Answer struct {
	Status status.Status
	// At is the agent's own clock when it answered: the times of Status are told
	// as their distance from it.
	At time.Time
	// Changes, where it is not nil, is what the agent remembers of the keys that
	// changed, oldest first. What else happened, and all of it where there is no
	// such list, the monitor makes from what differs between two answers.
	Changes []journal.Entry
	Untold  string // why there is no such list
}

// mode is what the screen shows and the keys mean.
type mode uint8

const (
	overview mode = iota
	typing        // a filter
	opened        // one row
	help
)

// Model is what the monitor knows and how the user looks at it. It has no clock,
// does no I/O and starts nothing: the time comes with the answers, so that a
// screen depends on nothing but the events before it.
type Model struct {
	every time.Duration
	w, h  int

	answer    Answer
	answered  bool
	now       time.Time
	lost      string // why the last poll had no answer
	history   history
	chronicle chronicle

	sections []*section
	focus    int
	mode     mode
	paused   bool
	before   string // the filter before it was typed at

	subject string // the id of the opened row
	gone    bool   // it was there when it was opened
	facts   []fact
	scroll  int // of the opened row, or of the help
}

// NewModel returns a model that has not seen an answer; every is the time
// between two polls.
func NewModel(every time.Duration) *Model {
	return &Model{every: every, sections: sections(), focus: unitsAt}
}

// Resize takes the size of the screen.
func (m *Model) Resize(w, h int) {
	m.w, m.h = max(0, w), max(0, h)
	m.arrange()
}

// Take takes an answer.
func (m *Model) Take(a Answer) {
	if a.Changes != nil {
		m.chronicle.tell(a.Changes)
	}
	if m.answered {
		m.chronicle.add(changes(m.answer.Status, a.Status, a.At))
	} else {
		m.chronicle.add(begun(a.Status, a.At))
	}
	if a.Untold != "" && a.Untold != m.answer.Untold {
		m.chronicle.add([]Change{untold(a.Status, a.At, a.Untold)})
	}
	m.answer, m.answered, m.now, m.lost = a, true, a.At, ""
	m.history.add(a.Status, a.At)
	m.refresh()
}

// Lose notes that the agent did not answer, after passed since the last event.
func (m *Model) Lose(err error, at time.Time) {
	m.lost = clean(err.Error())
	if at.After(m.now) {
		m.now = at
	}
	m.refresh()
}

// refresh makes every table anew from the last answer.
func (m *Model) refresh() {
	for _, s := range m.sections {
		s.refresh(m)
	}
	if m.mode == opened {
		m.reopen()
	}
	m.arrange()
}

// reopen renews the facts of the opened row. One that has gone keeps its last
// ones: they are what the user wants to read.
func (m *Model) reopen() {
	facts := m.sections[m.focus].open(m, m.subject)
	if m.gone = facts == nil; !m.gone {
		m.facts = facts
	}
}

// arrange gives the sections their rows of the screen.
func (m *Model) arrange() {
	room := m.h - len(m.head()) - len(m.foot())
	for i, rows := range share(m.sections, m.focus, room) {
		m.sections[i].place(rows)
	}
}
