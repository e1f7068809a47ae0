package api_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"datakit.dev/internal/access"
	"datakit.dev/internal/api"
	"datakit.dev/internal/audit"
	"datakit.dev/internal/config"
	"datakit.dev/internal/diag"
	"datakit.dev/internal/status"
	"datakit.dev/internal/status/changes"
	"datakit.dev/internal/store"
)

// shelf is the keys of two stores in memory; values that say "bad" are refused.
// The real ones are written to by the tests of internal/e2e.
type shelf struct {
	mu      sync.Mutex
	entries map[string]store.Entry
	next    int
	down    error
}

func newShelf() *shelf {
	return &shelf{next: 10, entries: map[string]store.Entry{
		"confd/cpu": {Key: "confd/cpu", Value: "[[inputs.cpu]]\npassword = \"hunter2\"\n", Revision: "1"},
		"confd/old": {Key: "confd/old", Value: "x", Revision: "2"},
	}}
}

func (s *shelf) Trees() []api.Tree {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []store.Entry
	for _, e := range s.entries {
		list = append(list, e)
	}
	snap, err := store.NewSnapshot("1", list)
	if err != nil {
		panic(err)
	}
	return []api.Tree{
		{ID: "etcdv3", Backend: "etcdv3", Root: "/datakit", State: status.Watching, Writable: true, Entries: snap.Entries, Reports: map[string]status.Key{
			"confd/kept": {Store: "etcdv3", Key: "/datakit/confd/kept", State: status.Kept, Error: "etcdv3:/datakit/confd/kept:3:4: of http://u:hunter2@h"},
		}},
		{ID: "env", Backend: "env", Root: "/datakit", State: status.Watching},
	}
}

func (s *shelf) Redact(_, value string) string { return strings.ReplaceAll(value, "hunter2", "******") }

func (s *shelf) Check(_, value string) diag.List {
	if strings.Contains(value, "bad") {
		return diag.List{{Pos: diag.Position{Line: 3, Column: 4}, Message: "expected a table"}}
	}
	return nil
}

func (s *shelf) Running(_, key string) (store.Entry, bool) {
	return store.Entry{Key: key, Value: "[[inputs.cpu]]\npassword = \"hunter2\" # good\n", Revision: "0"}, true
}

func (s *shelf) Read(_ context.Context, _, key string) (store.Entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.entries[key]
	if !ok {
		return e, store.ErrNotFound
	}
	return e, s.down
}

func (s *shelf) Put(_ context.Context, _, key, value string, cond store.Cond) (store.Revision, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	have, ok := s.entries[key]
	if s.down != nil {
		return "", s.down
	}
	if cond.Absent && ok || cond.Revision != "" && have.Revision != cond.Revision {
		return "", store.ErrConflict
	}
	s.next++
	e := store.Entry{Key: key, Value: value, Revision: store.Revision(strconv.Itoa(s.next))}
	s.entries[key] = e
	return e.Revision, nil
}

func (s *shelf) Delete(_ context.Context, _, key string, cond store.Cond) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	have, ok := s.entries[key]
	switch {
	case !ok:
		return store.ErrNotFound
	case have.Revision != cond.Revision:
		return store.ErrConflict
	}
	delete(s.entries, key)
	return nil
}

// desk is what belongs to a console under test.
type desk struct {
	*shelf
	token access.File
	audit string // its path
}

// consoleOf serves an API with a console that may write.
func consoleOf(t *testing.T, f *fake, change ...func(*api.Options)) (string, *desk, *changes.Journal) {
	t.Helper()
	dir := t.TempDir()
	d := &desk{shelf: newShelf(), token: access.File(filepath.Join(dir, "console.token")), audit: filepath.Join(dir, "audit.log")}
	journal := changes.New(time.Now())
	record := audit.New(d.audit)
	t.Cleanup(func() { _ = record.Close() })
	all := append([]func(*api.Options){func(o *api.Options) {
		o.Keys, o.Gate, o.Audit, o.Changes = d, access.NewGate(d.token), record, journal
		o.Settings = func() config.Console { return config.Console{Enable: true, Write: true} }
	}}, change...)
	return serve(t, f, all...), d, journal
}

