package nacos

import (
	"context"
	"crypto/md5" //nolint:gosec // it is how Nacos names a value, and protects nothing
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"

	"datakit.dev/internal/store"
	"datakit.dev/internal/store/httpnodes"
)

const (
	// pageSize is how many configurations are asked for at once, fewer where
	// they are large.
	pageSize = 200
	// maxPage bounds the answer with a page.
	maxPage = 64 << 20
	// relists is how often a list is begun anew that changes while it is read.
	relists = 5
)

// An item is the state of one configuration.
type item struct {
	value string
	size  int    // of the value in bytes, even where it is too large to be kept
	md5   string // the server's name for the value
}

// entry returns what the tree shows of it.
func (i item) entry(key string) store.Entry {
	e := store.Entry{Key: key, Value: i.value, Revision: store.Revision(i.md5)}
	if i.size > store.MaxValue {
		e.TooLarge = i.size
	}
	return e
}

// A page is one answer to a search.
type page struct {
	total int // configurations that match, on all pages
	items map[id]item
}

// search returns one page of what namespace n holds, or of the one configuration
// that i names. Both are read from the database, which knows of a write before
// what the server has in memory.
func (s *server) search(ctx context.Context, n namespace, i id, number, size int) (page, error) {
	resp, err := s.call(ctx, httpnodes.Request{Path: configsPath, Limit: maxPage, Query: url.Values{
		"search": {"accurate"}, "tenant": {n.tenant}, "group": {i.group}, "dataId": {i.dataID},
		"pageNo": {strconv.Itoa(number)}, "pageSize": {strconv.Itoa(size)},
	}})
	if err != nil {
		return page{}, err
	}
	p, err := pageOf(resp.Body, n.tenant)
	if err != nil {
		return page{}, fmt.Errorf("%w: %w", store.ErrUnavailable, err)
	}
	return p, nil
}

// pageOf reads the answer to a search in tenant.
func pageOf(body []byte, tenant string) (page, error) {
	var answer struct {
		TotalCount *int `json:"totalCount"`
		PageItems  []struct {
			Tenant  string `json:"tenant"`
			Group   string `json:"group"`
			DataID  string `json:"dataId"`
			Content string `json:"content"`
			MD5     string `json:"md5"`
		} `json:"pageItems"`
	}
	if json.Unmarshal(body, &answer) != nil || answer.TotalCount == nil || *answer.TotalCount < 0 {
		return page{}, errNotNacos
	}
	p := page{total: *answer.TotalCount, items: make(map[id]item, len(answer.PageItems))}
	for _, a := range answer.PageItems {
		if a.Tenant != tenant && (a.Tenant != public || tenant != "") {
			return page{}, errTenant
		}
		p.items[id{a.Group, a.DataID}] = itemOf(a.Content, a.MD5)
	}
	return p, nil
}

// itemOf returns the state of a configuration with value. Nacos 2 leaves its own
// checksum out of a list.
func itemOf(value, sum string) item {
	i := item{value: value, size: len(value), md5: sum}
	if i.md5 == "" {
		i.md5 = checksum(value)
	}
	if i.size > store.MaxValue {
		i.value = ""
	}
	return i
}

func checksum(value string) string {
	sum := md5.Sum([]byte(value)) //nolint:gosec // see the import
	return hex.EncodeToString(sum[:])
}

// one returns one configuration, and whether it exists.
func (s *server) one(ctx context.Context, n namespace, i id) (item, bool, error) {
	p, err := s.search(ctx, n, i, 1, 1)
	if err != nil {
		return item{}, false, err
	}
	found, ok := p.items[i]
	if !ok && p.total > 0 {
		return item{}, false, fmt.Errorf("%w: %w", store.ErrUnavailable, errNotNacos)
	}
	return found, ok, nil
}

// count returns how many configurations a namespace holds.
func (s *server) count(ctx context.Context, n namespace) (int, error) {
	p, err := s.search(ctx, n, id{}, 1, 1)
	return p.total, err
}

// list returns what a namespace holds. The pages of Nacos are no snapshot: a
// configuration that is removed between two of them moves the rest forward, and
// one is skipped. So a list counts only where every page and the number of all
// configurations agree.
func (s *server) list(ctx context.Context, n namespace) (map[id]item, error) {
	size := pageSize
	for range relists {
		items, steady, err := s.listOnce(ctx, n, size)
		if errors.Is(err, httpnodes.ErrTooLong) && size > 1 {
			size = max(size/10, 1)
			continue
		}
		if err != nil || steady {
			return items, err
		}
	}
	return nil, fmt.Errorf("%w: the list of namespace %q changes faster than it can be read", store.ErrUnavailable, n.part)
}

func (s *server) listOnce(ctx context.Context, n namespace, size int) (items map[id]item, steady bool, err error) {
	items = map[id]item{}
	bytes, total := 0, 0
	for number := 1; ; number++ {
		p, err := s.search(ctx, n, id{}, number, size)
		switch {
		case err != nil:
			return nil, false, err
		case p.total > store.MaxEntries:
			return nil, false, fmt.Errorf("%w: the namespace holds %d configurations, at most %d are taken", store.ErrUnavailable, p.total, store.MaxEntries)
		case number > 1 && p.total != total:
			return nil, false, nil
		}
		total = p.total
		for i, found := range p.items {
			items[i] = found
			bytes += len(found.value)
		}
		if bytes > store.MaxTree {
			return nil, false, fmt.Errorf("%w: the namespace holds over %d bytes", store.ErrUnavailable, store.MaxTree)
		}
		if len(p.items) == 0 || number*size >= total {
			return items, len(items) == total, nil
		}
	}
}
