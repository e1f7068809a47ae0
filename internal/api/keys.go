package api

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"datakit.dev/internal/audit"
	"datakit.dev/internal/diag"
	"datakit.dev/internal/reconcile"
	"datakit.dev/internal/spec"
	"datakit.dev/internal/status"
	"datakit.dev/internal/store"
)

// Keys is what the console needs of the stores.
type Keys interface {
	// Trees returns what is known of every store, in order.
	Trees() []Tree

	// Redact returns a value with its secrets hidden.
	Redact(key, value string) string

	// Check says what an agent would refuse in a value. A script is compiled with
	// those that it uses.
	Check(key, value string) diag.List

	// Running returns the newest value of a key of the store with the ID id that
	// was taken.
	Running(id, key string) (store.Entry, bool)

	// Read reads one key from the store itself, [store.ErrNotFound] where it has
	// none: what is known of the store is as old as its debounce.
	Read(ctx context.Context, id, key string) (store.Entry, error)

	// Put and Delete change one key of the store with the ID id, under cond.
	Put(ctx context.Context, id, key, value string, cond store.Cond) (store.Revision, error)
	Delete(ctx context.Context, id, key string, cond store.Cond) error
}

// A Tree is the keys of one store, as they were last read.
type Tree struct {
	ID, Backend, Root string
	State             status.StoreState
	Writable          bool // the backend can be written
	Entries           []store.Entry
	Reports           map[string]status.Key // what became of them, by the key
}

// The contents of the answers.
type (
	keyTrees struct {
		Stores []keyTree `json:"stores"`
	}
	keyTree struct {
		ID       string            `json:"id"`
		Backend  string            `json:"backend"`
		Root     string            `json:"root"` // before each key
		State    status.StoreState `json:"state"`
		Writable bool              `json:"writable"` // by this caller, now
		Keys     []keyEntry        `json:"keys"`     // sorted
		Cut      bool              `json:"cut"`      // there are more of them
	}
	keyEntry struct {
		Key      string          `json:"key"` // below the root
		Revision string          `json:"revision"`
		Size     int             `json:"size"`  // of the value, in bytes
		State    status.KeyState `json:"state"` // "" until it was looked at
		Error    string          `json:"error"` // why it is not simply applied
	}
	keyValue struct {
		Store string `json:"store"`
		keyEntry
		Origin   string      `json:"origin"` // as units and scripts name it
		Writable bool        `json:"writable"`
		Value    string      `json:"value"`
		Redacted bool        `json:"redacted"` // secrets are hidden: it cannot be edited
		Problems []problem   `json:"problems"` // of the value, by line
		Running  *keyRunning `json:"running"`  // what runs of a key that is kept; else null
	}
	keyRunning struct {
		Revision string `json:"revision"`
		Value    string `json:"value"`
	}
	keyWritten struct {
		Store    string                `json:"store"`
		Key      string                `json:"key"`
		Revision string                `json:"revision"`
		Steps    []reconcile.TrialStep `json:"steps"` // what agents like this one will do
	}
	keyDeleted struct {
		Store string `json:"store"`
		Key   string `json:"key"`
	}
)

// maxKeys bounds the keys of one answer.
const maxKeys = 10_000

