package api

import (
	"maps"
	"net/http"
	"slices"
)

// A Route is one path of the interface, as the manual lists it.
type Route struct {
	Path    string   // with {…} for what varies
	Methods []string // sorted; HEAD goes without saying where there is GET
	Local   bool     // taken only from the agent's own machine
}

// Routes returns every path that the server knows, in the order of its table.
func (s *Server) Routes() []Route {
	var out []Route
	for _, r := range s.table() {
		methods := slices.DeleteFunc(slices.Sorted(maps.Keys(r.methods)), func(m string) bool { return m == http.MethodHead })
		out = append(out, Route{Path: r.path, Methods: methods, Local: r.local})
	}
	return out
}