func (d *desk) log(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(d.audit)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return string(text)
}

func put(t *testing.T, url, value string, headers ...string) reply {
	t.Helper()
	return send(t, http.MethodPut, url, strings.NewReader(value), append(headers, "X-Datakit-Console", "1")...)
}

func TestAKeyIsReadChangedAndDeleted(t *testing.T) {
	url, d, _ := consoleOf(t, &fake{})
	get(t, url+"/v1/keys").expect(t, 200, `{"key":"confd/cpu","revision":"1","size":36,"state":"","error":""}`, `"writable":true`, `"id":"env"`)
	r := get(t, url+"/v1/keys?store=etcdv3&prefix=confd/o")
	if r.expect(t, 200, "confd/old"); strings.Contains(r.body, "confd/cpu") {
		t.Errorf("more than was asked for: %s", r.body)
	}
	at := url + "/v1/keys/etcdv3/confd/cpu"
	r = get(t, at)
	r.expect(t, 200, "hunter2", `"redacted":false`)
	r = put(t, at, "[[inputs.cpu]]", "If-Match", r.header.Get("ETag"))
	r.expect(t, 200, `"revision":"11"`, `"verb":"start"`)
	if r.header.Get("ETag") != `"11"` || d.entries["confd/cpu"].Value != "[[inputs.cpu]]" {
		t.Errorf("ETag %s, the store holds %q", r.header.Get("ETag"), d.entries["confd/cpu"].Value)
	}
	put(t, url+"/v1/keys/etcdv3/pipeline/metric/a.p", "x = 1", "If-None-Match", "*").expect(t, 200)
	send(t, http.MethodDelete, at, nil, "If-Match", `"11"`, "X-Datakit-Console", "1").expect(t, 200)
	if _, ok := d.entries["confd/cpu"]; ok {
		t.Error("the key is still there")
	}
}

// kept is an entry whose value is refused, and whose last good one runs.
var kept = store.Entry{Key: "confd/kept", Value: "bad = \"hunter2\"", Revision: "3"}

// Of a key whose new value is refused both are shown: what it holds, with what is
// wrong, and what runs.
func TestAKeptKeyShowsBothValues(t *testing.T) {
	for _, write := range []bool{true, false} {
		url, d, _ := consoleOf(t, &fake{}, func(o *api.Options) {
			o.Settings = func() config.Console { return config.Console{Enable: true, Write: write} }
		})
		d.entries["confd/kept"] = kept
		for _, fresh := range []string{"", "?fresh=true"} {
			r := get(t, url+"/v1/keys/etcdv3/confd/kept"+fresh)
			r.expect(t, 200, `"state":"kept"`, `"origin":"etcdv3:/datakit/confd/kept"`, fmt.Sprintf(`"writable":%v`, write),
				`"problems":[{"line":3,"column":4,"message":"expected a table"}]`, `"running":{"revision":"0","value":"[[inputs.cpu]]`, `# good`)
			if n := strings.Count(r.body, "hunter2"); write != (n == 2) || !write && n > 0 { // the address in the error is hidden either way
				t.Errorf("write %v: the secret is there %d times: %s", write, n, r.body)
			}
		}
	}
}

