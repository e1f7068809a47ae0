package dataway

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"datakit.dev/internal/point"
	"datakit.dev/internal/spec"
)

// writeRoute stands before the category.
const writeRoute = "/v1/write/"

var errNoURL = errors.New(`[dataway] urls is empty: write urls = ["https://HOST?token=TOKEN"]`)

// An endpoint is one of the addresses.
type endpoint struct {
	name    string // scheme and host: what errors may say
	base    *url.URL
	secrets []string // what must not be said
	parts   int      // of the batch under way: so many are done here
}

// endpoints parses the addresses. Its errors count them and do not show them:
// what cannot be parsed may hold a token anywhere.
func endpoints(urls []string) ([]*endpoint, error) {
	if len(urls) == 0 {
		return nil, errNoURL
	}
	ends := make([]*endpoint, len(urls))
	for i, s := range urls {
		u, err := url.Parse(strings.TrimSpace(s))
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return nil, fmt.Errorf("[dataway] urls: address %d is not of the form https://HOST?token=TOKEN", i+1)
		}
		u.Fragment = ""
		ends[i] = &endpoint{name: u.Scheme + "://" + u.Host, base: u, secrets: secretsOf(u)}
	}
	return ends, nil
}

// secretsOf returns everything in u that names no place: its query's values and
// its password, as written and as decoded.
func secretsOf(u *url.URL) []string {
	var out []string
	for pair := range strings.SplitSeq(u.RawQuery, "&") {
		_, raw, _ := strings.Cut(pair, "=")
		out = append(out, raw)
	}
	for _, values := range u.Query() {
		out = append(out, values...)
	}
	if password, ok := u.User.Password(); ok {
		out = append(out, password, url.QueryEscape(password))
	}
	return out
}

// target returns the address of the points of category c.
func (e *endpoint) target(c point.Category) string {
	u := *e.base
	u.Path = strings.TrimRight(u.Path, "/") + writeRoute + string(c)
	u.RawPath = ""
	return u.String()
}

// clean takes e's secrets out of a text that came from outside: a server or a
// proxy may repeat the address that it was asked for.
func (e *endpoint) clean(s string) string {
	for _, secret := range e.secrets {
		if len(secret) >= minSecret {
			s = strings.ReplaceAll(s, secret, spec.Hidden)
		}
	}
	return spec.RedactURL(s)
}

// minSecret keeps clean from hiding every "1" of a text because of an a=1 in
// the address.
const minSecret = 4
