package rancher

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"datakit.dev/internal/diag"
	"datakit.dev/internal/store"
	"datakit.dev/internal/store/follow"
	"datakit.dev/internal/store/httpnodes"
)

const (
	// defaultHold is how long the server is asked to hold a request for the
	// version. It runs on the same host, so that asking often costs little, and a
	// frozen one is noticed soon.
	defaultHold = 10 * time.Second
	// recheck is how much later than asked the server may look at its clock.
	recheck = 5 * time.Second
)

var (
	errMissing = errors.New("nothing is there")
	errAnswer  = errors.New("the answer makes no sense")
)

// Follow implements [follow.Source].
func (s *source) Follow(ctx context.Context, c *follow.Copy) error {
	version, err := s.version(ctx, nil)
	if err != nil {
		return err
	}
	for {
		// The version is older than the list: a change between the two makes the
		// next wait return at once.
		entries, err := s.list(ctx)
		if err != nil {
			return err
		}
		if err := c.Replace(0, entries); err != nil {
			return err
		}
		s.seen.Store(&version)
		if version, err = s.moved(ctx, c, version); err != nil {
			return err
		}
	}
}

// moved waits until the version is no longer old.
func (s *source) moved(ctx context.Context, c *follow.Copy, old string) (string, error) {
	for {
		now, err := s.version(ctx, &old)
		if err != nil || now != old {
			return now, err
		}
		c.Heard()
	}
}

// Ask implements [follow.Source].
func (s *source) Ask(ctx context.Context) error {
	now, err := s.version(ctx, nil)
	if err != nil {
		return err
	}
	if seen := s.seen.Load(); seen == nil || now != *seen {
		return errors.New("the metadata has changed since")
	}
	return nil
}

// version returns the version of all metadata, with old once it is another one
// or the time to hold is over.
func (s *source) version(ctx context.Context, old *string) (string, error) {
	r := s.request("/version")
	if old != nil {
		r.Query = url.Values{"wait": {"true"}, "value": {*old}, "maxWait": {strconv.Itoa(max(int(s.hold/time.Second), 1))}}
		r.Long = s.hold + recheck
	}
	body, err := s.get(ctx, r)
	switch {
	case errors.Is(err, errMissing):
		return "", fmt.Errorf("%w: this is no metadata of Rancher, or not in that version", store.ErrUnavailable)
	case err != nil:
		return "", err
	}
	return readVersion(body)
}

// maxVersion bounds a version, which goes back to the server in a query.
const maxVersion = 1024

func readVersion(body []byte) (string, error) {
	var version string
	if json.Unmarshal(body, &version) == nil && version != "" && len(version) <= maxVersion {
		return version, nil
	}
	var number json.Number
	if json.Unmarshal(body, &number) == nil && number != "" && len(number) <= maxVersion {
		return number.String(), nil
	}
	return "", fmt.Errorf("%w: %w: the version of the metadata is neither text nor number", store.ErrUnavailable, errAnswer)
}

// list reads our keys.
func (s *source) list(ctx context.Context) (map[string]store.Entry, error) {
	for _, root := range s.roots {
		body, err := s.get(ctx, s.request(root))
		switch {
		case errors.Is(err, errMissing):
			continue
		case err != nil:
			return nil, err
		}
		return readLeaves(body)
	}
	return map[string]store.Entry{}, s.known(ctx)
}

// known fails where the service cannot say who asks: it finds that out by the
// address, and before it knows a new container, or one that belongs to no
// service, everything of its own is missing. That must not look deleted.
func (s *source) known(ctx context.Context) error {
	parts := strings.SplitN(s.roots[0], "/", 4) // "", self, service, …
	if parts[1] != "self" || len(parts) < 4 {
		return nil
	}
	_, err := s.get(ctx, s.request("/self/"+parts[2]+"/name"))
	if errors.Is(err, errMissing) {
		return fmt.Errorf("%w: Rancher knows no %s of this container (yet): run the agent in one, or set prefix", store.ErrUnavailable, diag.OneLine(parts[2]))
	}
	return err
}

// get returns the body of an answer, errMissing where there is nothing.
func (s *source) get(ctx context.Context, r httpnodes.Request) ([]byte, error) {
	resp, err := s.client.Do(ctx, r)
	if err != nil {
		return nil, err
	}
	return answer(resp)
}

func answer(resp httpnodes.Response) ([]byte, error) {
	switch resp.Status {
	case http.StatusOK:
		return resp.Body, nil
	case http.StatusUnauthorized, http.StatusForbidden: // of a proxy: the service asks nobody
		return nil, fmt.Errorf("%w: the server answers %d", store.ErrDenied, resp.Status)
	case http.StatusNotFound:
		// Any web server answers 404; only Rancher's own means that nothing is there.
		var e struct {
			Type, Message string
			Code          int
		}
		if json.Unmarshal(resp.Body, &e) == nil && e.Type == "error" && e.Code == http.StatusNotFound {
			return nil, errMissing
		}
	}
	return nil, fmt.Errorf("%w: the server answers %d, and that not as Rancher's metadata does", store.ErrUnavailable, resp.Status)
}