// What is shown may be as old as the debounce; who was refused by the store asks it.
func TestAKeyIsReadFromItsStore(t *testing.T) {
	stale := newShelf()
	url, d, _ := consoleOf(t, &fake{})
	d.entries["confd/cpu"] = store.Entry{Key: "confd/cpu", Value: "new", Revision: "9"}
	sure := serve(t, &fake{}, func(o *api.Options) { o.Keys = overtaken{stale, d.shelf}; o.Settings = writes })
	get(t, sure+"/v1/keys/etcdv3/confd/cpu").expect(t, 200, `"revision":"1"`)
	r := get(t, sure+"/v1/keys/etcdv3/confd/cpu?fresh=true")
	r.expect(t, 200, `"revision":"9"`, `"value":"new"`)
	if r.header.Get("ETag") != `"9"` {
		t.Errorf("ETag %s", r.header.Get("ETag"))
	}
	get(t, url+"/v1/keys/etcdv3/confd/nosuch?fresh=true").expect(t, 404, "datakit.notFound")
	get(t, url+"/v1/keys/nosuch/confd/cpu?fresh=true").expect(t, 404, "datakit.notFound")
	d.down = fmt.Errorf("%w: http://u:hunter2@h", store.ErrUnavailable)
	r = get(t, url+"/v1/keys/etcdv3/confd/cpu?fresh=true")
	if r.expect(t, 503, "datakit.unavailable"); strings.Contains(r.body, "hunter2") {
		t.Errorf("a password went out: %s", r.body)
	}
	d.down = errors.New("broken")
	get(t, url+"/v1/keys/etcdv3/confd/cpu?fresh=true").expect(t, 502, "datakit.store")
}

// overtaken is a store that was changed since it was last looked at.
type overtaken struct {
	*shelf
	now *shelf
}

func (o overtaken) Read(ctx context.Context, id, key string) (store.Entry, error) {
	return o.now.Read(ctx, id, key)
}

// Who comes second does not undo what the first one did.
func TestTheSecondOfTwoWritersIsTold(t *testing.T) {
	url, d, _ := consoleOf(t, &fake{})
	at := url + "/v1/keys/etcdv3/confd/cpu"
	codes := make(chan int, 10)
	var all sync.WaitGroup
	for i := range 10 {
		all.Go(func() { codes <- put(t, at, "v"+strconv.Itoa(i), "If-Match", `"1"`).code })
	}
	all.Wait()
	close(codes)
	count := map[int]int{}
	for c := range codes {
		count[c]++
	}
	if count[200] != 1 || count[409] != 9 {
		t.Errorf("codes %v", count)
	}
	put(t, at, "x", "If-None-Match", "*").expect(t, 409, "datakit.conflict")
	for _, match := range []string{"", `""`, "1", `W/"11"`, `"%zz"`, "*"} {
		put(t, at, "x", "If-Match", match).expect(t, 428, "datakit.precondition")
	}
	if n := strings.Count(d.log(t), `"outcome":"done"`); n != 1 {
		t.Errorf("%d writes are on record as done", n)
	}
}

func TestWhatIsNotWritten(t *testing.T) {
	f := &fake{}
	url, d, _ := consoleOf(t, f)
	at := url + "/v1/keys/etcdv3/confd/cpu"
	put(t, at, "bad", "If-Match", `"1"`).expect(t, 422, `"errors":[{"line":3,"column":4,"message":"expected a table"}]`)
	put(t, at, strings.Repeat("x", store.MaxValue+1), "If-Match", `"1"`).expect(t, 413, "datakit.bodyTooLarge")
	put(t, at, "\xff", "If-Match", `"1"`).expect(t, 400, "UTF-8")
	put(t, url+"/v1/keys/env/confd/cpu", "x", "If-None-Match", "*").expect(t, 403, "datakit.readOnly")
	put(t, url+"/v1/keys/nosuch/confd/cpu", "x", "If-None-Match", "*").expect(t, 404)
	put(t, url+"/v1/keys/etcdv3/a%00b", "x", "If-None-Match", "*").expect(t, 400)
	put(t, url+"/v1/keys/etcdv3/confd%2F..%2Fx", "x", "If-None-Match", "*").expect(t, 400)
	d.down = errors.Join(store.ErrUnavailable, errors.New("dial http://u:hunter2@h"))
	r := put(t, at, "x", "If-Match", `"1"`)
	if r.expect(t, 503, "datakit.unavailable"); strings.Contains(r.body+d.log(t), "hunter2") {
		t.Errorf("a password went out: %s", r.body)
	}
	if d.entries["confd/cpu"].Revision != "1" || len(d.entries) != 2 {
		t.Errorf("the store holds %v", d.entries)
	}
}

