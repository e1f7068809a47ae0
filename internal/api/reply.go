package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"datakit.dev/internal/diag"
	"datakit.dev/internal/spec"
)

// A failure is the body of every error.
type failure struct {
	Code    string    `json:"error_code"`
	Message string    `json:"message"`
	Written *int      `json:"written,omitempty"` // points that were taken all the same
	Errors  []problem `json:"errors,omitempty"`
}

// A problem is one line of a body that was not taken.
type problem struct {
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Message string `json:"message"`
}

// problems returns what is wrong with a value, without secrets; never null.
func problems(list diag.List) []problem {
	out := make([]problem, len(list))
	for i, d := range list {
		out[i] = problem{d.Pos.Line, d.Pos.Column, diag.OneLine(spec.RedactURL(d.Message))}
	}
	return out
}

// contentOf is the body of an answer, as upstream wraps it.
type contentOf[T any] struct {
	Content T `json:"content"`
}

// give answers with content.
func give[T any](w http.ResponseWriter, v T) { reply(w, http.StatusOK, contentOf[T]{v}) }

func fail(w http.ResponseWriter, code int, name, format string, args ...any) {
	reply(w, code, failure{Code: "datakit." + name, Message: diag.OneLine(fmt.Sprintf(format, args...))})
}

// reply writes v as JSON. It is encoded first, so that an answer is whole or an
// error.
func reply(w http.ResponseWriter, code int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		code, body = http.StatusInternalServerError, []byte(`{"error_code":"datakit.internal","message":"the answer could not be encoded"}`)
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(body)+1))
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(code)
	_, _ = w.Write(append(body, '\n')) // a client that left is told nothing
}

// clip bounds what a client sent and gets back.
func clip(s string) string {
	if len(s) > 64 {
		return strings.ToValidUTF8(s[:64], "") + "…"
	}
	return s
}
