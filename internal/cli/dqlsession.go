package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/term"

	"datakit.dev/internal/diag"
	"datakit.dev/internal/dql"
)

// maxHistory is how many lines are remembered.
const maxHistory = 500

// dqlSession asks what is typed, until the end of input.
func (p program) dqlSession(ctx context.Context, f dqlFlags, ask asker) error {
	in := p.Stdin.(*os.File) //nolint:forcetypeassert // interactive has said so
	before, err := term.MakeRaw(int(in.Fd()))
	if err != nil {
		return fmt.Errorf("set up the terminal: %w", err)
	}
	defer term.Restore(int(in.Fd()), before) //nolint:errcheck // there is nothing else to try
	t := term.NewTerminal(struct {
		io.Reader
		io.Writer
	}{breaking{in}, p.Stdout}, "dql> ")
	if w, h, err := term.GetSize(int(in.Fd())); err == nil && w > 0 { // a serial line says 0
		_ = t.SetSize(w, h) // a wrong one only wraps lines badly
	}
	h := loadHistory(historyPath(p.Env))
	t.History = h
	c := &completer{names: func(query string) []string { return askNames(ctx, ask, query) }, show: t}
	t.AutoCompleteCallback = c.complete
	fmt.Fprintln(t, "Tab completes, the arrows recall, Ctrl-C clears, Ctrl-D ends. Try show_measurement()")
	for {
		line, err := t.ReadLine()
		switch line = strings.TrimSpace(line); {
		case errors.Is(err, io.EOF) || line == "exit" || line == "quit":
			return h.save()
		case err != nil && !errors.Is(err, term.ErrPasteIndicator):
			return errors.Join(fmt.Errorf("read the query: %w", err), h.save())
		case line == "":
			continue
		}
		c.forget()
		if err := p.dqlOnce(ctx, f, ask, line, t); err != nil {
			if _, shown := errors.AsType[diag.List](err); !shown {
				fmt.Fprintln(t, diag.OneLine(err.Error()))
			}
		}
	}
}

// The keys of Ctrl-C and Ctrl-].
const (
	ctrlC     = 3
	breakLine = 29
)

// breaking reads Ctrl-] for Ctrl-C. The terminal would end at a Ctrl-C, and with it
// the session of somebody who only wants to type the line anew; of the other key it
// asks the completer.
type breaking struct{ io.Reader }

// Read implements [io.Reader].
func (b breaking) Read(to []byte) (int, error) {
	n, err := b.Reader.Read(to)
	for i := range to[:n] {
		if to[i] == ctrlC {
			to[i] = breakLine
		}
	}
	return n, err //nolint:wrapcheck // io.EOF must stay itself
}

// askNames returns the last column of an answer; nothing where it fails: who
// completes is told no errors.
func askNames(ctx context.Context, ask asker, query string) (out []string) {
	a, _, err := ask(ctx, query)
	if err != nil {
		return nil
	}
	for _, r := range a.Content {
		for _, s := range r.Series {
			for _, row := range s.Values {
				if name, ok := row[0].(string); ok && !slices.Contains(out, name) {
					out = append(out, name)
				}
			}
		}
	}
	return out
}

// history is the lines of this and earlier sessions, the newest last.
type history struct {
	path  string
	lines []string
}

