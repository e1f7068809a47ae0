package monitor

import (
	"bytes"
	"context"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
)

// tty takes what is drawn, and is asked for it from another goroutine.
type tty struct {
	mu   sync.Mutex
	text bytes.Buffer
	more chan struct{}
}

func newTTY() *tty { return &tty{more: make(chan struct{}, 1)} }

func (t *tty) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	select {
	case t.more <- struct{}{}:
	default:
	}
	return t.text.Write(p)
}

func (t *tty) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.String()
}

// until waits for text to be drawn.
func (t *tty) until(tb testing.TB, text string) {
	tb.Helper()
	limit := time.NewTimer(20 * time.Second)
	defer limit.Stop()
	for !strings.Contains(t.String(), text) {
		select {
		case <-t.more:
		case <-limit.C:
			tb.Fatalf("%q was not drawn: %q", text, t.String())
		}
	}
}

const (
	altScreen = "\x1b[?1049h"
	hidden    = "\x1b[?25l"
)

// restored checks that the last that was said of screen and cursor is that they
// are as before.
func (t *tty) restored(tb testing.TB) {
	tb.Helper()
	text := t.String()
	if !strings.Contains(text, altScreen) {
		tb.Errorf("it was never on a screen of its own: %q", text)
	}
	for _, on := range []string{altScreen, hidden} {
		off := strings.NewReplacer("1049h", "1049l", "25l", "25h").Replace(on)
		if strings.LastIndex(text, on) > strings.LastIndex(text, off) {
			tb.Errorf("%q is not undone: %q", on, text)
		}
	}
}

// showing runs m on a screen until the test ends it.
func showing(t *testing.T, ctx context.Context, m *Model, in io.Reader, poll func(context.Context) (Answer, error)) (*tty, <-chan error) { //nolint:revive // t is first in tests
	t.Helper()
	out, done := newTTY(), make(chan error, 1)
	go func() {
		done <- show(ctx, Options{Poll: poll, Interval: m.every, Stdin: in, Stdout: out, Env: []string{"TERM=xterm-256color"}, width: 80, height: 24}, m)
	}()
	return out, done
}

func ended(t *testing.T, done <-chan error) error {
	t.Helper()
	limit := time.NewTimer(20 * time.Second)
	defer limit.Stop()
	select {
	case err := <-done:
		return err
	case <-limit.C:
		t.Fatal("it does not end")
		return nil
	}
}

func idle(context.Context) (Answer, error) { return answer(later(), 131*time.Second), nil }

func TestQuitLeavesTheTerminalAsItWas(t *testing.T) {
	in, keyboard := io.Pipe()
	out, done := showing(t, t.Context(), watching(t, 80, 24), in, idle)
	out.until(t, altScreen)
	if _, err := keyboard.Write([]byte("q")); err != nil {
		t.Fatal(err)
	}
	if err := ended(t, done); err != nil {
		t.Error(err)
	}
	out.restored(t)
}

func TestSignalLeavesTheTerminalAsItWas(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	in, _ := io.Pipe()
	out, done := showing(t, ctx, watching(t, 80, 24), in, idle)
	out.until(t, altScreen)
	cancel()
	if err := ended(t, done); err != nil {
		t.Error(err)
	}
	out.restored(t)
}

func TestPanicIsAnErrorAndLeavesTheTerminalAsItWas(t *testing.T) {
	in, keyboard := io.Pipe()
	m := watching(t, 80, 24)
	m.current().open = func(*Model, string) []fact { panic("on purpose\nsecond line") }
	out, done := showing(t, t.Context(), m, in, idle)
	out.until(t, altScreen)
	if _, err := keyboard.Write([]byte("\r")); err != nil {
		t.Fatal(err)
	}
	if err := ended(t, done); err == nil || !strings.Contains(err.Error(), "which is a bug: on purpose") {
		t.Errorf("error %v", err)
	}
	out.restored(t)
}

// faced is a face whose polls come from a list.
func faced(t *testing.T, polls ...any) *face {
	t.Helper()
	f := &face{model: watching(t, 80, 24), ticks: true, heard: time.Now()}
	f.poll = func() tea.Msg {
		next := polls[0]
		polls = polls[1:]
		if err, ok := next.(error); ok {
			return answered{err: err, at: time.Now()}
		}
		return answered{answer: next.(Answer), at: time.Now()}
	}
	return f
}

