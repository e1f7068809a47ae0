package monitor

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// An Effect is what a key asks of the terminal.
type Effect uint8

// The effects of a key.
const (
	None Effect = iota
	Quit
	Suspend // to the shell, until it brings the monitor back
	Redraw  // everything: something else wrote on the screen
	Resume  // polling, after a pause
)

// maxFilter bounds what can be typed.
const maxFilter = 100

// Press takes a key by its name, such as "q", "up" or "ctrl+c".
func (m *Model) Press(key string) Effect {
	defer m.arrange()
	switch key {
	case "":
		return None // a key that this terminal has no name for
	case "ctrl+c":
		return Quit
	case "ctrl+l":
		return Redraw
	case "ctrl+z":
		return Suspend
	}
	switch m.mode {
	case typing:
		m.typeKey(key)
		return None
	case opened, help:
		return m.pressPage(key)
	case overview:
	}
	return m.pressList(key)
}

// Paste takes text that was pasted: it counts where a filter is typed.
func (m *Model) Paste(text string) {
	if m.mode == typing {
		m.setFilter(m.current().filter + clean(text))
		m.arrange()
	}
}

func (m *Model) current() *section { return m.sections[m.focus] }

// page is how far a page key goes.
func (m *Model) page() int { return max(1, m.current().height-1) }

func (m *Model) pressList(key string) Effect {
	s := m.current()
	if m.move(key) || m.sort(key) || m.turnTo(key) {
		return None
	}
	switch key {
	case "q":
		return Quit
	case "?", "h", "f1":
		m.mode, m.scroll = help, 0
	case "enter", "right", "l":
		m.openPicked()
	case "/", "f":
		m.mode, m.before = typing, s.filter
	case "esc":
		m.setFilter("")
	case "space", "p":
		return m.pause()
	}
	return None
}

// move moves the picked row, and reports whether the key is for that.
func (m *Model) move(key string) bool {
	s := m.current()
	switch key {
	case "up", "k":
		s.pick(s.picked - 1)
	case "down", "j":
		s.pick(s.picked + 1)
	case "pgup", "ctrl+b":
		s.pick(s.picked - m.page())
	case "pgdown", "ctrl+f":
		s.pick(s.picked + m.page())
	case "home", "g":
		s.pick(0)
	case "end", "G":
		s.pick(len(s.shown) - 1)
	default:
		return false
	}
	return true
}

// sort sorts the section, and reports whether the key is for that.
func (m *Model) sort(key string) bool {
	s := m.current()
	switch key {
	case "s":
		s.resort(1)
	case "S":
		s.resort(-1)
	case "r":
		s.reverse = !s.reverse
	default:
		return false
	}
	s.refresh(m)
	return true
}

// turnTo moves the focus, and reports whether the key is for that.
func (m *Model) turnTo(key string) bool {
	switch n := int(key[0]) - '1'; {
	case key == "tab":
		m.turn(1)
	case key == "shift+tab":
		m.turn(-1)
	case len(key) == 1 && n >= 0 && n < len(m.sections):
		m.focus = n
	default:
		return false
	}
	return true
}

func (m *Model) pause() Effect {
	if m.paused = !m.paused; m.paused {
		return None
	}
	return Resume
}

// turn moves the focus to the next section that has something.
func (m *Model) turn(by int) {
	for range m.sections {
		m.focus = (m.focus + by + len(m.sections)) % len(m.sections)
		if m.current().total > 0 {
			return
		}
	}
}

func (m *Model) openPicked() {
	if s := m.current(); s.picked < len(s.shown) {
		m.mode, m.scroll, m.subject = opened, 0, s.shown[s.picked].id
		m.reopen()
	}
}

// pressPage takes a key while one row or the help fills the screen.
func (m *Model) pressPage(key string) Effect {
	page := max(1, m.h-3)
	switch key {
	case "q", "esc", "enter", "left", "h", "backspace":
		m.mode = overview
	case "?", "f1":
		if m.mode == help {
			m.mode = overview
		} else {
			m.mode, m.scroll = help, 0
		}
	case "up", "k":
		m.scroll--
	case "down", "j":
		m.scroll++
	case "pgup", "ctrl+b":
		m.scroll -= page
	case "pgdown", "ctrl+f":
		m.scroll += page
	case "home", "g":
		m.scroll = 0
	case "end", "G":
		m.scroll = len(m.pageLines())
	case "space", "p":
		return m.pause()
	}
	m.scroll = max(0, min(m.scroll, len(m.pageLines())-page))
	return None
}

// typeKey takes a key while a filter is typed. The rows follow at once.
func (m *Model) typeKey(key string) {
	filter := m.current().filter
	switch key {
	case "enter", "tab", "up", "down":
		m.mode = overview
	case "esc":
		m.mode = overview
		m.setFilter(m.before)
	case "backspace", "ctrl+h":
		_, n := utf8.DecodeLastRuneInString(filter)
		m.setFilter(filter[:len(filter)-n])
	case "ctrl+u":
		m.setFilter("")
	case "ctrl+w":
		m.setFilter(filter[:strings.LastIndexByte(strings.TrimRight(filter, " "), ' ')+1])
	case "space":
		m.setFilter(filter + " ")
	default:
		if isText(key) {
			m.setFilter(filter + key)
		}
	}
}

// isText reports whether key is what it writes and not a name such as "f5": a
// name is several letters, of which none is beyond ASCII.
func isText(key string) bool {
	r, n := utf8.DecodeRuneInString(key)
	if n < len(key) { // several: an input method's, or a name
		return r >= utf8.RuneSelf && clean(key) == key
	}
	return unicode.IsPrint(r) && r != utf8.RuneError
}

func (m *Model) setFilter(text string) {
	if utf8.RuneCountInString(text) > maxFilter {
		return
	}
	s := m.current()
	s.filter = text
	s.refresh(m)
}
