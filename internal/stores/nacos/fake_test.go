package nacos

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
	"datakit.dev/internal/store/httpnodes"
)

// fakeServer returns a server with the answers of handle, for what no real one
// can be made to say.
func fakeServer(t *testing.T, login credentials, handle http.HandlerFunc) *server {
	t.Helper()
	front := httptest.NewServer(handle)
	t.Cleanup(front.Close)
	nodes, err := httpnodes.New("nacos", "8848", spec.Values{"nodes": []string{front.URL}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nodes.Close)
	return newServer(nodes, login)
}

// answerPage answers a search with a page of what there is.
func answerPage(w http.ResponseWriter, r *http.Request, keys []string) {
	number, _ := strconv.Atoi(r.FormValue("pageNo"))
	size, _ := strconv.Atoi(r.FormValue("pageSize"))
	var items []string
	for at := (number - 1) * size; at < min(number*size, len(keys)); at++ {
		items = append(items, fmt.Sprintf(`{"dataId":%q,"group":"g","tenant":"t","content":"x"}`, keys[at]))
	}
	_, _ = fmt.Fprintf(w, `{"totalCount":%d,"pageItems":[%s]}`, len(keys), strings.Join(items, ","))
}

func numbered(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("n%04d", i)
	}
	return out
}

// A key that is removed between two pages moves the others forward, and one of
// them onto the page that was read already: it must not look removed.
func TestListThatMovesWhileItIsRead(t *testing.T) {
	keys, pages := numbered(2*pageSize+5), 0
	s := fakeServer(t, credentials{}, func(w http.ResponseWriter, r *http.Request) {
		answerPage(w, r, keys)
		if pages++; pages == 1 {
			keys = keys[1:]
		}
	})
	items, err := s.list(context.Background(), namespace{"confd", "t"})
	if err != nil || len(items) != len(keys) {
		t.Fatalf("%d of %d keys, %v", len(items), len(keys), err)
	}
	for _, key := range keys {
		if _, ok := items[id{"g", key}]; !ok {
			t.Errorf("%s is missing", key)
		}
	}
}

// One is removed and another added: the number is the same and the pages are not.
func TestListWithAKeyThatIsThereTwice(t *testing.T) {
	keys, pages := numbered(pageSize+5), 0
	s := fakeServer(t, credentials{}, func(w http.ResponseWriter, r *http.Request) {
		answerPage(w, r, keys)
		if pages++; pages == 1 {
			keys = append([]string{"new"}, keys[:len(keys)-1]...)
		}
	})
	items, err := s.list(context.Background(), namespace{"confd", "t"})
	if _, ok := items[id{"g", "new"}]; err != nil || !ok || len(items) != len(keys) {
		t.Fatalf("%d of %d keys, %v", len(items), len(keys), err)
	}
}

func TestListThatNeverRestsIsUnavailable(t *testing.T) {
	n := pageSize + 5
	s := fakeServer(t, credentials{}, func(w http.ResponseWriter, r *http.Request) {
		n++
		answerPage(w, r, numbered(n))
	})
	if items, err := s.list(context.Background(), namespace{"confd", "t"}); !errors.Is(err, store.ErrUnavailable) {
		t.Fatalf("%d keys, %v", len(items), err)
	}
}

// A page that is larger than an answer may be is asked for in smaller ones.
func TestListOfLargeValues(t *testing.T) {
	keys := numbered(70)
	s := fakeServer(t, credentials{}, func(w http.ResponseWriter, r *http.Request) {
		if size, _ := strconv.Atoi(r.FormValue("pageSize")); size > 20 {
			blank := []byte(strings.Repeat(" ", 1<<20))
			for range maxPage>>20 + 1 {
				_, _ = w.Write(blank)
			}
		}
		answerPage(w, r, keys)
	})
	if items, err := s.list(context.Background(), namespace{"confd", "t"}); err != nil || len(items) != len(keys) {
		t.Fatalf("%d of %d keys, %v", len(items), len(keys), err)
	}
}

