package redis

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
	. "datakit.dev/internal/store/storetest"
)

// A script answers as no real server can be made to. What it does not know it
// answers as an empty Redis does.
type script map[string]func(cmd []string) string

func bulks(texts ...string) string {
	return string(appendCommand(nil, texts)) // which is a list of texts, too
}

// start returns the address of a server that follows the script.
func (s script) start(t *testing.T) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go s.serve(c)
		}
	}()
	return l.Addr().String()
}

func (s script) serve(c net.Conn) {
	defer func() { _ = c.Close() }()
	in := reader{r: bufio.NewReader(c)}
	var queued []string
	multi := false
	for {
		r, err := in.next()
		if err != nil || len(r.items) == 0 {
			return
		}
		var cmd []string
		for _, item := range r.items {
			cmd = append(cmd, item.text)
		}
		out := s.answer(cmd)
		switch {
		case cmd[0] == "MULTI":
			queued, multi = nil, true
		case cmd[0] == "EXEC":
			out = fmt.Sprintf("*%d\r\n%s", len(queued), strings.Join(queued, ""))
			multi = false
		case multi:
			queued = append(queued, out)
			out = "+QUEUED\r\n"
		}
		if _, err := c.Write([]byte(out)); err != nil {
			return
		}
	}
}

func (s script) answer(cmd []string) string {
	if f := s[cmd[0]]; f != nil {
		return f(cmd)
	}
	switch cmd[0] {
	case "HELLO":
		return bulks("mode", standalone, "role", "master")
	case "ROLE":
		return bulks("master")
	case "SCAN":
		return "*2\r\n$1\r\n0\r\n*0\r\n"
	case "TYPE":
		return "+none\r\n"
	case "GET":
		return "$-1\r\n"
	case "EXISTS":
		return fmt.Sprintf(":%d\r\n", len(cmd)-1)
	case "CONFIG":
		return bulks(cmd[2], "AK")
	case "PING":
		return bulks("pong", cmd[1])
	case "PSUBSCRIBE", "SUBSCRIBE":
		return bulks(strings.ToLower(cmd[0]), cmd[1], "1")
	}
	return "+OK\r\n"
}

func openScript(t *testing.T, s script, log *slog.Logger, v spec.Values) store.Store {
	t.Helper()
	v["nodes"] = []string{s.start(t)}
	st, err := open(store.Options{Root: "/datakit", Values: v, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	Hasten(st)
	t.Cleanup(func() { _ = st.Close() })
	return st
}

func kindOf(name string) string { // all strings, the root apart
	if name == "/datakit" {
		return "+none\r\n"
	}
	return "+string\r\n"
}

// SCAN may return a key twice, in one answer and over several.
func TestScanReturnsKeysTwice(t *testing.T) {
	t.Parallel()
	s := script{
		"SCAN": func(cmd []string) string {
			next, keys := "7", bulks("/datakit/confd/a", "/datakit/confd/a", "/datakit/confd/b")
			if cmd[1] == "7" {
				next, keys = "0", bulks("/datakit/confd/b", "/datakit/confd/c", "/datakit/confd/a")
			}
			return fmt.Sprintf("*2\r\n$1\r\n%s\r\n%s", next, keys)
		},
		"TYPE": func(cmd []string) string { return kindOf(cmd[1]) },
		"GET":  func([]string) string { return "$1\r\n1\r\n" },
	}
	ReadUntil(t, openScript(t, s, nil, spec.Values{}), "confd/a=1 confd/b=1 confd/c=1")
}

// One key that cannot be read fails the whole read: left out, it would look
// deleted.
func TestOneGetThatFailsFailsTheRead(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer string
		want   error
	}{
		"an error":       {"-ERR the disk is on fire\r\n", store.ErrUnavailable},
		"still loading":  {"-LOADING Redis is loading the dataset in memory\r\n", store.ErrUnavailable},
		"no right to it": {"-NOPERM no\r\n", store.ErrDenied},
		"no answer":      {"!", store.ErrUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := script{
				"SCAN": func([]string) string { return "*2\r\n$1\r\n0\r\n" + bulks("/datakit/confd/a", "/datakit/confd/b") },
				"TYPE": func(cmd []string) string { return kindOf(cmd[1]) },
				"GET": func(cmd []string) string {
					if cmd[1] == "/datakit/confd/b" {
						return c.answer
					}
					return "$1\r\n1\r\n"
				},
			}
			if snap, err := openScript(t, s, nil, spec.Values{}).Read(Deadline(t, Patience)); !errors.Is(err, c.want) {
				t.Errorf("%v, %v", snap, err)
			}
		})
	}
}

