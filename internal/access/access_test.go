package access_test

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"datakit.dev/internal/access"
	"datakit.dev/internal/faketime"
)

var (
	here  = netip.MustParseAddr("127.0.0.1")
	there = netip.MustParseAddr("192.0.2.7")
)

func newGate(t *testing.T) (*access.Gate, access.File, string) {
	t.Helper()
	f := access.File(filepath.Join(t.TempDir(), "data", "console.token"))
	secret, err := f.Create(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return access.NewGate(f), f, secret
}

func TestTokenIsKeptAsAHashForItsOwnerOnly(t *testing.T) {
	_, f, secret := newGate(t)
	text, err := os.ReadFile(string(f))
	if err != nil || strings.Contains(string(text), secret) {
		t.Errorf("the file holds %s, %v", text, err)
	}
	if info, err := os.Stat(string(f)); err != nil || info.Mode().Perm() != 0o600 && runtime.GOOS != "windows" {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if again, err := f.Create(time.Now()); err != nil || again == secret || len(again) != 43 {
		t.Errorf("a second token %q, %v", again, err)
	}
}

func TestWhoHasTheTokenIsLetIn(t *testing.T) {
	g, f, secret := newGate(t)
	session, err := g.Login(there, secret)
	if err != nil || !g.CheckSession(session) || g.CheckToken(there, secret) != nil || !g.Locked() {
		t.Fatalf("login: %v", err)
	}
	for _, wrong := range []string{"", secret[1:], secret + "x", session, strings.ToUpper(secret)} {
		if _, err := g.Login(here, wrong); !errors.Is(err, access.ErrWrong) {
			t.Errorf("%q: %v", wrong, err)
		}
		if g.CheckSession(wrong) && wrong != session {
			t.Errorf("%q is a session", wrong)
		}
	}
	g.Logout(session)
	if g.CheckSession(session) {
		t.Error("the session is still open after logout")
	}
	session, _ = g.Login(there, secret)
	if gone, err := f.Revoke(); !gone || err != nil {
		t.Fatalf("revoke: %v %v", gone, err)
	}
	if g.CheckSession(session) || g.Locked() || !errors.Is(g.CheckToken(there, secret), access.ErrNoToken) {
		t.Error("a revoked token lets in")
	}
	if gone, err := f.Revoke(); gone || err != nil {
		t.Errorf("a second time: %v %v", gone, err)
	}
}

func TestANewTokenEndsTheSessionsOfTheOld(t *testing.T) {
	g, f, secret := newGate(t)
	session, _ := g.Login(there, secret)
	if _, err := f.Create(time.Now()); err != nil {
		t.Fatal(err)
	}
	if g.CheckSession(session) || g.CheckToken(there, secret) == nil {
		t.Error("the old token is still good")
	}
}

// A file that was damaged keeps everybody out: it was meant to.
func TestABrokenTokenKeepsOut(t *testing.T) {
	for _, text := range []string{"", "{}", "null", `{"sha256":""}`, `{"sha256":"00"}`, "\x00", strings.Repeat("x", 1000)} {
		g, f, secret := newGate(t)
		session, _ := g.Login(there, secret)
		if err := os.WriteFile(string(f), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if !g.Locked() || g.CheckSession(session) || g.CheckToken(here, "") == nil || g.CheckToken(there, secret) == nil {
			t.Errorf("%q lets somebody in", text)
		}
	}
}

func TestSessionsEnd(t *testing.T) {
	faketime.Test(t, func(t *testing.T) {
		g, _, secret := newGate(t)
		idle, _ := g.Login(there, secret)
		busy, _ := g.Login(there, secret)
		for range 11 {
			time.Sleep(time.Hour)
			if !g.CheckSession(busy) {
				t.Fatal("a session that is used ended early")
			}
		}
		if g.CheckSession(idle) {
			t.Error("an idle session is still open")
		}
		time.Sleep(time.Hour)
		if g.CheckSession(busy) {
			t.Error("a session goes on for ever")
		}
	})
}

func TestSessionsAreBounded(t *testing.T) {
	faketime.Test(t, func(t *testing.T) {
		g, _, secret := newGate(t)
		first, _ := g.Login(there, secret)
		var last string
		for range 64 {
			time.Sleep(time.Second)
			last, _ = g.Login(there, secret)
		}
		if g.CheckSession(first) || !g.CheckSession(last) {
			t.Error("the oldest of 65 sessions is open, or the newest is not")
		}
	})
}

// Who guesses is slowed down, who is right is not.
func TestGuessesAreBounded(t *testing.T) {
	faketime.Test(t, func(t *testing.T) {
		g, _, secret := newGate(t)
		for range 100 {
			if err := g.CheckToken(there, secret); err != nil {
				t.Fatalf("the right token is refused: %v", err)
			}
		}
		tried := 0
		for range 1000 {
			if errors.Is(g.CheckToken(there, "x"), access.ErrWrong) {
				tried++
			}
		}
		if tried != 5 {
			t.Errorf("%d guesses in no time, expected 5", tried)
		}
		err := g.CheckToken(there, secret)
		if many, ok := errors.AsType[access.TooMany](err); !ok || many.Wait <= 0 || many.Wait > 10*time.Second {
			t.Errorf("even the right one has to wait then: %v", err)
		}
		if err := g.CheckToken(here, secret); err != nil {
			t.Errorf("somebody else is locked out: %v", err)
		}
		time.Sleep(10 * time.Second)
		if err := g.CheckToken(there, secret); err != nil {
			t.Errorf("after a while: %v", err)
		}
	})
}

// Many addresses together guess no faster than the bound over all, an IPv6 host
// is one source, and this machine is not locked out by them.
func TestGuessesFromEverywhere(t *testing.T) {
	faketime.Test(t, func(t *testing.T) {
		g, _, secret := newGate(t)
		one := 0
		for i := range 100 {
			if errors.Is(g.CheckToken(netip.MustParseAddr("2001:db8::"+strconv.FormatInt(int64(i), 16)), "x"), access.ErrWrong) {
				one++
			}
		}
		tried := 0
		for i := range 5000 {
			addr := netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)})
			if errors.Is(g.CheckToken(addr, "x"), access.ErrWrong) {
				tried++
			}
		}
		if one != 5 || tried != 45 {
			t.Errorf("%d guesses of one /64, %d of 5000 addresses", one, tried)
		}
		if err := g.CheckToken(here, secret); err != nil {
			t.Errorf("this machine is locked out: %v", err)
		}
	})
}
