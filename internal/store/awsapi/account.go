package awsapi

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/smithy-go/logging"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"datakit.dev/internal/diag"
	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
	"datakit.dev/internal/store/httpnodes"
)

const (
	// findTimeout bounds the search for a region or for credentials: an address
	// of the link that nobody has swallows what is sent to it.
	findTimeout = 8 * time.Second
	dialTimeout = 2 * time.Second
	// fallbackRegion signs requests to nodes that are no region's, as emulators are.
	fallbackRegion = "us-east-1"
)

// account is what the options say of where to and as whom.
type account struct {
	values spec.Values
	region string
	static aws.CredentialsProvider // of access_key and secret_key, or nil
	nodes  bool                    // nodes are named
}

func parse(service Service, v spec.Values) (account, error) {
	a := account{values: v, region: v.String("region"), nodes: len(v.Strings("nodes")) > 0}
	id, secret := v.String("access_key"), v.String("secret_key")
	if (id == "") != (secret == "") {
		return a, errors.New("access_key and secret_key go together: set both or none")
	}
	if id != "" {
		a.static = credentials.NewStaticCredentialsProvider(id, secret, "")
	}
	if strings.ContainsFunc(id, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return a, errors.New("access_key holds spaces, or characters that no access key has")
	}
	if a.region != "" {
		if err := checkRegion(a.region); err != nil {
			return a, err
		}
	}
	if !a.nodes {
		v = at(v, "https://"+service.Host+".example.com") // only to have the TLS options looked at
	}
	_, err := httpnodes.New(service.Backend, "443", v)
	return a, err
}

// checkRegion refuses what would make another host of an address.
func checkRegion(region string) error {
	if ok, _ := regexp.MatchString(`^[a-z0-9]+(-[a-z0-9]+)*$`, region); !ok || len(region) > 40 {
		return errors.New("region: expected a name such as us-east-1")
	}
	return nil
}

// at returns v with one node.
func at(v spec.Values, node string) spec.Values {
	v = maps.Clone(v)
	v["nodes"] = []string{node}
	return v
}

// endpoint returns the public address of a service.
func endpoint(service Service, region string) string {
	domain := "amazonaws.com"
	if strings.HasPrefix(region, "cn-") {
		domain = "amazonaws.com.cn"
	}
	return "https://" + service.Host + "." + region + "." + domain
}

// A connection is an account whose region and source of credentials are known.
type connection struct {
	nodes     *httpnodes.Client
	region    string
	source    aws.CredentialsProvider
	renewable bool // another look may find other credentials
}

// connect returns the connection there is, or finds what it needs.
func (c *Client) connect(ctx context.Context) (*connection, error) {
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if c.conn != nil {
		return c.conn, nil
	}
	conn, err := c.account.find(ctx, c.service)
	if err == nil {
		c.conn = conn
	}
	return conn, err
}

// drop has the next call look for everything anew.
func (c *Client) drop(conn *connection) {
	c.turn <- struct{}{}
	defer func() { <-c.turn }()
	if c.conn == conn {
		c.conn.nodes.Close()
		c.conn = nil
	}
}

func (a account) find(ctx context.Context, service Service) (*connection, error) {
	conn := &connection{region: a.region, source: a.static, renewable: a.static == nil}
	if conn.source == nil || conn.region == "" {
		if err := a.complete(ctx, conn); err != nil {
			return nil, err
		}
	}
	v := a.values
	if !a.nodes {
		v = at(v, endpoint(service, conn.region))
	}
	var err error
	conn.nodes, err = httpnodes.New(service.Backend, "443", v)
	return conn, err
}

// complete looks for what the options leave out where the tools of AWS would.
func (a account) complete(ctx context.Context, conn *connection) error {
	inner, cancel := context.WithTimeout(ctx, findTimeout)
	defer cancel()
	options := []func(*config.LoadOptions) error{
		config.WithHTTPClient(finder()), config.WithLogger(logging.Nop{}), // it would write to standard error
	}
	if a.static != nil {
		options = append(options, config.WithCredentialsProvider(a.static))
	}
	if a.region != "" {
		options = append(options, config.WithRegion(a.region))
	}
	found, err := config.LoadDefaultConfig(inner, options...)
	if err != nil {
		return lost(ctx, "the AWS configuration of this machine cannot be used", err)
	}
	if conn.source == nil {
		conn.source = found.Credentials
	}
	switch {
	case conn.region != "":
		return nil
	case found.Region != "":
		conn.region = found.Region
	case a.nodes:
		conn.region = fallbackRegion
	default:
		here, err := imds.NewFromConfig(found).GetRegion(inner, nil)
		if err != nil {
			return lost(ctx, "no region is known: set region, or AWS_REGION in the environment", err)
		}
		conn.region = here.Region
	}
	return checkRegion(conn.region)
}

// finder returns what the search for credentials connects with. It keeps no
// connection, which would outlive the store, and asks no proxy for addresses of
// this very machine.
func finder() *http.Client {
	return &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DisableKeepAlives:   true,
			DialContext:         (&net.Dialer{Timeout: dialTimeout}).DialContext,
			TLSHandshakeTimeout: dialTimeout,
			Proxy: func(r *http.Request) (*url.URL, error) {
				if ip, err := netip.ParseAddr(r.URL.Hostname()); err == nil && (ip.IsLinkLocalUnicast() || ip.IsPrivate() || ip.IsLoopback()) {
					return nil, nil //nolint:nilnil // no proxy, as net/http wants it said
				}
				return http.ProxyFromEnvironment(r)
			},
		},
	}
}

// retrieve returns the credentials of now.
func (conn *connection) retrieve(ctx context.Context) (aws.Credentials, error) {
	inner, cancel := context.WithTimeout(ctx, findTimeout)
	defer cancel()
	keys, err := conn.source.Retrieve(inner)
	if err != nil {
		return keys, lost(ctx, "no AWS credentials: set access_key and secret_key, or give this machine a role", err)
	}
	return keys, nil
}

// lost tells a place of credentials that is away from one that has none.
func lost(ctx context.Context, what string, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	kind := store.ErrDenied
	// The metadata of EC2 come last in the chain: where they are not to be had
	// there is just no such machine.
	if _, away := errors.AsType[*smithyhttp.RequestSendError](err); away && !strings.Contains(err.Error(), "EC2 IMDS") {
		kind = store.ErrUnavailable
	}
	return fmt.Errorf("%w: %s (%s)", kind, what, brief(err.Error()))
}

// sign adds the signature to a request.
func (c *Client) sign(r *http.Request, body []byte, keys aws.Credentials, region string) error {
	sum := sha256.Sum256(body)
	return v4.NewSigner().SignHTTP(r.Context(), keys, r, hex.EncodeToString(sum[:]), c.service.Host, region, c.now())
}

// brief makes one short line of what a server or a library says.
func brief(text string) string {
	const most = 300
	text = diag.OneLine(strings.ToValidUTF8(text, "?"))
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}