// A server that repeats what it was sent tells nobody the password by that.
func TestServerThatRepeatsThePassword(t *testing.T) {
	t.Parallel()
	const secret = "s3cr3t"
	var logged Log
	s := script{"AUTH": func(cmd []string) string { return "-WRONGPASS not " + strings.Join(cmd, " ") + "\r\n" }}
	st := openScript(t, s, slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug})), spec.Values{"password": secret})
	_, err := st.Read(Deadline(t, Patience))
	if !errors.Is(err, store.ErrDenied) || strings.Contains(err.Error()+logged.String(), secret) {
		t.Errorf("%v; the log: %s", err, logged.String())
	}
}

// Whatever a server answers, reading ends with an error in good time.
func TestAnswersThatMakeNoSense(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]script{
		"a scan without parts":       {"SCAN": func([]string) string { return "*0\r\n" }},
		"a scan of too long answers": {"SCAN": func([]string) string { return "*2\r\n$1\r\n5\r\n*900000\r\n" }},
		"a subscription refused":     {"PSUBSCRIBE": func([]string) string { return "-ERR no\r\n" }},
		"kinds without end":          {"TYPE": func(c []string) string { return "+" + c[1] + fmt.Sprint(time.Now().UnixNano()) + "\r\n" }},
		"fewer answers than asked":   {"MULTI": func([]string) string { return "+OK\r\n+OK\r\n+OK\r\n*0\r\n" }},
		"a sentinel of nobody":       {"HELLO": func([]string) string { return bulks("mode", sentinel) }, "SENTINEL": func([]string) string { return "*1\r\n*0\r\n" }},
		"a cluster of nobody":        {"HELLO": func([]string) string { return bulks("mode", cluster) }, "CLUSTER": func([]string) string { return "$0\r\n\r\n" }},
		"a cluster of itself, slotless": {"HELLO": func([]string) string { return bulks("mode", cluster) }, "CLUSTER": func([]string) string {
			return "$44\r\nid 127.0.0.1:1@2 master - 0 0 1 connected 0-1\r\n"
		}},
		"a number of items that is none": {"HELLO": func([]string) string { return "*x\r\n" }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			snap, err := openScript(t, s, nil, spec.Values{}).Read(Deadline(t, Patience))
			if !errors.Is(err, store.ErrUnavailable) || strings.Contains(err.Error(), "panicked") {
				t.Errorf("%v, %v", snap, err)
			}
		})
	}
}

// An endless SCAN of new keys ends at the bounds.
func TestScanWithoutEnd(t *testing.T) {
	t.Parallel()
	n := 0
	s := script{"SCAN": func([]string) string {
		keys := make([]string, 5000)
		for i := range keys {
			n++
			keys[i] = fmt.Sprintf("/datakit/k%d", n)
		}
		return "*2\r\n$1\r\n5\r\n" + bulks(keys...)
	}}
	_, err := openScript(t, s, nil, spec.Values{}).Read(Deadline(t, Patience))
	if err == nil || errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "too much") {
		t.Errorf("Read: %v", err)
	}
}

// Redis before 6 knows neither HELLO nor users.
func TestOldServer(t *testing.T) {
	t.Parallel()
	for name, info := range map[string]string{"that tells its kind": "$38\r\nredis_mode:standalone\r\nrole:master\r\n\r\n\r\n", "that may not be asked": "-ERR unknown command 'INFO'\r\n"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := script{
				"HELLO": func([]string) string { return "-ERR unknown command `HELLO`\r\n" },
				"INFO":  func([]string) string { return info },
				"AUTH": func(cmd []string) string {
					if len(cmd) != 2 || cmd[1] != "right" {
						return "-ERR invalid password\r\n"
					}
					return "+OK\r\n"
				},
			}
			ReadUntil(t, openScript(t, s, nil, spec.Values{"password": "right"}), "")
			if _, err := openScript(t, s, nil, spec.Values{"password": "wrong"}).Read(Deadline(t, Patience)); !errors.Is(err, store.ErrDenied) {
				t.Errorf("Read: %v", err)
			}
		})
	}
}
