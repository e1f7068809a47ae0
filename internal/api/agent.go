package api

import (
	"net/http"
	"time"

	"datakit.dev/internal/spec"
)

func (s *Server) ping(w http.ResponseWriter, _ *http.Request) {
	info := s.opts.Agent.Info()
	give(w, pong{info.Version, info.Host, time.Since(info.Started).Round(time.Second).String()})
}

func (s *Server) status(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, s.opts.Agent.Status())
}

func (s *Server) reload(w http.ResponseWriter, req *http.Request) {
	if err := s.opts.Agent.Reload(req.Context()); err != nil {
		fail(w, http.StatusUnprocessableEntity, "reload", "%s", spec.RedactURL(err.Error()))
		return
	}
	give(w, reloaded{s.opts.Agent.Status().Generation})
}

func (s *Server) accept(w http.ResponseWriter, _ *http.Request) {
	give(w, accepted{s.opts.Agent.Accept()})
}
