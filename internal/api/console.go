package api

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"

	"datakit.dev/internal/access"
)

// maxLogin bounds the body of a login.
const maxLogin = 4 << 10

// loginRequest is the body of a login.
type loginRequest struct {
	Token string `json:"token"`
}

// visit is what the console needs to know of who looks at it.
type visit struct {
	Admitted bool `json:"admitted"` // may see what the agent does
	LoggedIn bool `json:"logged_in"`
	Locked   bool `json:"locked"` // there is a token
	Write    bool `json:"write"`  // keys may be changed
}

func (s *Server) consoleRoutes() []Route {
	routes := []Route{
		{
			Method: http.MethodGet, Path: "/v1/console", Access: Anyone, handler: s.console(s.visit),
			Summary: "Whether the caller is let in to the console, and what it may do.", SummaryZH: "调用者能否进入控制台，以及能做什么。",
			Answer: Body{Of: contentOf[visit]{}}, Errors: []Error{switchedOff()},
		},
		{
			Method: http.MethodPost, Path: "/v1/console/login", Access: Anyone, Audited: true, handler: s.console(s.login),
			Summary: "Log in with the token; the answer sets a cookie.", SummaryZH: "用令牌登录，应答会设置 cookie。",
			Params: []Param{csrfParam()},
			Body:   Body{Of: loginRequest{}}, Answer: Body{Of: contentOf[visit]{}},
			Errors: []Error{
				unreadable(),
				{http.StatusUnauthorized, "login", "this is not the token, or there is none", "令牌不对，或还没有令牌"},
				noCSRF(),
				tooLong("4 KiB"),
				tooMany(), switchedOff(),
			},
		},
		{
			Method: http.MethodPost, Path: "/v1/console/logout", Access: Anyone, Audited: true, handler: s.console(s.logout),
			Summary: "Log out.", SummaryZH: "退出登录。", Params: []Param{csrfParam()}, Answer: Body{Of: contentOf[visit]{}},
			Errors: []Error{noCSRF(), switchedOff()},
		},
	}
	return append(routes, s.keyRoutes()...)
}

func csrfParam() Param {
	return Param{
		Name: csrfHeader, In: "header", Required: true, Type: "string", Allowed: []string{"1"},
		Doc: "1: what a page of another site cannot send.", DocZH: "固定为 1：其他站点的页面无法发送该请求头。",
	}
}

// console returns h where there is a console.
func (s *Server) console(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		if !s.settings().Enable {
			fail(w, http.StatusNotFound, "noConsole", "the console is switched off: set enable = true in [console] of datakit.conf")
			return
		}
		h(w, req)
	}
}

func (s *Server) visit(w http.ResponseWriter, req *http.Request) {
	s.welcome(w, callerIn(req.Context()))
}

func (s *Server) welcome(w http.ResponseWriter, c caller) {
	give(w, visit{
		Admitted: s.admitted(c), LoggedIn: c.known(), Locked: s.opts.Gate != nil && s.opts.Gate.Locked(), Write: s.settings().Write,
	})
}

func (s *Server) login(w http.ResponseWriter, req *http.Request) {
	if !hasCSRFHeader(w, req) {
		return
	}
	var r loginRequest
	d := json.NewDecoder(http.MaxBytesReader(w, req.Body, maxLogin))
	d.DisallowUnknownFields()
	err := d.Decode(&r)
	if _, rest := d.Token(); err == nil && !errors.Is(rest, io.EOF) {
		err = errors.New("there is something behind it")
	}
	if err != nil {
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			refuse(w, tooLarge{maxLogin})
			return
		}
		fail(w, http.StatusBadRequest, "badRequest", `expected {"token":"…"}`) // and not what was sent, which may be the token
		return
	}
	if s.opts.Gate == nil {
		fail(w, http.StatusUnauthorized, "login", "%v", access.ErrNoToken)
		return
	}
	session, err := s.opts.Gate.Login(addressOf(req), r.Token)
	if many, ok := errors.AsType[access.TooMany](err); ok {
		w.Header().Set("Retry-After", strconv.Itoa(int(many.Wait.Seconds())+1))
		fail(w, http.StatusTooManyRequests, "tooMany", "%v", err)
		return
	}
	if err != nil {
		fail(w, http.StatusUnauthorized, "login", "%v", err)
		return
	}
	http.SetCookie(w, s.cookie(req, session, int(access.SessionTime.Seconds())))
	s.welcome(w, caller{session: session})
}

func (s *Server) logout(w http.ResponseWriter, req *http.Request) {
	if !hasCSRFHeader(w, req) {
		return
	}
	c := callerIn(req.Context())
	if c.session != "" {
		s.opts.Gate.Logout(c.session)
	}
	http.SetCookie(w, s.cookie(req, "", -1))
	s.welcome(w, caller{local: c.local})
}

// cookie returns what the browser is to hold: sent to us alone, from our own pages
// alone, and readable by none of them.
func (s *Server) cookie(req *http.Request, session string, seconds int) *http.Cookie {
	return &http.Cookie{
		Name: sessionCookie, Value: session, Path: "/", MaxAge: seconds, HttpOnly: true, SameSite: http.SameSiteStrictMode,
		Secure: req.TLS != nil, // over plain HTTP a browser would not send it back
	}
}

func hasCSRFHeader(w http.ResponseWriter, req *http.Request) bool {
	if req.Header.Get(csrfHeader) != "" {
		return true
	}
	fail(w, http.StatusForbidden, "csrf", "a write needs the header %s: 1", csrfHeader)
	return false
}
