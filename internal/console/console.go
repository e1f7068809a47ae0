// Package console serves the agent's pages for people: those that are built from
// web/, and one in plain HTML without any script, in English and Chinese, for a
// screen of any width.
package console

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/language"

	"datakit.dev/internal/access"
	"datakit.dev/internal/status"
	"datakit.dev/internal/status/changes"
)

//go:embed page.html style.css
var files embed.FS

// An Agent is what the page shows.
type Agent interface{ Status() status.Status }

// Options is what a console needs.
type Options struct {
	Agent   Agent
	Changes *changes.Journal
}

// The bounds of a page: ten thousand keys are for the status, not for eyes.
const (
	maxRows    = 200
	maxChanges = 20
)

// New returns the handler of every path that is no route of the API: the pages
// that were built, and the plain one at /plain. Where none were built, the plain
// page is at / too.
func New(o Options) (http.Handler, error) {
	dist, err := fs.Sub(built, "dist")
	if err != nil {
		return nil, fmt.Errorf("the console's files: %w", err)
	}
	assets, err := loadAssets(dist)
	if err != nil {
		return nil, err
	}
	return &site{plain: newPage(o), assets: assets}, nil
}

// site is all that the console serves.
type site struct {
	plain  *page
	assets map[string]asset
}

// ServeHTTP implements [http.Handler]. The shell and its assets are for everybody:
// they hold nothing of the agent, which a page asks the API for.
func (s *site) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	shell, built := s.assets["/"+shellName]
	switch path := req.URL.Path; {
	case path == "/style.css":
		s.plain.style(w)
	case path == "/plain", path == "/" && !built:
		s.plain.show(w, req)
	case !built:
		s.plain.write(w, req, http.StatusNotFound, view{Missing: true})
	case isPage(path):
		shell.serve(w, req, http.StatusOK)
	case s.assets[path].forever:
		s.assets[path].serve(w, req, http.StatusOK)
	case strings.HasPrefix(path, "/assets/"): // of another version: a page is no script
		http.Error(w, "there is no such file", http.StatusNotFound)
	default:
		shell.serve(w, req, http.StatusNotFound)
	}
}

type page struct {
	opts Options
	text *template.Template
}

func newPage(o Options) *page {
	return &page{opts: o, text: template.Must(template.ParseFS(files, "page.html"))}
}

// view is what the template shows.
type view struct {
	T       words
	Denied  bool
	Missing bool
	Now     time.Time
	Status  status.Status
	Keys    []status.Key // that are not simply applied
	Units   []status.Unit
	More    int // units that are left out
	Changes []changes.Entry
}

func (p *page) show(w http.ResponseWriter, req *http.Request) {
	if !access.Admitted(req.Context()) {
		p.write(w, req, http.StatusUnauthorized, view{Denied: true})
		return
	}
	v := view{Status: p.opts.Agent.Status(), Now: time.Now().UTC()}
	for _, k := range v.Status.Keys {
		if (k.State != status.Applied || k.Error != "") && len(v.Keys) < maxRows {
			v.Keys = append(v.Keys, k)
		}
	}
	v.Units = v.Status.Units[:min(len(v.Status.Units), maxRows)]
	v.More = len(v.Status.Units) - len(v.Units)
	if p.opts.Changes != nil {
		list := p.opts.Changes.Latest(maxChanges)
		for i := range list { // the newest first
			v.Changes = append(v.Changes, list[len(list)-1-i])
		}
	}
	p.write(w, req, http.StatusOK, v)
}

// write answers with the page, whole or not at all.
func (p *page) write(w http.ResponseWriter, req *http.Request, code int, v view) {
	v.T = wordsFor(req.Header.Get("Accept-Language"))
	var b bytes.Buffer
	if err := p.text.Execute(&b, v); err != nil {
		http.Error(w, "the page could not be made", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", v.T.Lang)
	h.Set("Vary", "Accept-Language")
	h.Set("Content-Length", strconv.Itoa(b.Len()))
	w.WriteHeader(code)
	_, _ = w.Write(b.Bytes()) // a client that left is told nothing
}

func (p *page) style(w http.ResponseWriter) {
	text, err := files.ReadFile("style.css")
	if err != nil {
		http.Error(w, "the style is not part of this build", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	_, _ = w.Write(text)
}

// wordsFor returns the texts in the language that a browser asks for.
func wordsFor(accept string) words {
	if len(accept) > 1<<10 {
		accept = "" // nobody speaks so many
	}
	tags, _, err := language.ParseAcceptLanguage(accept)
	if err != nil {
		return english()
	}
	for _, t := range tags {
		switch base, _ := t.Base(); base.String() {
		case "zh":
			return chinese()
		case "en":
			return english()
		}
	}
	return english()
}

// When writes a time for people.
func (w words) When(t status.Time) string {
	if t.IsZero() {
		return "—"
	}
	return t.UTC().Format("2006-01-02 15:04:05")
}

// Took writes how long something took.
func (words) Took(ns int64) string {
	return time.Duration(ns).Round(time.Microsecond).String()
}

// Nodes writes the addresses of a store.
func (words) Nodes(list []string) string { return strings.Join(list, ", ") }
