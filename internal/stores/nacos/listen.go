package nacos

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"datakit.dev/internal/store"
	"datakit.dev/internal/store/httpnodes"
)

const (
	listenerPath = configsPath + "/listener"
	listenerForm = "Listening-Configs"
	// hold is how long the server is asked to wait for a change; it answers half
	// a second earlier.
	hold = 30 * time.Second

	// The server's form of a list of configurations.
	endOfWord = "\x02"
	endOfLine = "\x01"

	// The most that one request asks for. Servers take 2 MB of a form.
	maxListened      = 1000
	maxListenedBytes = 512 << 10
)

// changed returns the configurations of ids whose checksum at the server is no
// longer that in items. Where there is none yet, the server waits for one during
// hold, which may be 0.
func (s *server) changed(ctx context.Context, n namespace, ids []id, items map[id]item, hold time.Duration) ([]id, error) {
	form := listenerForm + "=" + url.QueryEscape(linesOf(n, ids, items))
	header := formHeader()
	if hold > 0 {
		header.Set("Long-Pulling-Timeout", strconv.FormatInt(hold.Milliseconds(), 10))
	}
	resp, err := s.call(ctx, httpnodes.Request{
		Method: http.MethodPost, Path: listenerPath, Header: header, Body: []byte(form), Long: hold, Limit: maxSmall,
		Query: url.Values{"tenant": {n.tenant}}, // what the permission is for
	})
	if err != nil {
		return nil, err
	}
	// Nacos tells it in a header where it was not asked to wait.
	text := string(resp.Body)
	if told := resp.Header.Get("Probe-Modify-Response-New"); told != "" {
		text = told
	}
	changed, err := idsOf(text, ids)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", store.ErrUnavailable, err)
	}
	return changed, nil
}

// linesOf returns what to listen to, in the server's form.
func linesOf(n namespace, ids []id, items map[id]item) string {
	var out strings.Builder
	for _, i := range ids {
		out.WriteString(i.dataID + endOfWord + i.group + endOfWord + items[i].md5)
		if n.tenant != "" {
			out.WriteString(endOfWord + n.tenant)
		}
		out.WriteString(endOfLine)
	}
	return out.String()
}

// idsOf reads what the server says has changed. What was not asked for is left
// out: whoever answers cannot make us fetch at will.
func idsOf(text string, asked []id) ([]id, error) {
	text, err := url.QueryUnescape(strings.TrimSpace(text))
	if err != nil {
		return nil, errNotNacos
	}
	known := make(map[id]bool, len(asked))
	for _, i := range asked {
		known[i] = true
	}
	var out []id
	for line := range strings.SplitSeq(text, endOfLine) {
		if line == "" {
			continue
		}
		words := strings.Split(line, endOfWord)
		if len(words) < 2 || len(words) > 3 {
			return nil, errNotNacos
		}
		i := id{words[1], words[0]}
		if known[i] {
			known[i] = false // once is enough
			out = append(out, i)
		}
	}
	return out, nil
}

// partition splits ids into what one request may ask for.
func partition(ids []id) [][]id {
	var out [][]id
	start, size := 0, 0
	for at, i := range ids {
		n := len(url.QueryEscape(i.group)) + len(url.QueryEscape(i.dataID))
		if at > start && (at-start >= maxListened || size+n > maxListenedBytes) {
			out = append(out, ids[start:at:at])
			start, size = at, 0
		}
		size += n
	}
	if start < len(ids) {
		out = append(out, ids[start:])
	}
	return out
}
