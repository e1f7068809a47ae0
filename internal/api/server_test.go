package api_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"

	"datakit.dev/internal/api"
	"datakit.dev/internal/faketime"
)

// bound is what a server told of where it listens.
type bound struct {
	addr string
	err  error
}

// start runs a server on addr until the returned function ends it.
func start(t *testing.T, addr string) (s *api.Server, told chan bound, end func()) {
	t.Helper()
	told = make(chan bound, 16)
	s = api.New(api.Options{Log: slog.New(slog.DiscardHandler), Agent: &fake{}, Addr: addr, Bound: func(a string, err error) { told <- bound{a, err} }})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	ended := false
	end = func() {
		if ended {
			return
		}
		ended = true
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	}
	t.Cleanup(end)
	return s, told, end
}

func TestRunListensUntilItEnds(t *testing.T) {
	s, told, end := start(t, "127.0.0.1:0")
	b := <-told
	if b.err != nil || s.Err() != nil || s.Addr() != b.addr {
		t.Fatalf("told %v, Err %v, Addr %q", b, s.Err(), s.Addr())
	}
	get(t, "http://"+b.addr+"/v1/ping").expect(t, 200)
	end()
	ln, err := api.Listen(t.Context(), b.addr)
	if err != nil {
		t.Fatalf("the address is still taken: %v", err)
	}
	_ = ln.Close()
}

func TestRunOnUnixSocket(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the client below needs a unix socket's path")
	}
	path := filepath.Join(t.TempDir(), "a.sock")
	_, told, end := start(t, path)
	if b := <-told; b.err != nil || b.addr != path {
		t.Fatalf("told %v", b)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o660 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", path)
	}}}
	resp, err := client.Post("http://whatever/v1/confd/accept", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("accept over the socket: %s %s", resp.Status, text)
	}
	client.CloseIdleConnections()
	end()
	if _, err := os.Stat(path); err == nil {
		t.Error("the socket was left behind")
	}
}

// A socket that an agent left behind when it was killed is taken over.
func TestListenReplacesOnlyADeadSocket(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.sock")
	ln, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := api.Listen(t.Context(), path); err == nil || !strings.Contains(err.Error(), "another agent answers") {
		t.Errorf("a socket in use: %v", err)
	}
	ln.SetUnlinkOnClose(false)
	_ = ln.Close()
	again, err := api.Listen(t.Context(), path)
	if err != nil {
		t.Fatalf("a dead socket: %v", err)
	}
	_ = again.Close()

	precious := filepath.Join(dir, "precious.sock")
	if err := os.WriteFile(precious, []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := api.Listen(t.Context(), precious); err == nil || !strings.Contains(err.Error(), "is no socket") {
		t.Errorf("a file: %v", err)
	}
	if text, err := os.ReadFile(precious); string(text) != "text" {
		t.Errorf("the file is gone: %q %v", text, err)
	}
	if _, err := api.Listen(t.Context(), filepath.Join(dir, "nosuch", "a.sock")); err == nil || !strings.Contains(err.Error(), "does the folder exist") {
		t.Errorf("no folder: %v", err)
	}
}

// A port that is taken is told, and had as soon as it is free.
func TestTakenPortIsTriedAgain(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s, told, _ := start(t, ln.Addr().String())
	if b := <-told; b.err == nil || !strings.Contains(b.err.Error(), "set another one in datakit.conf") || s.Err() == nil || s.Addr() != "" {
		t.Fatalf("told %v", b)
	}
	_ = ln.Close()
	for b := range told {
		if b.err == nil {
			get(t, "http://"+b.addr+"/v1/ping").expect(t, 200)
			break
		}
	}
	if s.Err() != nil {
		t.Errorf("still %v", s.Err())
	}
}

func TestNoAddressListensNowhere(t *testing.T) {
	faketime.Test(t, func(t *testing.T) {
		s, told, end := start(t, "")
		synctest.Wait()
		if len(told) != 0 || s.Err() != nil || s.Addr() != "" {
			t.Errorf("told %v, %v", <-told, s.Err())
		}
		end()
	})
}