// tick lets the interval pass, and the poll come back.
func (f *face) tick(t *testing.T) {
	t.Helper()
	f.ticks = true
	_, cmd := f.Update(due{})
	if cmd == nil {
		t.Fatal("no poll")
	}
	if _, cmd = f.Update(cmd()); cmd == nil {
		t.Fatal("it waits for no further tick")
	}
}

func TestAgentThatGoesAwayIsWaitedFor(t *testing.T) {
	again := later()
	again.StartedAt = after(2 * time.Minute)
	f := faced(t, errAway, errAway, answer(again, 140*time.Second))
	f.tick(t)
	f.tick(t)
	expect(t, f.model, "NO ANSWER", "no agent answers on localhost:9529", "last answer ")
	f.tick(t)
	lack(t, f.model, "NO ANSWER", "no agent answers")
	expect(t, f.model, "started again", "up 20s")
}

func TestPausedScreenStandsStillAndGoesOnAtOnce(t *testing.T) {
	f := faced(t, answer(busy(), 140*time.Second))
	f.Update(tea.KeyPressMsg{Code: tea.KeySpace, Text: " "})
	before := f.View().Content
	if _, cmd := f.Update(due{}); cmd != nil {
		t.Error("it polls while it is paused")
	}
	if f.View().Content != before {
		t.Error("the screen moved")
	}
	_, cmd := f.Update(tea.KeyPressMsg{Code: 'p', Text: "p"})
	if cmd == nil {
		t.Fatal("no poll")
	}
	if _, again := f.Update(tea.KeyPressMsg{Code: 'x', Text: "x"}); again != nil {
		t.Error("a second poll beside the first")
	}
	f.Update(cmd())
	expect(t, f.model, "08:02:20 every")
}

// An answer that was on its way when the pause began is not shown; a pause that
// ends before the next tick leaves one chain of polls.
func TestPauseWhileAPollIsUnderWay(t *testing.T) {
	f := faced(t, answer(busy(), 200*time.Second), answer(busy(), 201*time.Second))
	_, poll := f.Update(due{})
	space := tea.KeyPressMsg{Code: tea.KeySpace, Text: " "}
	f.Update(space)
	if _, cmd := f.Update(poll()); cmd == nil {
		t.Error("the chain of polls is broken")
	}
	expect(t, f.model, "PAUSED 08:02:10")
	if _, cmd := f.Update(space); cmd != nil {
		t.Error("a second chain of polls: the first still has a tick to come")
	}
	f.tick(t)
	expect(t, f.model, "08:03:21 every")
}

// What happens at the agent is asked for at once: one poll at a time, and one chain
// of ticks whatever comes.
func TestAnEventIsAskedForAtOnce(t *testing.T) {
	f := faced(t, answer(busy(), 140*time.Second), answer(busy(), 141*time.Second), answer(busy(), 142*time.Second), answer(busy(), 143*time.Second))
	heard := 0
	f.await = func() tea.Msg {
		heard++
		return stirred{}
	}
	// both runs the two commands of a batch, the poll first.
	both := func(cmd tea.Cmd) tea.Msg {
		t.Helper()
		batch, ok := cmd().(tea.BatchMsg)
		if !ok || len(batch) != 2 {
			t.Fatalf("%T is no poll beside listening", cmd())
		}
		batch[1]()
		return batch[0]()
	}
	_, cmd := f.Update(stirred{})
	first := both(cmd)
	if _, cmd := f.Update(stirred{}); cmd == nil {
		t.Error("it listens no more")
	} else if _, ok := cmd().(stirred); !ok {
		t.Error("a second poll beside the first")
	}
	_, cmd = f.Update(first)
	expect(t, f.model, "08:02:20 every")
	if cmd == nil {
		t.Fatal("the event that came meanwhile is forgotten")
	}
	second, ok := cmd().(answered)
	if !ok {
		t.Fatal("the event that came meanwhile is no poll")
	}
	if _, cmd := f.Update(second); cmd != nil {
		t.Error("a second chain of ticks: the first still has one to come")
	}
	expect(t, f.model, "08:02:21 every")
	f.tick(t)
	expect(t, f.model, "08:02:22 every")
	if heard != 2 {
		t.Errorf("it listened %d times", heard)
	}

	// A tick in the middle of a poll leaves one chain.
	_, cmd = f.Update(stirred{})
	poll := both(cmd)
	if _, cmd := f.Update(due{}); cmd != nil {
		t.Error("a tick began a poll beside the one under way")
	}
	if _, cmd := f.Update(poll); cmd == nil {
		t.Error("no further tick")
	}
}

