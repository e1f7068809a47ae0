package api

import (
	"net/http"

	"datakit.dev/internal/point"
)

// maxNames bounds the names of one category in an answer.
const maxNames = 1000

// recentNames is which points are kept.
type recentNames struct {
	Enabled bool                        `json:"enabled"`
	Names   map[point.Category][]string `json:"names"` // measurements or sources, sorted; no category without points
	Cut     bool                        `json:"cut"`   // there are more of them
}

func (s *Server) recentRoute() Route {
	return Route{
		Method: http.MethodGet, Path: "/v1/recent", Access: Console, handler: s.console(s.recentNames),
		Summary: "The measurements and sources whose last points are kept, by category.", SummaryZH: "保留了最近数据点的指标集和来源，按类别列出。",
		Answer: Body{Of: contentOf[recentNames]{}}, Errors: []Error{switchedOff()},
	}
}

func (s *Server) recentNames(w http.ResponseWriter, _ *http.Request) {
	answer := recentNames{Names: map[point.Category][]string{}}
	if src := s.opts.Recent; src != nil {
		store, bounded := src.(interface{ Enabled() bool })
		answer.Enabled = !bounded || store.Enabled()
		for _, c := range point.Categories() {
			if names := src.Names(c); len(names) > 0 {
				answer.Names[c] = names[:min(len(names), maxNames)]
				answer.Cut = answer.Cut || len(names) > maxNames
			}
		}
	}
	give(w, answer)
}
