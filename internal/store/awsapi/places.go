package awsapi

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"datakit.dev/internal/store"
)

// environment is AWS_ACCESS_KEY_ID and what goes with it.
func (f finder) environment(context.Context) (aws.Credentials, error) {
	found := aws.Credentials{
		AccessKeyID:     f.env("AWS_ACCESS_KEY_ID"),
		SecretAccessKey: f.env("AWS_SECRET_ACCESS_KEY"),
		SessionToken:    f.env("AWS_SESSION_TOKEN"),
	}
	if found.AccessKeyID == "" || found.SecretAccessKey == "" {
		return found, errNone
	}
	return found, nil
}

// webIdentity trades a token that Kubernetes wrote into a file for keys of a role.
func (f finder) webIdentity(ctx context.Context) (aws.Credentials, error) {
	return f.assume(ctx, f.env("AWS_WEB_IDENTITY_TOKEN_FILE"), f.env("AWS_ROLE_ARN"), f.env("AWS_ROLE_SESSION_NAME"))
}

func (f finder) assume(ctx context.Context, file, role, session string) (aws.Credentials, error) {
	if file == "" || role == "" {
		return aws.Credentials{}, errNone
	}
	token, err := readFile(file)
	if err != nil {
		return aws.Credentials{}, fmt.Errorf("%w: the web identity token: %w", store.ErrDenied, err)
	}
	if session == "" {
		session = "datakit"
	}
	target := f.env("AWS_ENDPOINT_URL_STS")
	if target == "" {
		region := f.at
		if region == "" {
			region = fallbackRegion
		}
		target = endpoint("sts", region)
	}
	form := url.Values{
		"Action": {"AssumeRoleWithWebIdentity"}, "Version": {"2011-06-15"},
		"RoleArn": {role}, "RoleSessionName": {session}, "WebIdentityToken": {strings.TrimSpace(token)},
	}
	body, err := f.ask(ctx, http.MethodPost, target, http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, strings.NewReader(form.Encode()))
	if err != nil {
		var said struct {
			Code string `xml:"Error>Code"`
		}
		if xml.Unmarshal(body, &said) == nil && said.Code != "" {
			err = fmt.Errorf("%w (%s)", err, brief(said.Code))
		}
		return aws.Credentials{}, err
	}
	var out struct {
		Credentials struct {
			AccessKeyID     string `xml:"AccessKeyId"`
			SecretAccessKey string
			SessionToken    string
			Expiration      time.Time
		} `xml:"AssumeRoleWithWebIdentityResult>Credentials"`
	}
	if err := xml.Unmarshal(body, &out); err != nil {
		return aws.Credentials{}, fmt.Errorf("%w: the answer is none of the token service of AWS", store.ErrUnavailable)
	}
	c := out.Credentials
	return aws.Credentials{
		AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey, SessionToken: c.SessionToken,
		CanExpire: true, Expires: c.Expiration,
	}, nil
}

// answered is how the endpoints of containers and machines send keys.
type answered struct {
	Code            string // of a machine, "Success"
	AccessKeyID     string `json:"AccessKeyId"`
	SecretAccessKey string
	Token           string
	Expiration      time.Time
}

func decode(body []byte) (aws.Credentials, error) {
	var a answered
	if err := json.Unmarshal(body, &a); err != nil {
		return aws.Credentials{}, fmt.Errorf("%w: what should be AWS credentials is none", store.ErrUnavailable)
	}
	if a.Code != "" && a.Code != "Success" {
		return aws.Credentials{}, fmt.Errorf("%w: the role of this machine: %s", store.ErrDenied, brief(a.Code))
	}
	return aws.Credentials{
		AccessKeyID: a.AccessKeyID, SecretAccessKey: a.SecretAccessKey, SessionToken: a.Token,
		CanExpire: !a.Expiration.IsZero(), Expires: a.Expiration,
	}, nil
}

// container asks the endpoint that ECS and EKS give to a container.
func (f finder) container(ctx context.Context) (aws.Credentials, error) {
	target := f.env("AWS_CONTAINER_CREDENTIALS_FULL_URI")
	if path := f.env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"); path != "" {
		target = "http://169.254.170.2/" + strings.TrimPrefix(path, "/")
	}
	if target == "" {
		return aws.Credentials{}, errNone
	}
	if !private(target) {
		return aws.Credentials{}, fmt.Errorf("%w: AWS_CONTAINER_CREDENTIALS_FULL_URI: plain HTTP is only taken to this machine", store.ErrDenied)
	}
	token := f.env("AWS_CONTAINER_AUTHORIZATION_TOKEN")
	if file := f.env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"); file != "" {
		var err error
		if token, err = readFile(file); err != nil {
			return aws.Credentials{}, fmt.Errorf("%w: AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: %w", store.ErrDenied, err)
		}
	}
	header := http.Header{}
	if token = strings.TrimSpace(token); token != "" {
		header.Set("Authorization", token)
	}
	body, err := f.ask(ctx, http.MethodGet, target, header, nil)
	if err != nil {
		return aws.Credentials{}, err
	}
	return decode(body)
}

// private reports whether keys may be fetched from a URL: nobody listens in.
func private(target string) bool {
	u, err := url.Parse(target)
	if err != nil || u.Scheme != "http" {
		return err == nil && u.Scheme == "https"
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return u.Hostname() == "localhost" || err == nil && (ip.IsLoopback() || ip.IsLinkLocalUnicast() || ip == netip.MustParseAddr("fd00:ec2::23"))
}

// machine asks the metadata of EC2 for the keys of the role of this machine. No
// answer is no such machine.
func (f finder) machine(ctx context.Context) (aws.Credentials, error) {
	const path = "/latest/meta-data/iam/security-credentials/"
	role, err := f.metadata(ctx, path)
	if err != nil {
		return aws.Credentials{}, errNone
	}
	name, _, _ := strings.Cut(strings.TrimSpace(string(role)), "\n")
	body, err := f.metadata(ctx, path+url.PathEscape(name))
	if err != nil {
		return aws.Credentials{}, err
	}
	return decode(body)
}

// metadata asks with a token of version 2: without one, whoever gets the agent to
// fetch a URL would get the keys as well.
func (f finder) metadata(ctx context.Context, path string) ([]byte, error) {
	if strings.EqualFold(f.env("AWS_EC2_METADATA_DISABLED"), "true") {
		return nil, errNone
	}
	base := f.env("AWS_EC2_METADATA_SERVICE_ENDPOINT")
	if base == "" {
		base = "http://169.254.169.254"
	}
	base = strings.TrimRight(base, "/")
	token, err := f.ask(ctx, http.MethodPut, base+"/latest/api/token", http.Header{"X-Aws-Ec2-Metadata-Token-Ttl-Seconds": {"300"}}, nil)
	if err != nil {
		return nil, err
	}
	return f.ask(ctx, http.MethodGet, base+path, http.Header{"X-Aws-Ec2-Metadata-Token": {string(token)}}, nil)
}

// readFile reads a small file. Its errors do not repeat what it holds.
func readFile(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() || info.Size() > maxFound {
		return "", &os.PathError{Op: "read", Path: path, Err: errors.New("no regular file of a sane size")}
	}
	body, err := os.ReadFile(path)
	return string(body), err
}