func (s *Server) keyRoutes() []Route {
	path := []Param{
		{Name: "store", In: "path", Required: true, Type: "string", Doc: "The store's ID: etcdv3, etcdv3#2.", DocZH: "配置中心的 ID：etcdv3、etcdv3#2。"},
		{Name: "key", In: "path", Required: true, Type: "string", Doc: "The key below the root, its slashes as they are.", DocZH: "根之下的键，斜杠无需转义。"},
	}
	match := Param{Name: "If-Match", In: "header", Type: "string", Doc: "The ETag that the change is based on.", DocZH: "修改所基于的 ETag。"}
	fresh := Param{Name: "If-None-Match", In: "header", Type: "string", Allowed: []string{"*"}, Doc: "*: only where there is no such key.", DocZH: "*：仅当键不存在时写入。"}
	missing := Error{http.StatusNotFound, "notFound", "there is no such store or key", "没有这个配置中心或键"}
	writes := []Error{
		{http.StatusBadRequest, "badRequest", "the key or the body is none", "键名或请求体不合法"},
		{http.StatusForbidden, "readOnly", "`[console] write` is off, or the store can only be read", "未开启 `[console] write`，或该配置中心只读"},
		missing, switchedOff(),
		{http.StatusConflict, "conflict", "somebody else has changed the key meanwhile; nothing was written", "键已被他人修改，没有写入"},
		{http.StatusPreconditionRequired, "precondition", "If-Match or If-None-Match is missing", "缺少 If-Match 或 If-None-Match"},
		{http.StatusBadGateway, "store", "the store did not take it", "配置中心没有接受"},
		{http.StatusServiceUnavailable, "unavailable", "the store does not answer, or the audit log cannot be written", "配置中心没有应答，或审计日志无法写入"},
	}
	return []Route{
		{
			Method: http.MethodGet, Path: "/v1/keys", Access: Console, handler: s.console(s.keys),
			Summary: "The keys of all stores, without their values.", SummaryZH: "所有配置中心的键（不含值）。",
			Params: []Param{
				{Name: "store", In: "query", Type: "string", Doc: "Of this store alone.", DocZH: "仅此配置中心。"},
				{Name: "prefix", In: "query", Type: "string", Doc: "Keys that begin with it, below the root.", DocZH: "仅以此开头的键（根之下）。"},
			},
			Answer: Body{Of: contentOf[keyTrees]{}}, Errors: []Error{missing, switchedOff()},
		},
		{
			Method: http.MethodGet, Path: "/v1/keys/{store}/{key...}", Access: Console, handler: s.console(s.key), Params: append(path, freshParam()),
			Summary:   "One key with its state, its revision as the ETag. Secrets are hidden unless [console] write is on.",
			SummaryZH: "读取一个键及其状态，ETag 为其修订版本；除非开启 [console] write，否则隐去敏感信息。",
			Answer:    Body{Of: contentOf[keyValue]{}},
			Errors: []Error{
				missing, switchedOff(),
				{http.StatusBadGateway, "store", "the store cannot be read", "配置中心无法读取"},
				{http.StatusServiceUnavailable, "unavailable", "the store does not answer", "配置中心没有应答"},
			},
		},
		{
			Method: http.MethodPut, Path: "/v1/keys/{store}/{key...}", Access: Console, Audited: true, handler: s.console(s.putKey),
			Summary: "Write a key, if it is what the change is based on, and an agent would take the value.", SummaryZH: "写入一个键：须与修改所基于的版本一致，且值能通过校验。",
			Params: append(path, match, fresh, csrfParam()), Body: Body{Type: "text/plain"}, Answer: Body{Of: contentOf[keyWritten]{}},
			Errors: append(writes,
				tooLong("1 MiB"),
				Error{http.StatusUnprocessableEntity, "badValue", "an agent would refuse the value; `errors` says where", "Agent 不会接受该值；`errors` 指出位置"}),
		},
		{
			Method: http.MethodDelete, Path: "/v1/keys/{store}/{key...}", Access: Console, Audited: true, handler: s.console(s.deleteKey),
			Summary: "Delete a key, if it is what the change is based on.", SummaryZH: "删除一个键：须与修改所基于的版本一致。",
			Params: append(path, match, csrfParam()), Answer: Body{Of: contentOf[keyDeleted]{}}, Errors: writes,
		},
	}
}

func (s *Server) trees() []Tree {
	if s.opts.Keys == nil {
		return nil
	}
	return s.opts.Keys.Trees()
}

