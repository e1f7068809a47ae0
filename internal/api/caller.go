package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/netip"
	"strconv"
	"strings"

	"datakit.dev/internal/access"
	"datakit.dev/internal/audit"
	"datakit.dev/internal/config"
)

// The names that the console uses.
const (
	sessionCookie = "datakit_console"
	// csrfHeader has to be on every write of the console: a form of another site
	// cannot send it, whatever its browser says of where it comes from.
	csrfHeader = "X-Datakit-Console"
)

// A caller is who sent a request, as far as it is known.
type caller struct {
	who     string // for the audit log
	local   bool   // sent on this machine
	session string // what the browser holds, of who is logged in
	token   bool   // showed the token itself
	err     error  // showed a token that is none
}

// known reports whether the caller has shown more than where it is.
func (c caller) known() bool { return c.session != "" || c.token }

type (
	callerKey struct{}
	lineKey   struct{}
)

func withCaller(ctx context.Context, c caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

func callerIn(ctx context.Context) caller {
	c, _ := ctx.Value(callerKey{}).(caller)
	return c
}

// admitted reports whether c may use the console.
func (s *Server) admitted(c caller) bool {
	return c.known() || c.local && (s.opts.Gate == nil || !s.opts.Gate.Locked())
}

// callerOf finds out who sent the request.
func (s *Server) callerOf(req *http.Request) caller {
	c := caller{who: "remote", local: isLocal(req)}
	if c.local {
		c.who = "local"
	}
	if s.opts.Gate == nil {
		return c
	}
	if bearer, ok := strings.CutPrefix(req.Header.Get("Authorization"), "Bearer "); ok {
		if c.err = s.opts.Gate.CheckToken(addressOf(req), strings.TrimSpace(bearer)); c.err == nil {
			c.who, c.token = "token", true
		}
		return c
	}
	if cookie, err := req.Cookie(sessionCookie); err == nil && s.opts.Gate.CheckSession(cookie.Value) {
		c.who, c.session = sessionName(cookie.Value), cookie.Value
	}
	return c
}

// sessionName names a session without telling it.
func sessionName(secret string) string {
	sum := sha256.Sum256([]byte("name of " + secret))
	return "session " + hex.EncodeToString(sum[:4])
}

// addressOf returns the address of the client; of a unix socket, none.
func addressOf(req *http.Request) netip.Addr {
	a, err := netip.ParseAddrPort(req.RemoteAddr)
	if err != nil {
		if isLocal(req) {
			return netip.AddrFrom4([4]byte{127, 0, 0, 1})
		}
		return netip.Addr{}
	}
	return a.Addr().Unmap()
}

// call answers for one route, for who may call it.
func (s *Server) call(r Route, w http.ResponseWriter, req *http.Request) {
	if r.Access == Anyone && !strings.HasPrefix(r.Path, "/v1/console") {
		r.handler(w, req) // whoever it is: a token for something else is none of our business
		return
	}
	c := s.callerOf(req)
	if code, name, message := s.refusal(r, req, c); code != 0 {
		if many, ok := errors.AsType[access.TooMany](c.err); ok {
			w.Header().Set("Retry-After", strconv.Itoa(int(many.Wait.Seconds())+1))
		}
		fail(w, code, name, "%s", message)
		return
	}
	ctx := withCaller(req.Context(), c)
	if r.Audited {
		line := &audit.Entry{
			Who: c.who, From: req.RemoteAddr, Action: r.Method + " " + r.Path, Store: req.PathValue("store"), Key: req.PathValue("key"),
		}
		rec := &recorder{ResponseWriter: w, code: http.StatusOK}
		w, ctx = rec, context.WithValue(ctx, lineKey{}, line)
		defer func() { s.record(line, c, rec.code) }()
	}
	r.handler(w, req.WithContext(ctx))
}

// refusal says why c may not call r; the code 0 where it may.
func (s *Server) refusal(r Route, req *http.Request, c caller) (code int, name, message string) {
	if r.Access == Anyone {
		return 0, "", ""
	}
	if _, ok := errors.AsType[access.TooMany](c.err); ok {
		return http.StatusTooManyRequests, "tooMany", c.err.Error()
	}
	switch {
	case c.err != nil:
		return http.StatusUnauthorized, "login", "this is not the console's token"
	case r.Access == Local && !c.local && !c.known():
		return http.StatusForbidden, "localOnly", r.Path + " is only taken from the machine that the agent runs on"
	case r.Access == Console && !s.admitted(c):
		return http.StatusUnauthorized, "login", "log in with the token of `datakit console token`, or ask on the agent's machine while there is none"
	case isWrite(req) && (r.Access == Console || c.session != "") && req.Header.Get(csrfHeader) == "":
		return http.StatusForbidden, "csrf", "a write needs the header " + csrfHeader + ": 1"
	}
	return 0, "", ""
}

// isWrite reports whether the request's method may change something.
func isWrite(req *http.Request) bool {
	return req.Method != http.MethodGet && req.Method != http.MethodHead
}

// lineIn returns the line of the audit log that the call will be, for its handler
// to say more.
func lineIn(ctx context.Context) *audit.Entry {
	if line, ok := ctx.Value(lineKey{}).(*audit.Entry); ok {
		return line
	}
	return &audit.Entry{}
}

// record writes a call into the audit log. What strangers may send without end is
// left out, or they would push the others out of it: of them only the logins and
// the wrong tokens count, which are bounded.
func (s *Server) record(line *audit.Entry, c caller, code int) {
	stranger := !c.local && !c.known() && code != http.StatusOK && code != http.StatusUnauthorized
	if s.opts.Audit == nil || stranger || code == http.StatusTooManyRequests {
		return
	}
	line.Outcome, line.Code = audit.Done, code
	if code >= http.StatusBadRequest {
		line.Outcome = audit.Refused
	}
	if err := s.opts.Audit.Record(*line); err != nil {
		s.opts.Log.Error("the audit log could not be written", "error", err)
	}
}

// settings returns [console] as it is now.
func (s *Server) settings() config.Console {
	if s.opts.Settings == nil {
		return config.Console{Enable: true}
	}
	return s.opts.Settings()
}
