package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"datakit.dev/internal/api"
	"datakit.dev/internal/faketime"
	"datakit.dev/internal/status"
	"datakit.dev/internal/status/changes"
)

// counting is an agent that counts how often it is asked.
type counting struct {
	fake

	asked int
}

func (c *counting) Status() status.Status {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked++
	return c.status
}

// count returns how often it was asked.
func (c *counting) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.asked
}

// collect lets one unit of the agent do something.
func (c *counting) collect(unit int, points uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.status.Units[unit].Points += points
	c.status.Units[unit].Gathers++
}

func agentWith(units int) *counting {
	c := &counting{}
	for i := range units {
		c.status.Units = append(c.status.Units, status.Unit{ID: fmt.Sprint("input/", i)})
	}
	c.status.Stores = []status.Store{{ID: "etcdv3", Backend: "etcdv3", Root: "/datakit"}}
	c.status.Outputs = []status.Output{{Name: "a", Written: 5, Dropped: 1, QueuePoints: 2}, {Name: "b", Written: 7}}
	return c
}

// told is what a tick tells.
type told struct {
	Points, Gathers, Written, Dropped uint64
	QueuePoints                       int `json:"queue_points"`
	Stores                            []struct{ ID, Root string }
	Units                             []struct {
		ID     string
		Points uint64
	}
	Recent *struct{}
}

func ticksIn(t *testing.T, s *sluggish) (out []told) {
	t.Helper()
	for part := range strings.SplitSeq(s.String(), "\n\n") {
		data, ok := strings.CutPrefix(part, "event: tick\ndata: ")
		if !ok {
			continue
		}
		var one told
		if err := json.Unmarshal([]byte(data), &one); err != nil {
			t.Fatal(err)
		}
		out = append(out, one)
	}
	return out
}

// watchers opens n streams of one server, each at the path.
func watchers(t *testing.T, a api.Agent, n int, path string) (all []*sluggish, end func()) {
	server := api.New(api.Options{Log: slog.New(slog.DiscardHandler), Agent: a, Changes: changes.New(time.Now())})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{}, n)
	for range n {
		req := httptest.NewRequestWithContext(ctx, http.MethodGet, path, nil)
		req.RemoteAddr, req.Host = "127.0.0.1:1", "localhost"
		s := &sluggish{gate: make(chan struct{}, 1<<20)}
		open(s)
		go func() {
			server.ServeHTTP(s, req)
			done <- struct{}{}
		}()
		all = append(all, s)
	}
	return all, func() {
		cancel()
		for range n {
			<-done
		}
	}
}

func TestTicksTellWhatGrew(t *testing.T) {
	faketime.Test(t, func(t *testing.T) {
		a := agentWith(3)
		all, end := watchers(t, a, 1, "/v1/events?ticks=true")
		defer end()
		synctest.Wait()
		first := ticksIn(t, all[0])
		if len(first) != 1 || len(first[0].Units) != 3 || first[0].Written != 12 || first[0].Dropped != 1 || first[0].QueuePoints != 2 ||
			len(first[0].Stores) != 1 || first[0].Stores[0].ID != "etcdv3" || first[0].Stores[0].Root != "/datakit" {
			t.Fatalf("at once: %+v", first)
		}
		a.collect(1, 30)
		time.Sleep(2*time.Second + time.Millisecond)
		second := ticksIn(t, all[0])[1]
		if second.Points != 30 || second.Gathers != 1 || len(second.Units) != 1 || second.Units[0].ID != "input/1" || second.Units[0].Points != 30 {
			t.Errorf("then: %+v", second)
		}
		time.Sleep(2 * time.Second)
		if third := ticksIn(t, all[0])[2]; third.Points != 30 || third.Units == nil || len(third.Units) != 0 {
			t.Errorf("where nothing grew: %+v", third)
		}
		// A unit that is gone and comes back with the same figures is told anew.
		a.mu.Lock()
		gone := a.status.Units[2]
		a.status.Units = a.status.Units[:2]
		a.mu.Unlock()
		time.Sleep(2 * time.Second)
		a.mu.Lock()
		a.status.Units = append(a.status.Units, gone)
		a.mu.Unlock()
		time.Sleep(2 * time.Second)
		if last := ticksIn(t, all[0])[4]; len(last.Units) != 1 || last.Units[0].ID != "input/2" {
			t.Errorf("back again: %+v", last)
		}
	})
}

func TestWhoDoesNotAskGetsNoTicks(t *testing.T) {
	faketime.Test(t, func(t *testing.T) {
		a := agentWith(1)
		for _, path := range []string{"/v1/events", "/v1/events?ticks=false"} {
			all, end := watchers(t, a, 1, path)
			time.Sleep(time.Minute)
			if strings.Contains(all[0].String(), "tick") || a.count() > 0 {
				t.Errorf("%s: asked %d times, %s", path, a.count(), all[0])
			}
			end()
		}
	})
}

// Many open pages cost the agent hardly more than one, and none at all nothing.
func TestPagesShareOneSample(t *testing.T) {
	faketime.Test(t, func(t *testing.T) {
		a := agentWith(10)
		all, end := watchers(t, a, 40, "/v1/events?ticks=1")
		time.Sleep(time.Minute + time.Millisecond)
		for _, s := range all {
			if n := len(ticksIn(t, s)); n != 31 {
				t.Errorf("%d ticks in a minute", n)
			}
		}
		if n := a.count(); n > 31 {
			t.Errorf("asked %d times in a minute", n)
		}
		end()
		before := a.count()
		time.Sleep(time.Minute)
		if a.count() != before {
			t.Error("it is asked though nobody listens")
		}
	})
}

// Of ten thousand units a tick names some, the next ones others, and none is left out.
func TestATickIsBounded(t *testing.T) {
	faketime.Test(t, func(t *testing.T) {
		all, end := watchers(t, agentWith(1200), 1, "/v1/events?ticks=true")
		defer end()
		time.Sleep(6*time.Second + time.Millisecond)
		seen := map[string]bool{}
		for _, one := range ticksIn(t, all[0]) {
			if len(one.Units) > 500 {
				t.Errorf("a tick of %d units", len(one.Units))
			}
			for _, u := range one.Units {
				seen[u.ID] = true
			}
		}
		if len(seen) != 1200 {
			t.Errorf("%d of 1200 units were told", len(seen))
		}
	})
}
