package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"datakit.dev/internal/status"
)

// A pane is a real terminal of tmux with a command in it, and behind it what
// tells in which state the command left the terminal.
type pane struct {
	t      testing.TB
	socket string
	pid    string // the file with the command's process ID
}

// openPane runs the binary with args in a terminal of 80x24.
func openPane(t testing.TB, env string, args ...string) *pane {
	t.Helper()
	if _, err := exec.LookPath("tmux"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("tmux is missing: apt-get install tmux")
		}
		t.Skip("tmux is missing, get it with: apt-get install tmux")
	}
	dir, err := os.MkdirTemp("", "pane") //nolint:usetesting // a socket's path has to be short
	if err != nil {
		t.Fatal(err)
	}
	p := &pane{t: t, socket: filepath.Join(dir, "s"), pid: filepath.Join(dir, "pid")}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the terminal:\n%s", p.screen())
		}
		_ = exec.Command("tmux", "-S", p.socket, "kill-server").Run()
		_ = os.RemoveAll(dir)
	})
	command := fmt.Sprintf("sh -c 'echo $$ > %s; exec env %s %s %s'; echo \"exit $?\"; stty -a; exec cat", p.pid, env, binary, strings.Join(args, " "))
	p.tmux("-f", "/dev/null", "new-session", "-d", "-x", "80", "-y", "24", command)
	return p
}

// tmux runs a command of tmux and returns what it prints.
func (p *pane) tmux(args ...string) string {
	p.t.Helper()
	out, err := exec.Command("tmux", append([]string{"-u", "-S", p.socket}, args...)...).CombinedOutput()
	if err != nil {
		p.t.Fatalf("tmux %q: %v: %s", args, err, out)
	}
	return string(out)
}

func (p *pane) screen() string {
	out, _ := exec.Command("tmux", "-u", "-S", p.socket, "capture-pane", "-p").Output()
	return string(out)
}

// press sends keys by the names that tmux has for them, one at a time.
func (p *pane) press(keys ...string) {
	p.t.Helper()
	for _, k := range keys {
		p.tmux("send-keys", k)
	}
}

// until waits for a screen that has every part; a part behind "!" is one that it
// has not.
func (p *pane) until(parts ...string) string {
	p.t.Helper()
	for deadline := time.Now().Add(patience); ; pause() {
		text := p.screen()
		ok := true
		for _, part := range parts {
			want, absent := strings.CutPrefix(part, "!")
			ok = ok && strings.Contains(text, want) != absent
		}
		if ok {
			return text
		}
		if time.Now().After(deadline) {
			p.t.Fatalf("waited in vain for %q on the screen", parts)
		}
	}
}

// kill sends sig to the command.
func (p *pane) kill(sig syscall.Signal) {
	p.t.Helper()
	text, err := os.ReadFile(p.pid)
	if err != nil {
		p.t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		p.t.Fatal(err)
	}
	running, err := os.FindProcess(pid)
	if err != nil {
		p.t.Fatal(err)
	}
	if err := running.Signal(sig); err != nil {
		p.t.Fatal(err)
	}
}

// sane waits for the end of the command with the exit code, and checks that the
// terminal is as a shell needs it.
func (p *pane) sane(code int) {
	p.t.Helper()
	text := p.until(fmt.Sprintf("exit %d\n", code), "speed ", "iexten")
	for _, off := range []string{"-icanon", "-echo ", "-isig", "-icrnl", "-opost"} {
		if strings.Contains(text, off) {
			p.t.Errorf("the terminal is left with %s", off)
		}
	}
	if got := p.tmux("display-message", "-p", "alternate #{alternate_on} cursor #{cursor_flag} mouse #{mouse_any_flag} keypad #{keypad_flag}"); got != "alternate 0 cursor 1 mouse 0 keypad 0\n" {
		p.t.Errorf("the terminal is left with %s", got)
	}
}

// monitored is an agent that runs mem from a store of files and cpu by itself.
func monitored(t *testing.T) *agent {
	t.Helper()
	a := newAgent(t, "")
	a.write("store/confd/内存", "[[inputs.mem]]\n  interval = \"1s\"\n")
	a.configure("default_enabled_inputs = [\"cpu\"]\n[confd]\n  debounce = \"0s\"\n[[confds]]\n  backend = \"file\"\n  file = [\"" + a.dir + "/store\"]\n")
	a.start()
	a.until("mem and cpu run", func(s status.Status) bool { return s.Converged && running("mem")(s) && running("cpu")(s) })
	return a
}

