package awsapi

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"datakit.dev/internal/diag"
	"datakit.dev/internal/spec"
	"datakit.dev/internal/store/httpnodes"
)

// fallbackRegion signs requests to nodes that are no region's, as emulators are.
const fallbackRegion = "us-east-1"

// account is what the options say of where to and as whom.
type account struct {
	values spec.Values
	region string
	static *aws.Credentials // of access_key and secret_key, or nil
	nodes  bool             // nodes are named
}

func parse(service Service, v spec.Values) (account, error) {
	a := account{values: v, region: v.String("region"), nodes: len(v.Strings("nodes")) > 0}
	id, secret := v.String("access_key"), v.String("secret_key")
	switch {
	case (id == "") != (secret == ""):
		return a, errors.New("access_key and secret_key go together: set both or none")
	case strings.ContainsFunc(id, func(r rune) bool { return r <= ' ' || r > '~' }):
		return a, errors.New("access_key holds spaces, or characters that no access key has")
	case id != "":
		a.static = &aws.Credentials{AccessKeyID: id, SecretAccessKey: secret}
	}
	if a.region != "" {
		if err := checkRegion(a.region); err != nil {
			return a, err
		}
	}
	if !a.nodes {
		v = at(v, endpoint(service.Host, "us-east-1")) // to have the TLS options looked at
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
	out := spec.Values{"nodes": []string{node}}
	for name, value := range v {
		if name != "nodes" {
			out[name] = value
		}
	}
	return out
}

// endpoint returns the public address of a service.
func endpoint(host, region string) string {
	domain := "amazonaws.com"
	if strings.HasPrefix(region, "cn-") {
		domain = "amazonaws.com.cn"
	}
	return "https://" + host + "." + region + "." + domain
}

// A connection is an account whose region is known.
type connection struct {
	nodes  *httpnodes.Client
	region string
	keys   *keyring
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
	conn, err := c.account.connect(ctx, c.service, c.finder)
	if err == nil {
		c.conn = conn
	}
	return conn, err
}

func (a account) connect(ctx context.Context, service Service, f finder) (*connection, error) {
	region := a.region
	if region == "" {
		var err error
		if region, err = f.region(ctx, !a.nodes); err != nil {
			return nil, err
		}
		if region == "" {
			region = fallbackRegion
		}
	}
	v := a.values
	if !a.nodes {
		v = at(v, endpoint(service.Host, region))
	}
	nodes, err := httpnodes.New(service.Backend, "443", v)
	if err != nil {
		return nil, err
	}
	f.at = region
	return &connection{nodes: nodes, region: region, keys: newKeyring(a.static, f)}, nil
}

// sign adds the signature to a request.
func (c *Client) sign(r *http.Request, body []byte, keys aws.Credentials, region string) error {
	sum := sha256.Sum256(body)
	return v4.NewSigner().SignHTTP(r.Context(), keys, r, hex.EncodeToString(sum[:]), c.service.Host, region, c.now())
}

// brief makes one short line of what a server says.
func brief(text string) string {
	const most = 300
	text = diag.OneLine(strings.ToValidUTF8(text, "?"))
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}
