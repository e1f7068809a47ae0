package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"datakit.dev/internal/config"
	"datakit.dev/internal/workdir"
)

// maxAnswer bounds what an agent may answer.
const maxAnswer = 256 << 20

// maxTokenFile bounds the file of a token, in bytes.
const maxTokenFile = 4 << 10

// agentFlags say where the running agent answers, and what it lets in.
type agentFlags struct {
	dir       string
	addr      string
	tokenFile string
	timeout   time.Duration
}

func (f *agentFlags) add(cmd *cobra.Command) {
	dirFlag(cmd, &f.dir)
	f.addAddr(cmd)
	cmd.Flags().DurationVar(&f.timeout, "timeout", 10*time.Second, "how long to wait for the agent")
}

func (f *agentFlags) addAddr(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.addr, "addr", "", "where the agent answers: `host:port` or a socket's path (default: http_api.listen of datakit.conf)")
	cmd.Flags().StringVar(&f.tokenFile, "console-token-file", "", "the `file` that holds what \"datakit console token\" printed, for an agent that asks for it")
}

// agent asks a running agent.
type agent struct {
	addr   string // as the user knows it
	base   string
	client *http.Client
}

// agent returns the agent that flags name.
func (p program) agent(f agentFlags) (*agent, error) {
	addr := f.addr
	if addr == "" {
		m, err := p.readMain(workdir.Dir(f.dir))
		if err != nil {
			return nil, err
		}
		if addr = m.Listen; addr == "" {
			return nil, errors.New("http_api.listen is empty in datakit.conf, so the agent answers nowhere: set it, and restart the agent")
		}
	}
	token, err := readToken(f.tokenFile)
	if err != nil {
		return nil, err
	}
	a := &agent{addr: addr, client: &http.Client{Timeout: f.timeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	transport := &http.Transport{} // no proxy: the agent is here
	a.client.Transport = &bearer{token, transport}
	switch host, port, err := net.SplitHostPort(strings.TrimPrefix(addr, "http://")); {
	case strings.HasPrefix(addr, "https://"):
		return nil, usage("--addr %s: the agent speaks http", addr)
	case config.IsSocket(addr):
		a.base = "http://localhost"
		transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", addr)
		}
	case err != nil:
		return nil, usage("%q is no address such as localhost:9529", addr)
	default:
		a.base = "http://" + net.JoinHostPort(config.Reachable(host), port)
	}
	return a, nil
}

// A bearer shows the console's token with each request.
type bearer struct {
	token string // "" shows none
	next  http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (b *bearer) RoundTrip(req *http.Request) (*http.Response, error) {
	if b.token != "" {
		req = req.Clone(req.Context()) // whose headers are not ours to change
		req.Header.Set("Authorization", "Bearer "+b.token)
	}
	return b.next.RoundTrip(req)
}

// readToken returns the token that a file holds. No error quotes it.
func readToken(name string) (string, error) {
	if name == "" {
		return "", nil
	}
	file, err := os.Open(name)
	if err != nil {
		return "", fmt.Errorf("--console-token-file: %w", err)
	}
	text, err := io.ReadAll(io.LimitReader(file, maxTokenFile+1))
	if err := errors.Join(err, file.Close()); err != nil {
		return "", fmt.Errorf("--console-token-file: %w", err)
	}
	token := strings.TrimSpace(string(text))
	if len(text) > maxTokenFile || token == "" || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", fmt.Errorf("--console-token-file: %s holds no token: write there what `datakit console token` printed", name)
	}
	return token, nil
}

// readMain reads datakit.conf; one that is missing is empty.
func (p program) readMain(dir workdir.Dir) (config.Main, error) {
	text, err := os.ReadFile(dir.Main())
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return config.Main{}, fmt.Errorf("%w: run this as the agent's user, or give --dir", err)
	}
	m, bad, _ := config.ParseMain(string(text), p.Env, p.Parts)
	if len(bad) > 0 {
		return m, fmt.Errorf("%w: run `datakit check`", bad.Within(dir.Main()))
	}
	return m, nil
}

// call sends in as JSON where it is not nil, and decodes the answer into out.
func (a *agent) call(ctx context.Context, method, path string, in, out any) error {
	_, err := a.exchange(ctx, method, path, in, out)
	return err
}

// exchange is call, and returns the header of the answer.
func (a *agent) exchange(ctx context.Context, method, path string, in, out any) (http.Header, error) {
	var body io.Reader
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return nil, fmt.Errorf("encode the request: %w", err)
		}
		body = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, a.base+path, body)
	if err != nil {
		return nil, fmt.Errorf("ask the agent: %w", err)
	}
	resp, err := a.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("no agent answers on %s: %w: start it with `datakit run`, or give --addr or --dir", a.addr, errors.Unwrap(err))
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		return nil, fmt.Errorf("the agent on %s broke off: %w", a.addr, err)
	}
	if resp.StatusCode != http.StatusOK {
		return nil, refusal(a.addr, resp.Status, text)
	}
	if err := json.Unmarshal(text, out); err != nil {
		return nil, fmt.Errorf("what answers on %s is no agent: %w", a.addr, err)
	}
	return resp.Header, nil
}

// refusal is the error of an agent that does not want to.
func refusal(addr, status string, body []byte) error {
	var f struct {
		Message string `json:"message"`
	}
	if json.Unmarshal(body, &f) != nil || f.Message == "" {
		return fmt.Errorf("what answers on %s is no agent, or an older one: %s", addr, status)
	}
	return fmt.Errorf("the agent on %s: %s", addr, f.Message)
}