// historyPath returns where lines are kept, "" where there is no place for them.
func historyPath(env map[string]string) string {
	state := env["XDG_STATE_HOME"]
	if state == "" {
		home := env["HOME"]
		if home == "" {
			return ""
		}
		state = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(state, "datakit", "dql_history")
}

func loadHistory(path string) *history {
	h := &history{path: path}
	text, err := os.ReadFile(path) //nolint:gosec // the user's own
	if err != nil {
		return h // the first time there is none
	}
	for line := range strings.Lines(string(text)) {
		h.Add(strings.TrimRight(line, "\r\n"))
	}
	return h
}

// Add implements [term.History].
func (h *history) Add(line string) {
	if line == "" || len(h.lines) > 0 && h.lines[len(h.lines)-1] == line {
		return
	}
	h.lines = append(h.lines, line)
	h.lines = h.lines[max(0, len(h.lines)-maxHistory):]
}

// Len implements [term.History].
func (h *history) Len() int { return len(h.lines) }

// At implements [term.History]: 0 is the newest.
func (h *history) At(i int) string { return h.lines[len(h.lines)-1-i] }

// save keeps the lines for the next session. Queries may name customers: only the
// user can read them.
func (h *history) save() error {
	if h.path == "" || len(h.lines) == 0 {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(h.path), 0o700); err != nil {
		return fmt.Errorf("keep the history: %w", err)
	}
	if err := os.WriteFile(h.path, []byte(strings.Join(h.lines, "\n")+"\n"), 0o600); err != nil {
		return fmt.Errorf("keep the history: %w", err)
	}
	return nil
}

// A completer completes the word before the cursor.
type completer struct {
	names func(query string) []string // first cells of a query's answer
	show  io.Writer
	known map[string][]string // answers, while one line is typed
}

func (c *completer) forget() { c.known = nil }

// complete is a callback of [term.Terminal].
func (c *completer) complete(line string, pos int, key rune) (string, int, bool) {
	switch key {
	case '\t':
	case breakLine:
		return "", 0, true
	default:
		return "", 0, false
	}
	start, word := wordBefore(line, pos)
	var fit []string
	for _, w := range c.candidates(line[:start]) {
		if len(w) >= len(word) && strings.EqualFold(w[:len(word)], word) && !slices.Contains(fit, w) {
			fit = append(fit, w)
		}
	}
	if len(fit) == 0 {
		return line, pos, true
	}
	grown := common(fit)
	if len(fit) > 1 && len(grown) <= len(word) {
		slices.Sort(fit)
		fmt.Fprintln(c.show, diag.OneLine(strings.Join(fit[:min(len(fit), 60)], "  ")))
		return line, pos, true
	}
	return line[:start] + grown + line[pos:], start + len(grown), true
}

// wordBefore returns the word that ends at pos, and where it begins.
func wordBefore(line string, pos int) (int, string) {
	start := pos
	for start > 0 {
		r, size := utf8.DecodeLastRuneInString(line[:start])
		if strings.ContainsRune(" \t:(){}[],=<>!+-*/%^&|;'\"`#", r) {
			break
		}
		start -= size
	}
	return start, line[start:pos]
}

// candidates returns what may stand behind the text before the word.
func (c *completer) candidates(before string) []string {
	space, source, rest := cutSource(before)
	switch {
	case !strings.Contains(before, "::") && strings.TrimSpace(before) == "":
		var out []string
		for _, n := range dql.Namespaces() {
			out = append(out, n.Short+"::")
		}
		for _, s := range dql.ShowFunctions() {
			out = append(out, s+"()")
		}
		return append(out, c.ask("show_measurement()")...)
	case source == "" && rest == "":
		return c.ask(space.show("source", "measurement"))
	}
	out := []string{"BY", "ORDER BY", "LIMIT", "OFFSET", "SLIMIT", "SOFFSET", "ASC", "DESC", "AND", "OR", "IN", "AS", "LINEAR", "PREVIOUS", "time"}
	for _, f := range dql.Functions() {
		out = append(out, f.Name+"(")
	}
	if source != "" {
		from := `'` + strings.ReplaceAll(source, `'`, `\'`) + `'`
		if space.Short == "M" {
			return append(append(out, c.ask("show_field_key(from=["+from+"])")...), c.ask("show_tag_key(from=["+from+"])")...)
		}
		return append(out, c.ask(space.show("field", "")+from+")")...)
	}
	return out
}

// ask returns the names that a query gives, asking once a line.
func (c *completer) ask(query string) []string {
	if query == "" {
		return nil
	}
	if have, ok := c.known[query]; ok {
		return have
	}
	if c.known == nil {
		c.known = map[string][]string{}
	}
	c.known[query] = c.names(query)
	return c.known[query]
}

// namespace adds to one what asks for its names.
type namespace struct{ dql.Namespace }

// show returns the query for the sources or fields of a namespace.
func (n namespace) show(what, metric string) string {
	name := n.Names[0]
	switch {
	case n.Short == "M" && metric != "":
		return "show_" + metric + "()"
	case n.Short == "D":
		return ""
	case what == "field":
		return "show_" + name + "_field("
	}
	return "show_" + name + "_source()"
}

// cutSource splits what is typed into the namespace, the data source, which is ""
// while it is being typed, and the rest.
func cutSource(before string) (n namespace, source, rest string) {
	n = namespace{dql.Namespaces()[0]}
	if space, after, ok := strings.Cut(before, "::"); ok {
		for _, have := range dql.Namespaces() {
			if strings.EqualFold(have.Short, strings.TrimSpace(space)) || slices.Contains(have.Names, strings.ToLower(strings.TrimSpace(space))) {
				n = namespace{have}
			}
		}
		before = after
	}
	i := strings.IndexAny(before, ":({[ \t")
	if i < 0 {
		return n, "", ""
	}
	return n, strings.Trim(before[:i], "`'\""), before[i:]
}

// common returns the letters that all words begin with.
func common(words []string) string {
	out := words[0]
	for _, w := range words[1:] {
		n := 0
		for n < min(len(out), len(w)) && strings.EqualFold(out[:n+1], w[:n+1]) {
			n++
		}
		out = out[:n]
	}
	return strings.ToValidUTF8(out, "")
}
