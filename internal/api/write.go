package api

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"datakit.dev/internal/diag"
	"datakit.dev/internal/point"
	"datakit.dev/internal/point/lineproto"
	"datakit.dev/internal/spec"
)

// The bounds of what clients write, in bytes after decompression: of one body,
// and of all bodies under way at once.
const (
	maxBody   = 32 << 20
	maxBodies = 128 << 20
)

// takeTimeout is how long a sender waits for a flow that is full.
const takeTimeout = 30 * time.Second

var (
	errBusy  = errors.New("the agent is taking in as much as it can hold: try again")
	errEmpty = errors.New("the body holds no point")
)

// write takes points. Lines that are wrong are told, and the others are taken
// all the same: a sender does not send again what was answered with a 400, and
// one bad line must not cost the thousand good ones beside it.
func (s *Server) write(w http.ResponseWriter, req *http.Request) {
	category, ok := point.ParseCategory(req.PathValue("category"))
	if !ok {
		fail(w, http.StatusNotFound, "category", "unknown category %q; there is %s", clip(req.PathValue("category")), categories())
		return
	}
	precision, ok := lineproto.ParsePrecision(req.URL.Query().Get("precision"))
	if !ok {
		fail(w, http.StatusBadRequest, "precision", "unknown precision %q; there is n, u, ms and s", clip(req.URL.Query().Get("precision")))
		return
	}
	loan := s.budget.loan()
	defer loan.giveBack()
	text, err := readBody(w, req, loan)
	if err != nil {
		refuse(w, err)
		return
	}
	pts, bad := decode(text, precision)
	if len(pts) > 0 {
		ctx, cancel := context.WithTimeout(req.Context(), takeTimeout)
		defer cancel()
		if err := s.opts.Agent.Write(ctx, category, pts); err != nil {
			w.Header().Set("Retry-After", "1")
			fail(w, http.StatusServiceUnavailable, "unavailable", "the points were not taken: %s", spec.RedactURL(err.Error()))
			return
		}
	}
	answerWrite(w, len(pts), bad)
}

// answerWrite tells what was taken. The slice of the points is the agent's by now;
// only their number is left.
func answerWrite(w http.ResponseWriter, n int, bad diag.List) {
	switch {
	case len(bad) > 0:
		f := failure{Code: "datakit.badPoints", Message: bad.Error(), Written: &n, Errors: make([]problem, len(bad))}
		for i, d := range bad {
			f.Errors[i] = problem{d.Pos.Line, d.Pos.Column, diag.OneLine(d.Message)}
		}
		reply(w, http.StatusBadRequest, f)
	case n == 0:
		refuse(w, errEmpty)
	default:
		give(w, written{n})
	}
}

func decode(text string, precision lineproto.Precision) ([]point.Point, diag.List) {
	if utf8.ValidString(text) {
		return lineproto.Decode(text, lineproto.Options{Precision: precision})
	}
	at := 0
	for i, r := range text {
		if r == utf8.RuneError && !strings.HasPrefix(text[i:], string(utf8.RuneError)) {
			at = i
			break
		}
	}
	return nil, diag.List{{Pos: diag.At(text, at), Message: "the body is not valid UTF-8"}}
}

func categories() string { return strings.Join(categoryNames(), " ") }

func categoryNames() []string {
	var names []string
	for _, c := range point.Categories() {
		names = append(names, string(c))
	}
	return names
}

// tooLarge says that a body goes past its bound.
type tooLarge struct{ limit int64 }

func (e tooLarge) Error() string {
	return fmt.Sprintf("the body has more than %d bytes, decompressed: send it in parts", e.limit)
}

// refuse answers for a body that was not taken.
func refuse(w http.ResponseWriter, err error) {
	code, name := http.StatusBadRequest, "badRequest"
	if _, ok := errors.AsType[tooLarge](err); ok {
		code, name = http.StatusRequestEntityTooLarge, "bodyTooLarge"
	}
	switch {
	case errors.Is(err, errBusy):
		w.Header().Set("Retry-After", "1")
		code, name = http.StatusServiceUnavailable, "busy"
	case errors.Is(err, errEmpty):
		name = "empty"
	case errors.Is(err, errEncoding):
		code, name = http.StatusUnsupportedMediaType, "encoding"
	}
	fail(w, code, name, "%v", err)
}

var errEncoding = errors.New("unknown Content-Encoding: send gzip or none")

// readBody returns the decompressed body. What a client claims of its size costs
// nothing: memory grows with the bytes that come.
func readBody(w http.ResponseWriter, req *http.Request, l *loan) (string, error) {
	if req.ContentLength > maxBody {
		w.Header().Set("Connection", "close") // the rest is not read
		return "", tooLarge{maxBody}
	}
	var body io.Reader = http.MaxBytesReader(w, req.Body, maxBody)
	switch strings.ToLower(strings.TrimSpace(req.Header.Get("Content-Encoding"))) {
	case "", "identity":
	case "gzip":
		z, err := gzip.NewReader(body)
		if err != nil {
			return "", bodyError("the body is no gzip", err)
		}
		body = z
	default:
		return "", errEncoding
	}
	var b strings.Builder
	n, err := io.Copy(&b, &metered{io.LimitReader(body, maxBody+1), l})
	if err != nil {
		return "", bodyError("read the body", err)
	}
	if n > maxBody {
		return "", tooLarge{maxBody}
	}
	return b.String(), nil
}

func bodyError(doing string, err error) error {
	if m, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return tooLarge{m.Limit}
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// A budget bounds the bytes of all bodies under way: a thousand clients at once
// must not take a thousand times the memory of one.
type budget struct {
	limit int64
	used  atomic.Int64
}

// A loan is the part of a budget that one request holds.
type loan struct {
	from *budget
	held int64
}

func (b *budget) loan() *loan { return &loan{from: b} }

func (l *loan) take(n int) error {
	l.held += int64(n)
	if l.from.used.Add(int64(n)) > l.from.limit {
		return errBusy
	}
	return nil
}

func (l *loan) giveBack() { l.from.used.Add(-l.held) }

// metered takes what is read from a loan.
type metered struct {
	io.Reader
	loan *loan
}

func (m *metered) Read(p []byte) (int, error) {
	n, err := m.Reader.Read(p)
	if berr := m.loan.take(n); berr != nil {
		return n, berr
	}
	return n, err //nolint:wrapcheck // io.EOF must stay itself
}