func TestAnAgentThatTellsNothingIsAskedAsBefore(t *testing.T) {
	f := faced(t, answer(busy(), 140*time.Second))
	if f.hear() != nil {
		t.Error("it listens to nobody")
	}
	f.await = func() tea.Msg { return stirred{errAway} }
	if _, cmd := f.Update(f.hear()()); cmd == nil {
		t.Error("it is never listened to again")
	}
	if _, cmd := f.Update(listen{}); cmd == nil {
		t.Error("it does not listen again")
	}
	f.tick(t)
	expect(t, f.model, "08:02:20 every")
}

func TestAPausedScreenListensOn(t *testing.T) {
	f := faced(t)
	f.await = func() tea.Msg { return stirred{} }
	f.Update(tea.KeyPressMsg{Code: tea.KeySpace, Text: " "})
	_, cmd := f.Update(stirred{})
	if cmd == nil {
		t.Fatal("it listens no more")
	}
	if _, ok := cmd().(stirred); !ok {
		t.Error("it polls while it is paused")
	}
}

func TestResizeAndPasteReachTheModel(t *testing.T) {
	f := faced(t)
	f.Update(tea.WindowSizeMsg{Width: 40, Height: 12})
	if n := strings.Count(f.View().Content, "\n"); n != 11 {
		t.Errorf("%d lines", n+1)
	}
	f.Update(tea.KeyPressMsg{Code: '/', Text: "/"})
	f.Update(tea.PasteMsg{Content: "redis"})
	expect(t, f.model, "/redis_", "input/redis")
}

func TestEffectsBecomeWhatTheTerminalDoes(t *testing.T) {
	f := faced(t)
	for effect, want := range map[Effect]tea.Msg{Quit: tea.QuitMsg{}, Suspend: tea.SuspendMsg{}} {
		if got := f.effect(effect)(); got != want {
			t.Errorf("%v: %T", effect, got)
		}
	}
	if f.effect(Redraw) == nil || f.effect(None) != nil || f.react(tea.ResumeMsg{}) == nil {
		t.Error("a redraw is nothing, or nothing is something")
	}
}

// A screen that changes in a few places costs a few bytes, which is what keeps a
// slow line from flickering.
func TestOnlyWhatChangedIsDrawn(t *testing.T) {
	drawn := func(polls int) string {
		in, keyboard := io.Pipe()
		m, n, enough := watching(t, 80, 24), 0, make(chan struct{})
		m.every = 20 * time.Millisecond
		out, done := showing(t, t.Context(), m, in, func(context.Context) (Answer, error) {
			if n++; n == polls {
				close(enough)
			}
			return answer(later(), 130*time.Second+time.Duration(n)*time.Second), nil
		})
		<-enough
		if _, err := keyboard.Write([]byte("q")); err != nil {
			t.Fatal(err)
		}
		if err := ended(t, done); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	const n = 30
	few, many := drawn(1), drawn(n)
	if !strings.Contains(few, "input/system") || !strings.Contains(few, "应用日志") {
		t.Fatalf("the first screen is not whole: %q", few)
	}
	if more := len(many) - len(few); more > n*len(few)/3 {
		t.Errorf("%d bytes for %d changes of the ages; the first screen took %d", more, n, len(few))
	}
	if i := strings.LastIndex(many, "\x1b[2J"); i > len(few) {
		t.Error("the screen was erased in between")
	}
}

func TestRunNeedsATerminal(t *testing.T) {
	if err := Run(t.Context(), Options{Stdout: io.Discard, Poll: idle}); err == nil || !strings.Contains(err.Error(), "--once") {
		t.Errorf("error %v", err)
	}
}