func (s *Server) keys(w http.ResponseWriter, req *http.Request) {
	only, prefix := req.URL.Query().Get("store"), req.URL.Query().Get("prefix")
	answer, left := keyTrees{Stores: []keyTree{}}, maxKeys
	for _, t := range s.trees() {
		if only != "" && t.ID != only {
			continue
		}
		one := keyTree{ID: t.ID, Backend: t.Backend, Root: t.Root, State: t.State, Writable: s.mayWrite(t), Keys: []keyEntry{}}
		for _, e := range t.Entries {
			if !strings.HasPrefix(e.Key, prefix) {
				continue
			}
			if one.Cut = left == 0; one.Cut {
				break
			}
			one.Keys = append(one.Keys, t.entry(e))
			left--
		}
		answer.Stores = append(answer.Stores, one)
	}
	if only != "" && len(answer.Stores) == 0 {
		fail(w, http.StatusNotFound, "notFound", "there is no store %q", clip(only))
		return
	}
	give(w, answer)
}

func (t Tree) entry(e store.Entry) keyEntry {
	report := t.Reports[e.Key]
	return keyEntry{e.Key, string(e.Revision), max(len(e.Value), e.TooLarge), report.State, spec.RedactURL(report.Error)}
}

// mayWrite reports whether keys of t can be changed, now.
func (s *Server) mayWrite(t Tree) bool { return t.Writable && s.settings().Write }

// tree returns the store that the path names; where there is none it has answered.
func (s *Server) tree(w http.ResponseWriter, req *http.Request) (Tree, bool) {
	id := req.PathValue("store")
	for _, t := range s.trees() {
		if t.ID == id {
			return t, true
		}
	}
	fail(w, http.StatusNotFound, "notFound", "there is no store %q", clip(id))
	return Tree{}, false
}

// etag writes a revision as an ETag, which takes no quotes and no spaces.
func etag(r store.Revision) string { return `"` + url.QueryEscape(string(r)) + `"` }

// condition returns what must hold for a write. A write without one is refused:
// it would undo what somebody else has just done.
func condition(req *http.Request) (cond store.Cond, ok bool) {
	if req.Header.Get("If-None-Match") == "*" && req.Header.Get("If-Match") == "" {
		return store.Cond{Absent: true}, true
	}
	quoted := strings.TrimSpace(req.Header.Get("If-Match"))
	if len(quoted) < 3 || quoted[0] != '"' || quoted[len(quoted)-1] != '"' {
		return store.Cond{}, false // "" would compare with nothing
	}
	rev, err := url.QueryUnescape(quoted[1 : len(quoted)-1])
	return store.Cond{Revision: store.Revision(rev)}, err == nil && rev != ""
}

// writable finds what a write is to be made to; where it may not be made it has
// answered.
func (s *Server) writable(w http.ResponseWriter, req *http.Request) (t Tree, cond store.Cond, ok bool) {
	if !s.settings().Write {
		fail(w, http.StatusForbidden, "readOnly", "the console may not change keys: set write = true in [console] of datakit.conf")
		return t, cond, false
	}
	if t, ok = s.tree(w, req); !ok {
		return t, cond, false
	}
	if !t.Writable {
		fail(w, http.StatusForbidden, "readOnly", "the store %s can only be read: change its keys with its own tools", t.ID)
		return t, cond, false
	}
	if err := store.CheckKey(req.PathValue("key")); err != nil {
		fail(w, http.StatusBadRequest, "badRequest", "%s", clip(diag.OneLine(err.Error())))
		return t, cond, false
	}
	if cond, ok = condition(req); !ok {
		fail(w, http.StatusPreconditionRequired, "precondition", `send If-Match with the ETag that you have seen, or If-None-Match: * for a new key`)
	}
	return t, cond, ok
}

