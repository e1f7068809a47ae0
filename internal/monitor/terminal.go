package monitor

import (
	"context"
	"errors"
	"fmt"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	tea "charm.land/bubbletea/v2"
)

// answered is what a poll came to.
type answered struct {
	answer Answer
	err    error
	at     time.Time
}

// due says that it is time to poll.
type due struct{}

// stirred says that something has happened at the agent, or that nobody tells.
type stirred struct{ err error }

// listen says that it is time to listen to the agent again.
type listen struct{}

// listenAgain is how long after an agent did not tell of events it is asked again.
const listenAgain = 10 * time.Second

// face puts a Model on the terminal. What it must not do is leave the terminal
// in disorder, whatever the model does: a panic becomes an error, and the
// program ends as it does otherwise.
type face struct {
	model *Model
	poll  func() tea.Msg
	await func() tea.Msg // nil where nothing is told
	color bool
	ticks bool // a tick is to come
	polls bool // a poll is under way
	again bool // it is to be followed by another at once
	drawn string
	heard time.Time // here, when the agent answered last
	err   error
}

// show draws m until the user quits or ctx ends. The terminal is as it was
// before when it returns.
func show(ctx context.Context, o Options, m *Model) error {
	// A terminal that is closed, or a session that ends: by default that kills the
	// program in the middle of a drawing.
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGHUP)
	defer stop()
	f := &face{model: m, color: o.Color, ticks: true, heard: time.Now()}
	f.poll = func() tea.Msg {
		a, err := o.Poll(ctx)
		return answered{a, err, time.Now()}
	}
	if o.Await != nil {
		f.await = func() tea.Msg { return stirred{o.Await(ctx)} }
	}
	program := tea.NewProgram(f, tea.WithContext(ctx), tea.WithInput(o.Stdin), tea.WithOutput(o.Stdout),
		tea.WithEnvironment(o.Env), tea.WithoutSignalHandler(), tea.WithWindowSize(o.width, o.height))
	_, err := program.Run()
	switch {
	case f.err != nil:
		return f.err
	case ctx.Err() != nil:
		return nil // the end was asked for
	case err != nil && !errors.Is(err, tea.ErrInterrupted):
		return fmt.Errorf("draw on the terminal: %w: use --once", err)
	}
	return nil
}

// Init implements [tea.Model].
func (f *face) Init() tea.Cmd { return tea.Batch(f.wait(), f.hear()) }

func (f *face) wait() tea.Cmd {
	return tea.Tick(f.model.every, func(time.Time) tea.Msg { return due{} })
}

// hear waits for the next event.
func (f *face) hear() tea.Cmd {
	if f.await == nil {
		return nil
	}
	return f.await
}

// Update implements [tea.Model]. It draws, too, so that View cannot fail.
func (f *face) Update(msg tea.Msg) (next tea.Model, cmd tea.Cmd) {
	defer func() {
		if p := recover(); p != nil {
			stack := strings.ReplaceAll(string(debug.Stack()), "\n", " | ")
			f.err = fmt.Errorf("the monitor failed, which is a bug: %v: %s", p, stack)
			next, cmd = f, tea.Quit
		}
	}()
	cmd = f.react(msg)
	f.drawn = f.model.Draw(f.color)
	return f, cmd
}

func (f *face) react(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		f.model.Resize(msg.Width, msg.Height)
	case tea.PasteMsg:
		f.model.Paste(msg.Content)
	case tea.KeyPressMsg:
		return f.effect(f.model.Press(msg.String()))
	case tea.ResumeMsg:
		return tea.ClearScreen
	case due:
		return f.pass()
	case stirred:
		return f.stir(msg)
	case listen:
		return f.hear()
	case answered:
		return f.take(msg)
	}
	return nil
}

// pass begins the poll of the interval. One that is under way for another reason
// goes on to the next tick.
func (f *face) pass() tea.Cmd {
	f.ticks = false
	if f.model.paused {
		return nil
	}
	return f.ask()
}

// ask begins a poll where none is under way.
func (f *face) ask() tea.Cmd {
	if f.polls {
		return nil
	}
	f.polls = true
	return f.poll
}

// stir begins a poll beside those of the interval, for something has happened.
func (f *face) stir(s stirred) tea.Cmd {
	switch {
	case s.err != nil:
		return tea.Tick(listenAgain, func(time.Time) tea.Msg { return listen{} })
	case f.model.paused:
		return f.hear()
	case f.polls:
		f.again = true
		return f.hear()
	}
	return tea.Batch(f.ask(), f.hear())
}

func (f *face) effect(e Effect) tea.Cmd {
	switch e {
	case Quit:
		return tea.Quit
	case Suspend:
		return tea.Suspend
	case Redraw:
		return tea.ClearScreen
	case Resume:
		if !f.ticks { // else it comes soon enough
			return f.ask()
		}
	case None:
	}
	return nil
}

// take gives an answer to the model, but not while it is paused: the screen
// stands still then.
func (f *face) take(a answered) tea.Cmd {
	switch {
	case f.model.paused:
	case a.err != nil:
		f.model.Lose(a.err, f.model.answer.At.Add(a.at.Sub(f.heard)))
	default:
		f.heard = a.at
		f.model.Take(a.answer)
	}
	f.polls = false
	again := f.again && !f.model.paused
	if f.again = false; again {
		return f.ask()
	}
	if f.ticks {
		return nil
	}
	f.ticks = true
	return f.wait()
}

// View implements [tea.Model].
func (f *face) View() tea.View {
	v := tea.NewView(f.drawn)
	v.AltScreen = true
	return v
}
