package cli

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"datakit.dev/internal/dql"
	"datakit.dev/internal/spec"
)

// An asker answers a query, and returns the answer as it came, too.
type asker func(ctx context.Context, query string) (dql.Answer, json.RawMessage, error)

// queryBody is the body of a query in upstream's form.
func queryBody(query, token string) map[string]any {
	body := map[string]any{"queries": []any{map[string]any{"qtype": "dql", "query": map[string]any{"q": query}}}, "echo_explain": true}
	if token != "" {
		body["token"] = token
	}
	return body
}

func agentAsker(a *agent) asker {
	return func(ctx context.Context, query string) (ans dql.Answer, raw json.RawMessage, err error) {
		if err := a.call(ctx, http.MethodPost, "/v1/query/raw", queryBody(query, ""), &raw); err != nil {
			return ans, nil, err
		}
		return decodeAnswer(raw)
	}
}

// decodeAnswer keeps numbers as they were written: a large one would lose digits
// as a float.
func decodeAnswer(raw json.RawMessage) (ans dql.Answer, _ json.RawMessage, err error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(&ans); err != nil {
		return ans, nil, fmt.Errorf("the answer cannot be read: %w", err)
	}
	return ans, raw, nil
}

// gatewayAsker asks a data gateway, whose address has a token that must reach
// neither a log nor an error.
func gatewayAsker(address string, conf spec.Values, timeout time.Duration) (asker, error) {
	u, err := url.Parse(strings.TrimSpace(address))
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("--remote: the first of [dataway] urls is not of the form https://HOST?token=TOKEN")
	}
	token := u.Query().Get("token")
	u.Path = strings.TrimRight(u.Path, "/") + "/v1/query/raw"
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment}
	if s := conf.String("http_proxy"); s != "" {
		proxy, err := url.Parse(s)
		if err != nil {
			return nil, errors.New("--remote: [dataway] http_proxy is no address")
		}
		transport.Proxy = http.ProxyURL(proxy)
	}
	if conf.Bool("insecure_skip_verify") {
		transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: true} //nolint:gosec // asked for
	}
	client := &http.Client{Transport: transport, Timeout: timeout}
	place := u.Scheme + "://" + u.Host
	return func(ctx context.Context, query string) (ans dql.Answer, raw json.RawMessage, err error) {
		text, status, err := post(ctx, client, u.String(), queryBody(query, token))
		if err != nil {
			return ans, nil, fmt.Errorf("no answer from %s: %s", place, hide(err.Error(), token))
		}
		if status != http.StatusOK {
			return ans, nil, fmt.Errorf("%s answers %d: %s", place, status, hide(clipText(string(text)), token))
		}
		return decodeAnswer(text)
	}, nil
}

func post(ctx context.Context, client *http.Client, to string, body any) (text []byte, status int, err error) {
	sent, err := json.Marshal(body)
	if err != nil {
		return nil, 0, fmt.Errorf("encode the query: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(sent))
	if err != nil {
		return nil, 0, fmt.Errorf("ask: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		if u, ok := errors.AsType[*url.Error](err); ok {
			err = u.Err // the outer one shows the address
		}
		return nil, 0, err
	}
	text, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	return text, resp.StatusCode, errors.Join(err, resp.Body.Close())
}

func hide(s, secret string) string {
	if secret != "" {
		s = strings.ReplaceAll(s, secret, spec.Hidden)
	}
	return spec.RedactURL(s)
}

// clipText bounds what a stranger answered.
func clipText(s string) string {
	if len(s) > 300 {
		return strings.ToValidUTF8(s[:300], "") + "…"
	}
	return s
}