func (s *Server) putKey(w http.ResponseWriter, req *http.Request) {
	t, cond, ok := s.writable(w, req)
	if !ok {
		return
	}
	key := req.PathValue("key")
	value, err := readValue(w, req)
	if err != nil {
		refuse(w, err)
		return
	}
	trial, bad := s.try(t, key, value)
	if len(bad) > 0 {
		reply(w, http.StatusUnprocessableEntity, failure{Code: "datakit.badValue", Message: diag.OneLine(spec.RedactURL(bad.Error())), Errors: problems(bad)})
		return
	}
	if !s.begin(w, req, cond) {
		return
	}
	rev, err := s.opts.Keys.Put(req.Context(), t.ID, key, value, cond)
	if err != nil {
		s.refuseWrite(w, req, err)
		return
	}
	lineIn(req.Context()).After = string(rev)
	w.Header().Set("ETag", etag(rev))
	give(w, keyWritten{t.ID, key, string(rev), trial.Steps})
}

// readValue returns the body of a put.
func readValue(w http.ResponseWriter, req *http.Request) (string, error) {
	if req.ContentLength > store.MaxValue {
		w.Header().Set("Connection", "close") // the rest is not read
		return "", tooLarge{store.MaxValue}
	}
	text, err := io.ReadAll(http.MaxBytesReader(w, req.Body, store.MaxValue))
	if err != nil {
		return "", bodyError("read the value", err)
	}
	if !utf8.Valid(text) {
		return "", errors.New("the value is not valid UTF-8")
	}
	return string(text), nil
}

// try says what the value would do, and what is wrong with it: with its text, and
// with starting what it asks for.
func (s *Server) try(t Tree, key, value string) (reconcile.Trial, diag.List) {
	if bad := s.opts.Keys.Check(key, value); len(bad) > 0 {
		return reconcile.Trial{}, bad
	}
	trial := s.opts.Agent.Try(t.ID, []store.Entry{{Key: key, Value: value}})
	for _, k := range trial.Keys {
		if k.State == status.Rejected || k.State == status.Kept {
			return trial, diag.List{{Message: k.Error}}
		}
	}
	if trial.Steps == nil {
		trial.Steps = []reconcile.TrialStep{}
	}
	return trial, nil
}

// begin writes the audit line without which nothing is written to a store.
func (s *Server) begin(w http.ResponseWriter, req *http.Request, cond store.Cond) bool {
	line := lineIn(req.Context())
	line.Before = string(cond.Revision)
	err := errors.New("there is none")
	if s.opts.Audit != nil {
		begun := *line
		begun.Outcome = audit.Begun
		err = s.opts.Audit.Record(begun)
	}
	if err != nil {
		s.opts.Log.Error("a key is not written without the audit log", "error", err)
		fail(w, http.StatusServiceUnavailable, "unavailable", "the audit log cannot be written, and nothing was changed; the agent's log says why")
		return false
	}
	return true
}

func (s *Server) deleteKey(w http.ResponseWriter, req *http.Request) {
	t, cond, ok := s.writable(w, req)
	if !ok {
		return
	}
	if cond.Absent {
		fail(w, http.StatusPreconditionRequired, "precondition", "send If-Match with the ETag of the key to delete")
		return
	}
	if !s.begin(w, req, cond) {
		return
	}
	if err := s.opts.Keys.Delete(req.Context(), t.ID, req.PathValue("key"), cond); err != nil {
		s.refuseWrite(w, req, err)
		return
	}
	give(w, keyDeleted{t.ID, req.PathValue("key")})
}

// refuseWrite answers for a store that did not take a write.
func (s *Server) refuseWrite(w http.ResponseWriter, req *http.Request, err error) {
	text := spec.RedactURL(err.Error())
	lineIn(req.Context()).Error = text
	switch {
	case errors.Is(err, store.ErrConflict):
		fail(w, http.StatusConflict, "conflict", "somebody else has changed the key meanwhile, and nothing was written: read it again")
	case errors.Is(err, store.ErrNotFound):
		fail(w, http.StatusNotFound, "notFound", "the key is gone")
	case errors.Is(err, store.ErrUnavailable), errors.Is(err, context.DeadlineExceeded):
		fail(w, http.StatusServiceUnavailable, "unavailable", "%s", text)
	default:
		fail(w, http.StatusBadGateway, "store", "%s", text)
	}
}
