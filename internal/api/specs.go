package api

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strconv"

	"datakit.dev/internal/config"
	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/point"
)

// A specification is what configuration and scripts are made of: the one
// description that decoding, the samples and the manual come from.
type specification struct {
	Inputs     []config.InputDescription `json:"inputs"`
	Functions  []fn.FuncDescription      `json:"functions"`
	Patterns   []string                  `json:"patterns"` // names of grok patterns
	Categories []point.Category          `json:"categories"`
}

// A taggedBody is an answer that stays as it is while the agent runs.
type taggedBody struct {
	text []byte
	tag  string
}

func (s *Server) specsRoute() Route {
	return Route{
		Method: http.MethodGet, Path: "/v1/specs", Access: Console, handler: s.console(s.specs),
		Summary:   "The tables and fields of every input, the functions of scripts and the grok patterns: for editors. The ETag changes with the answer.",
		SummaryZH: "所有采集器的表和字段、脚本函数以及 grok 模式，供编辑器使用。内容变化时 ETag 随之变化。",
		Params: []Param{{
			Name: "If-None-Match", In: "header", Type: "string",
			Doc: "The ETag of the answer that the caller has: 304 where it is current.", DocZH: "调用者已有内容的 ETag：未变化时应答 304。",
		}},
		Answer: Body{Of: contentOf[specification]{}}, Errors: []Error{switchedOff()},
	}
}

// specify builds the answer of /v1/specs.
func (s *Server) specify() taggedBody {
	out := specification{
		Inputs: []config.InputDescription{}, Functions: s.opts.Scripts.Funcs.Describe(), Patterns: []string{}, Categories: point.Categories(),
	}
	if s.opts.Catalog != nil {
		out.Inputs = s.opts.Catalog.Describe()
	}
	if p := s.opts.Scripts.Patterns; p != nil {
		out.Patterns = p.Names()
	}
	text, err := json.Marshal(contentOf[specification]{out})
	if err != nil {
		return taggedBody{} // there is nothing in it that has no JSON
	}
	sum := sha256.Sum256(text)
	return taggedBody{append(text, '\n'), `"` + hex.EncodeToString(sum[:8]) + `"`}
}

func (s *Server) specs(w http.ResponseWriter, req *http.Request) {
	body := s.specification()
	h := w.Header()
	h.Set("ETag", body.tag)
	h.Set("Cache-Control", "private, no-cache") // kept, and asked for again with the ETag
	if req.Header.Get("If-None-Match") == body.tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(body.text)))
	_, _ = w.Write(body.text) // a client that left is told nothing
}
