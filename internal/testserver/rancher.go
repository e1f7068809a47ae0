package testserver

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// A Rancher is a stand-in for the metadata service of Rancher 1.x, written from
// its protocol: the service itself comes with a whole Rancher only, which has
// had no release since 2018. It has the versions of the tree in the path, parts
// of a path that are read as a query's are, arrays by index, name and uuid, lower
// case for what is not found, the errors as JSON or text, and requests that are
// held until a value is another one, with its clock looked at every 5 s.
type Rancher struct {
	Endpoint string // URL

	listen string
	ca     *CA
	server *http.Server

	mu      sync.Mutex
	tree    map[string]any
	version int
	unknown bool // it does not know who asks
	paused  chan struct{}
	moved   chan struct{} // closed at each change, then made anew
	asked   map[string]int
}

// rancherVersion is the version of the tree beside "latest".
const rancherVersion = "2016-07-29"

// recheck is how often a held request looks at the clock.
const recheck = 5 * time.Second

// maxHold bounds what a client may ask for.
const (
	maxHold     = 2 * time.Minute
	defaultHold = time.Minute
)

// StartRancher starts a server, by TLS if ca is not nil, and ends it with the
// test.
func StartRancher(tb testing.TB, ca *CA) *Rancher {
	tb.Helper()
	r := &Rancher{listen: freeAddress(tb), ca: ca, moved: make(chan struct{}), asked: map[string]int{}}
	r.Endpoint = "http://" + r.listen
	if ca != nil {
		r.Endpoint = "https://" + r.listen
	}
	r.Wipe(tb)
	r.Start(tb)
	tb.Cleanup(func() { r.Stop(tb) })
	return r
}

// Wipe leaves what every container sees of itself, and no metadata.
func (r *Rancher) Wipe(testing.TB) {
	r.change(func() {
		r.tree = map[string]any{
			"environment_name": "Default",
			"self": map[string]any{
				"container": map[string]any{"name": "agent-1", "uuid": "0a1b", "labels": map[string]any{}},
				"service":   map[string]any{"name": "agent", "stack_name": "monitoring", "metadata": map[string]any{}},
				"stack":     map[string]any{"name": "monitoring"},
				"host":      map[string]any{"name": "host-1", "labels": map[string]any{}},
			},
		}
	})
}

// Start starts a stopped server on the same address.
func (r *Rancher) Start(tb testing.TB) {
	tb.Helper()
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", r.listen)
	if err != nil {
		tb.Fatal(err)
	}
	if r.ca != nil {
		pair := r.ca.Issue(tb, "127.0.0.1")
		cert, err := tls.LoadX509KeyPair(pair.Cert, pair.Key)
		if err != nil {
			tb.Fatal(err)
		}
		conf := r.ca.client()
		l = tls.NewListener(l, &tls.Config{
			MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{cert}, ClientCAs: conf.RootCAs, ClientAuth: tls.RequireAndVerifyClientCert,
		})
	}
	r.server = &http.Server{Handler: http.HandlerFunc(r.serve), ReadHeaderTimeout: startup, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)}
	go func() { _ = r.server.Serve(l) }()
}

// Stop ends the server and its connections; what it holds stays.
func (r *Rancher) Stop(testing.TB) { _ = r.server.Close() }

// Pause freezes the server: it keeps its connections and answers nothing.
func (r *Rancher) Pause(testing.TB) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.paused = make(chan struct{})
}

// Resume ends Pause.
func (r *Rancher) Resume(testing.TB) {
	r.mu.Lock()
	defer r.mu.Unlock()
	close(r.paused)
	r.paused = nil
}

// Forget makes the server not know, or know again, which container asks.
func (r *Rancher) Forget(_ testing.TB, unknown bool) {
	r.change(func() { r.unknown = unknown })
}

// Set puts a value, of any shape that JSON has, at a path, whose parts are made
// where they are missing.
func (r *Rancher) Set(tb testing.TB, path string, value any) {
	tb.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		tb.Fatal(err)
	}
	var own any // as the service has it, and shared with nobody
	if err := json.Unmarshal(text, &own); err != nil {
		tb.Fatal(err)
	}
	folders, name := splitPath(path)
	r.change(func() { r.folder(folders, true)[name] = own })
}

// Delete removes what is at a path.
func (r *Rancher) Delete(tb testing.TB, path string) {
	tb.Helper()
	folders, name := splitPath(path)
	r.change(func() {
		if f := r.folder(folders, false); f != nil {
			delete(f, name)
		}
	})
}

// Save returns what the server holds, as a backup.
func (r *Rancher) Save(tb testing.TB) string {
	tb.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	text, err := json.Marshal(r.tree)
	if err != nil {
		tb.Fatal(err)
	}
	return strconv.Itoa(r.version) + " " + string(text)
}