func TestMonitorInATerminal(t *testing.T) {
	a := monitored(t)
	p := openPane(t, "", "monitor", "--dir", a.dir, "--interval", "200ms")
	p.until("UNITS 2 ", "> input/cpu", "confd/内存", "converged", "every 200ms", "STORES 1 ", "OUTPUTS 1 ")
	p.press("s", "s", "s")
	p.until("PTS/Sv")
	p.press("/", "m", "e", "m")
	p.until("/mem_", "UNITS 1/2")
	p.press("Enter", "Enter")
	p.until("unit input/mem", "origin       file:/datakit/confd/内存", "updates      0 in place")
	a.write("store/confd/内存", "[[inputs.mem]]\n  interval = \"2s\"\n")
	p.until("updates      1 in place", "changed, applied: update input/mem in ")
	p.press("Escape")
	p.until("UNITS 1/2", "filter: mem")
	p.press("Escape")
	p.until("UNITS 2 ")
	p.tmux("resize-window", "-x", "40", "-y", "12")
	p.until("> input/", "q quit  ? help  tab section  enter open…")
	p.tmux("resize-window", "-x", "100", "-y", "30")
	p.until("space pause", "CHANGES ")
	a.signal(syscall.SIGKILL)
	p.until("NO ANSWER", "no agent answers on")
	a.start()
	p.until("!NO ANSWER", "started again", "UNITS 2 ")
	p.press("q")
	p.sane(0)
}

// A change is on the screen as soon as it is made, long before the next look; opened
// it shows what it restarted, and the difference.
func TestMonitorShowsAChangeAtOnce(t *testing.T) {
	a := monitored(t)
	p := openPane(t, "", "monitor", "--dir", a.dir, "--interval", "1m")
	p.until("UNITS 2 ", "put, applied: start")
	a.write("store/confd/内存", "[[inputs.mem]]\n  interval = \"3s\"\n")
	p.until("changed, applied: upda")
	p.press("6", "/")
	p.press("c", "h", "a", "n", "g", "e", "d", "Enter", "Enter")
	p.until("store       file", "key         /datakit/confd/内存", "input/mem in ", "-  interval = \"1s\"", "+  interval = \"3s\"")
	p.press("q")
	p.press("q")
	p.sane(0)
}

// Where the console has a token, the agent's list is for who shows it.
func TestMonitorWithoutTheAgentsListSaysWhy(t *testing.T) {
	a := monitored(t)
	code, token, errs := datakit(t, "", "console", "token", "--dir", a.dir)
	if code != 0 {
		t.Fatal(errs)
	}
	code, out, errs := datakit(t, "", "monitor", "--once", "--interval", "1s", "--dir", a.dir)
	if code != 0 || !strings.Contains(out, "its own list of changes is not shown") || !strings.Contains(out, "log in with the token") || !strings.Contains(out, "UNITS 2 ") {
		t.Errorf("code %d: %s%s", code, out, errs)
	}
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(token), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, errs = datakit(t, "", "monitor", "--once", "--interval", "1s", "--dir", a.dir, "--console-token-file", file)
	if code != 0 || strings.Contains(out, "is not shown") || !strings.Contains(out, "UNITS 2 ") {
		t.Errorf("with the token: code %d: %s%s", code, out, errs)
	}
}

func TestSignalsLeaveTheTerminalAsItWas(t *testing.T) {
	a := monitored(t)
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGHUP, syscall.SIGINT} {
		t.Run(sig.String(), func(t *testing.T) {
			p := openPane(t, "", "monitor", "--dir", a.dir)
			p.until("UNITS 2 ", "q quit")
			p.kill(sig)
			p.sane(0)
		})
	}
}

func TestMonitorHasColorsOnlyWhereTheyAreWanted(t *testing.T) {
	a := monitored(t)
	for env, want := range map[string]bool{"NO_COLOR=": true, "NO_COLOR=1": false} {
		p := openPane(t, env, "monitor", "--addr", a.addr)
		p.until("UNITS 2 ", "q quit")
		if got := strings.Contains(p.tmux("capture-pane", "-p", "-e"), "\x1b[32m"); got != want {
			t.Errorf("%s: green is there: %v", env, got)
		}
	}
	p := openPane(t, "TERM=dumb", "monitor", "--addr", a.addr)
	p.until("no terminal that can be drawn on")
	p.sane(2)
}

func TestMonitorSaysThatNobodyAnswers(t *testing.T) {
	p := openPane(t, "", "monitor", "--addr", freeAddress(t))
	p.until("datakit: no agent answers on ", "start it with")
	p.sane(1)
}

func TestMonitorOnceIsPlainText(t *testing.T) {
	a := monitored(t)
	code, out, errs := datakit(t, "", "monitor", "--once", "--interval", "1s", "--dir", a.dir)
	if code != 0 || strings.ContainsRune(out, '\x1b') {
		t.Errorf("code %d: %q %q", code, out, errs)
	}
	for _, part := range []string{"converged: what runs", "STORES 1 ", "UNITS 2 ", "input/mem", "file:/datakit/confd/内存", "OUTPUTS 1 ", "CHANGES ", "put, applied: start input/mem"} {
		if !strings.Contains(out, part) {
			t.Errorf("it lacks %q:\n%s", part, out)
		}
	}
	if code, _, errs := datakit(t, "", "monitor", "--dir", a.dir); code != 2 || !strings.Contains(errs, "--once") {
		t.Errorf("in a pipe: code %d: %s", code, errs)
	}
}
