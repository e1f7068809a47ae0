package api

import (
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"slices"
	"strings"
)

// guard refuses what a web page could make a browser on this machine send: a
// request for a name that was rebound to the loopback address, and one that
// changes something and comes from another origin.
//
// names are what the machine is called besides localhost: a hosts file may give
// them the loopback address.
func guard(next http.Handler, names ...string) http.Handler {
	origin := http.NewCrossOriginProtection()
	origin.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fail(w, http.StatusForbidden, "crossOrigin", "a page of another origin may not do this")
	}))
	next = origin.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		if overLoopback(req) && !isLoopbackName(req.Host) && !isOneOf(req.Host, names) {
			fail(w, http.StatusForbidden, "host", "over the loopback address the Host must be localhost or that address, not %q", clip(req.Host))
			return
		}
		next.ServeHTTP(w, req)
	})
}

// localAddr returns the address that the request came in at.
func localAddr(req *http.Request) net.Addr {
	a, _ := req.Context().Value(http.LocalAddrContextKey).(net.Addr)
	return a
}

func overLoopback(req *http.Request) bool {
	a := localAddr(req)
	return a != nil && isLoopback(a.String())
}

// isLocal reports whether the request was sent on this machine.
func isLocal(req *http.Request) bool {
	if a := localAddr(req); a != nil && a.Network() == "unix" {
		return true
	}
	return isLoopback(req.RemoteAddr) && !isForwarded(req.Header)
}

// isForwarded reports whether a proxy on this machine sent the request on: then
// anybody may be behind it.
func isForwarded(h http.Header) bool {
	return h.Get("Forwarded") != "" || h.Get("X-Forwarded-For") != "" || h.Get("X-Real-Ip") != ""
}

func isLoopback(hostport string) bool {
	a, err := netip.ParseAddrPort(hostport)
	return err == nil && a.Addr().Unmap().IsLoopback()
}

// isLoopbackName reports whether host, with or without a port, can only be this
// machine: a name that a resolver answers for could be anybody's.
func isLoopbackName(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if strings.EqualFold(strings.TrimSuffix(host, "."), "localhost") {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.Unmap().IsLoopback()
}

// isOneOf reports whether host, with or without a port, is one of names.
func isOneOf(host string, names []string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return host != "" && slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, host) })
}

// secure sets what a browser is to keep to on the pages of the console: no script
// or style but our own files, no frame, nothing kept, no address told to others.
func secure(h http.Header) {
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "+
		"connect-src 'self'; manifest-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
	h.Set("Cache-Control", "no-store")
}

// contain turns a panic into an answer: one request must not end the agent, and
// its cause must not reach the client.
func (s *Server) contain(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		defer func() {
			switch p := recover(); p {
			case nil:
			case http.ErrAbortHandler:
				panic(p)
			default:
				s.opts.Log.Error("panic", "route", clip(req.URL.Path), "panic", p, "stack", strings.ReplaceAll(string(debug.Stack()), "\n", " | "))
				fail(w, http.StatusInternalServerError, "internal", "the agent failed at this; its log says more")
			}
		}()
		next.ServeHTTP(w, req)
	})
}