// Restore puts a backup back, with the version of that time.
func (r *Rancher) Restore(tb testing.TB, backup string) {
	tb.Helper()
	version, text, _ := strings.Cut(backup, " ")
	var tree map[string]any
	if err := json.Unmarshal([]byte(text), &tree); err != nil {
		tb.Fatal(err)
	}
	n, err := strconv.Atoi(version)
	if err != nil {
		tb.Fatal(err)
	}
	r.change(func() { r.tree, r.version = tree, n-1 }) // change counts one up
}

// Asked returns how often a path was asked for.
func (r *Rancher) Asked(path string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.asked[path]
}

func splitPath(path string) (folders []string, name string) {
	parts := strings.Split(strings.TrimPrefix(path, "/"), "/")
	return parts[:len(parts)-1], parts[len(parts)-1]
}

func (r *Rancher) folder(path []string, create bool) map[string]any {
	f := r.tree
	for _, part := range path {
		next, ok := f[part].(map[string]any)
		if !ok && !create {
			return nil
		}
		if !ok {
			next = map[string]any{}
			f[part] = next
		}
		f = next
	}
	return f
}

// change changes the tree, which moves the version of everything.
func (r *Rancher) change(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f()
	r.version++
	close(r.moved)
	r.moved = make(chan struct{})
}

func (r *Rancher) serve(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	paused := r.paused
	r.asked[req.URL.Path]++
	r.mu.Unlock()
	if paused != nil {
		select {
		case <-paused:
		case <-req.Context().Done():
			return
		}
	}
	if req.URL.Path == "/" {
		respond(w, req, map[string]any{"latest": "latest", rancherVersion: rancherVersion})
		return
	}
	parts := strings.Split(strings.TrimRight(req.URL.EscapedPath()[1:], "/"), "/")
	for i, p := range parts {
		var err error
		if parts[i], err = url.QueryUnescape(p); err != nil {
			refuse(w, req, err.Error(), http.StatusBadRequest)
			return
		}
	}
	if parts[0] != "latest" && parts[0] != rancherVersion {
		refuse(w, req, "Invalid version", http.StatusNotFound)
		return
	}
	value, ok := r.wait(req, parts[1:])
	if !ok {
		refuse(w, req, "Not found", http.StatusNotFound)
		return
	}
	respond(w, req, value)
}

// wait returns the value at path: where the request asks for that, once it is
// another one than the caller has.
func (r *Rancher) wait(req *http.Request, path []string) (any, bool) {
	q := req.URL.Query()
	seconds, _ := strconv.Atoi(q.Get("maxWait"))
	limit := min(time.Duration(seconds)*time.Second, maxHold)
	if limit == 0 {
		limit = defaultHold
	}
	began := time.Now()
	tick := time.NewTicker(recheck)
	defer tick.Stop()
	for {
		value, ok, moved := r.lookup(path)
		if q.Get("wait") != "true" || time.Since(began) > limit || ok && fmt.Sprint(value) != q.Get("value") {
			return value, ok
		}
		select {
		case <-moved:
		case <-tick.C:
		case <-req.Context().Done():
			return nil, false
		}
	}
}

func (r *Rancher) lookup(path []string) (value any, ok bool, moved chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if slices.Equal(path, []string{"version"}) {
		return fmt.Sprintf("%d-f00d", r.version), true, r.moved
	}
	if r.unknown && len(path) > 0 && strings.EqualFold(path[0], "self") {
		return nil, false, r.moved
	}
	value, ok = at(r.tree, path)
	if !ok {
		value, ok = at(r.tree, strings.Split(strings.ToLower(strings.Join(path, "/")), "/"))
	}
	text, err := json.Marshal(value) // now, as the tree may change
	if err != nil {
		return nil, false, r.moved
	}
	return json.RawMessage(text), ok, r.moved
}

// at goes down a path: arrays have their elements by index, name and uuid.
func at(value any, path []string) (any, bool) {
	for _, part := range path {
		switch v := value.(type) {
		case map[string]any:
			next, ok := v[part]
			if !ok {
				return nil, false
			}
			value = next
		case []any:
			i := slices.IndexFunc(v, func(e any) bool {
				m, _ := e.(map[string]any)
				return m["name"] == part || m["uuid"] == part
			})
			if n, err := strconv.Atoi(part); err == nil {
				i = n
			}
			if i < 0 || i >= len(v) {
				return nil, false
			}
			value = v[i]
		default:
			return nil, false
		}
	}
	return value, true
}

func respond(w http.ResponseWriter, req *http.Request, value any) {
	if !strings.Contains(req.Header.Get("Accept"), "json") {
		fmt.Fprint(w, value)
		return
	}
	text, err := json.Marshal(value)
	if err != nil {
		refuse(w, req, err.Error(), http.StatusInternalServerError)
		return
	}
	_, _ = w.Write(text) // the client may be gone
}

func refuse(w http.ResponseWriter, req *http.Request, message string, status int) {
	if strings.Contains(req.Header.Get("Accept"), "json") {
		text, _ := json.Marshal(map[string]any{"type": "error", "code": status, "message": message})
		message = string(text)
	}
	http.Error(w, message, status)
}