// Where write is off nothing is written, and no secret is read.
func TestWithoutWriteSecretsStayHidden(t *testing.T) {
	url, d, _ := consoleOf(t, &fake{}, func(o *api.Options) {
		o.Settings = func() config.Console { return config.Console{Enable: true} }
	})
	at := url + "/v1/keys/etcdv3/confd/cpu"
	r := get(t, at)
	if r.expect(t, 200, `"redacted":true`, "******"); strings.Contains(r.body, "hunter2") {
		t.Errorf("a secret: %s", r.body)
	}
	put(t, at, "x", "If-Match", `"1"`).expect(t, 403, "write = true")
	send(t, http.MethodDelete, at, nil, "If-Match", `"1"`, "X-Datakit-Console", "1").expect(t, 403)
	if d.entries["confd/cpu"].Revision != "1" {
		t.Error("it was written")
	}
}

func TestADisabledConsoleIsNotThere(t *testing.T) {
	url, _, _ := consoleOf(t, &fake{}, func(o *api.Options) {
		o.Settings = func() config.Console { return config.Console{Write: true} }
		o.Console = http.NotFoundHandler()
	})
	for _, path := range []string{"/v1/keys", "/v1/keys/etcdv3/confd/cpu", "/v1/console", "/"} {
		get(t, url+path).expect(t, 404)
	}
	put(t, url+"/v1/keys/etcdv3/confd/cpu", "x", "If-Match", `"1"`).expect(t, 404, "datakit.noConsole")
}

// Every write is on record, before it is made and after; the value is not.
func TestWritesAreOnRecord(t *testing.T) {
	url, d, _ := consoleOf(t, &fake{})
	at := url + "/v1/keys/etcdv3/confd/cpu"
	put(t, at, "password = hunter3", "If-Match", `"1"`).expect(t, 200)
	put(t, at, "x", "If-Match", `"1"`).expect(t, 409)
	post(t, url+"/v1/reload", "").expect(t, 200)
	get(t, at).expect(t, 200)
	lines := strings.Split(strings.TrimSpace(d.log(t)), "\n")
	want := []string{
		`"key":"confd/cpu","revision_before":"1","outcome":"begun"`,
		`"key":"confd/cpu","revision_before":"1","revision_after":"11","outcome":"done","code":200`,
		`"outcome":"begun"`, `"outcome":"refused","code":409`, `"action":"POST /v1/reload","outcome":"done","code":200`,
	}
	if len(lines) != len(want) {
		t.Fatalf("%d lines: %s", len(lines), d.log(t))
	}
	for i, part := range want {
		if !strings.Contains(lines[i], part) || !strings.Contains(lines[i], `"who":"local","from":"127.0.0.1:`) {
			t.Errorf("line %d is %s, expected %s", i+1, lines[i], part)
		}
	}
	if strings.Contains(d.log(t), "hunter") {
		t.Error("a value is on record")
	}
}

// What cannot be put on record is not done.
func TestWithoutARecordNothingIsWritten(t *testing.T) {
	for name, change := range map[string]func(o *api.Options){
		"no log":       func(o *api.Options) { o.Audit = nil },
		"a broken log": func(o *api.Options) { o.Audit = audit.New(t.TempDir()) },
	} {
		url, d, _ := consoleOf(t, &fake{}, change)
		put(t, url+"/v1/keys/etcdv3/confd/cpu", "x", "If-Match", `"1"`).expect(t, 503, "datakit.unavailable")
		send(t, http.MethodDelete, url+"/v1/keys/etcdv3/confd/cpu", nil, "If-Match", `"1"`, "X-Datakit-Console", "1").expect(t, 503)
		if d.entries["confd/cpu"].Revision != "1" {
			t.Errorf("%s: it was written", name)
		}
	}
}
