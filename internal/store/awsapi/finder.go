package awsapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"datakit.dev/internal/store"
)

const (
	// findTimeout bounds one question: an address of the link that nobody has
	// swallows what is sent to it.
	findTimeout = 5 * time.Second
	dialTimeout = 2 * time.Second
	// maxFound bounds an answer, and a file.
	maxFound = 1 << 20
)

// A finder looks for keys and for a region where the tools of AWS do.
type finder struct {
	env  func(string) string
	now  func() time.Time
	http *http.Client
	at   string // the region, once it is known
}

func newFinder(env func(string) string) finder {
	return finder{env: env, now: time.Now, http: &http.Client{
		Timeout:       findTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DisableKeepAlives:   true, // it is asked once an hour
			DialContext:         (&net.Dialer{Timeout: dialTimeout}).DialContext,
			TLSHandshakeTimeout: dialTimeout,
			Proxy:               proxy,
		},
	}}
}

// proxy spares the addresses of this very machine and of its link.
func proxy(r *http.Request) (*url.URL, error) {
	if ip, err := netip.ParseAddr(r.URL.Hostname()); err == nil && (ip.IsLinkLocalUnicast() || ip.IsPrivate() || ip.IsLoopback()) {
		return nil, nil //nolint:nilnil // no proxy, as net/http wants it said
	}
	return http.ProxyFromEnvironment(r)
}

// errNone says that a place of keys is not there at all, and the next is asked.
var errNone = errors.New("not there")

// keys asks each place in turn. One that is there and fails is not passed over:
// the keys of another would be those of somebody else.
func (f finder) keys(ctx context.Context) (aws.Credentials, error) {
	for _, place := range []func(context.Context) (aws.Credentials, error){
		f.environment, f.webIdentity, f.profile, f.container, f.machine,
	} {
		found, err := place(ctx)
		switch {
		case ctx.Err() != nil:
			return found, ctx.Err()
		case err == nil && (found.AccessKeyID == "" || found.SecretAccessKey == ""):
			return found, fmt.Errorf("%w: the AWS credentials that were found hold no key", store.ErrDenied)
		case !errors.Is(err, errNone):
			return found, err
		}
	}
	return aws.Credentials{}, fmt.Errorf("%w: no AWS credentials: set access_key and secret_key, or give this machine a role", store.ErrDenied)
}

// region returns the region of the environment, of the profile, or, where asked
// for, of the machine; "" where there is none.
func (f finder) region(ctx context.Context, machine bool) (string, error) {
	found := f.env("AWS_REGION")
	if found == "" {
		found = f.env("AWS_DEFAULT_REGION")
	}
	if found == "" {
		p, err := f.section()
		if err != nil && !errors.Is(err, errNone) {
			return "", err
		}
		found = p["region"]
	}
	if found == "" && machine {
		body, err := f.metadata(ctx, "/latest/meta-data/placement/region")
		if err != nil {
			if ctx.Err() != nil {
				return "", ctx.Err()
			}
			return "", fmt.Errorf("%w: no region is known: set region, or AWS_REGION in the environment", store.ErrUnavailable)
		}
		found = strings.TrimSpace(string(body))
	}
	if found == "" {
		return "", nil
	}
	return found, checkRegion(found)
}

// ask sends one request. An answer that is no success is an error of package
// store, by its status.
func (f finder) ask(ctx context.Context, method, target string, header http.Header, body io.Reader) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, target, body)
	if err != nil {
		return nil, fmt.Errorf("%w: the address for AWS credentials is no URL", store.ErrDenied)
	}
	for name, values := range header {
		req.Header[http.CanonicalHeaderKey(name)] = values
	}
	resp, err := f.http.Do(req)
	if err != nil {
		if u, ok := errors.AsType[*url.Error](err); ok {
			err = u.Err
		}
		return nil, fmt.Errorf("%w: %s, which has AWS credentials: %w", store.ErrUnavailable, req.URL.Host, err)
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxFound))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: %s, which has AWS credentials: %w", store.ErrUnavailable, req.URL.Host, err)
	case resp.StatusCode == http.StatusOK:
		return answer, nil
	}
	kind := store.ErrDenied
	if resp.StatusCode >= http.StatusInternalServerError || resp.StatusCode == http.StatusTooManyRequests {
		kind = store.ErrUnavailable
	}
	return answer, fmt.Errorf("%w: %s gives no AWS credentials: status %d", kind, req.URL.Host, resp.StatusCode)
}