func TestTooManyKeysAreRefused(t *testing.T) {
	s := fakeServer(t, credentials{}, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprintf(w, `{"totalCount":%d,"pageItems":[]}`, store.MaxEntries+1)
	})
	if _, err := s.list(context.Background(), namespace{"confd", "t"}); err == nil || !strings.Contains(err.Error(), "at most") {
		t.Fatalf("%v", err)
	}
}

func TestWhatIsNotNacosIsUnavailable(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
	}{
		"a web page":         {200, "<html>"},
		"another service":    {404, "404 page not found"},
		"an error within OK": {200, `{"code":500,"message":"broken"}`},
		"no database":        {500, "caused: no DataSource set;"},
		"starting":           {503, "server is STARTING now, please try again later!"},
	} {
		t.Run(name, func(t *testing.T) {
			s := fakeServer(t, credentials{}, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(c.status)
				_, _ = w.Write([]byte(c.body))
			})
			if items, err := s.list(context.Background(), namespace{"confd", "t"}); !errors.Is(err, store.ErrUnavailable) {
				t.Errorf("list: %v, %v", items, err)
			}
			if c.status == http.StatusOK {
				return // nothing has changed where nothing is said
			}
			if _, err := s.changed(context.Background(), namespace{"confd", "t"}, []id{{"g", "a"}}, nil, 0); !errors.Is(err, store.ErrUnavailable) {
				t.Errorf("changed: %v", err)
			}
		})
	}
}

// A refusal is believed when a new token is refused, too: not before, and
// without asking for ever.
func TestRefusalIsBelievedOnce(t *testing.T) {
	logins, calls := 0, 0
	s := fakeServer(t, credentials{"agent", "pa55"}, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == loginPath {
			logins++
			_, _ = fmt.Fprintf(w, `{"accessToken":"secret-token-%d","tokenTtl":100}`, logins)
			return
		}
		calls++
		w.WriteHeader(http.StatusForbidden)
		_, _ = fmt.Fprintf(w, `{"message":"no permission for %s"}`, r.FormValue("accessToken"))
	})
	_, err := s.count(context.Background(), namespace{"confd", "t"})
	if !errors.Is(err, store.ErrDenied) || strings.Contains(err.Error(), "secret-token") {
		t.Errorf("%v", err)
	}
	if logins != 2 || calls != 2 {
		t.Errorf("%d logins, %d calls", logins, calls)
	}
}

// A server that has just started may list nothing, or too little: after a break
// that is believed only when it stays so.
func TestServerThatIsStillLoading(t *testing.T) {
	n := namespace{"confd", "t"}
	for name, c := range map[string]struct {
		broken bool
		known  []string
		lists  [][]string // one after the other, the last one for ever
		want   int
	}{
		"at first an empty one is believed":   {false, nil, [][]string{{}, {"a"}}, 0},
		"after a break it may fill":           {true, nil, [][]string{{}, {"a", "b"}}, 2},
		"or stay empty":                       {true, []string{"a"}, [][]string{{}}, 0},
		"keys that were known come back":      {true, []string{"a", "b"}, [][]string{{"a"}, {"a", "b"}}, 2},
		"or are gone":                         {true, []string{"a", "b"}, [][]string{{"a"}}, 1},
		"new keys alone are believed":         {true, []string{"a"}, [][]string{{"a", "b"}, {}}, 2},
		"it may load for longer than a while": {true, []string{"a"}, [][]string{{}, {"b"}, {"b", "a"}}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			left := c.lists
			src := &source{broken: c.broken, known: map[namespace]map[id]item{n: {}}, server: fakeServer(t, credentials{}, func(w http.ResponseWriter, r *http.Request) {
				answerPage(w, r, left[0])
				if len(left) > 1 {
					left = left[1:]
				}
			})}
			for _, key := range c.known {
				src.known[n][id{"g", key}] = itemOf("x", "")
			}
			items, err := src.believable(t.Context(), n)
			if err != nil || len(items) != c.want {
				t.Errorf("%v, %v; want %d keys", items, err, c.want)
			}
		})
	}
}
