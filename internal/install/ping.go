package install

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"time"

	"datakit.dev/internal/config"
)

// patience is how long an agent may take until it answers.
const patience = 30 * time.Second

// awaitPing waits until the agent that listens on addr answers, as the given
// version: another program may hold the port. Any version will do for "".
func awaitPing(ctx context.Context, addr, version string, patience time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	again := time.NewTicker(200 * time.Millisecond)
	defer again.Stop()
	var why error
	for {
		got, err := ping(ctx, addr)
		if err == nil && version != "" && got != version {
			err = fmt.Errorf("version %q answers", got)
		}
		if err == nil {
			return nil
		}
		if why == nil || ctx.Err() == nil { // that the time was up says little
			why = err
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return fmt.Errorf("version %q did not answer /v1/ping on %s within %v: %w", version, addr, patience, why)
		}
	}
}

// ping returns the version of the agent that listens on addr.
func ping(ctx context.Context, addr string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	transport := &http.Transport{DisableKeepAlives: true} // no proxy: the agent is here
	base := "http://localhost"
	if config.IsSocket(addr) {
		transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", addr)
		}
	} else {
		host, port, err := net.SplitHostPort(addr)
		if err != nil {
			return "", fmt.Errorf("http_api.listen: %w", err)
		}
		base = "http://" + net.JoinHostPort(config.Reachable(host), port)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/v1/ping", nil)
	if err != nil {
		return "", fmt.Errorf("ask the agent: %w", err)
	}
	resp, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		return "", fmt.Errorf("ask the agent: %w", err)
	}
	defer resp.Body.Close() //nolint:errcheck // it was only read
	var answer struct {
		Content struct{ Version string }
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, 1<<16))
	if err != nil || resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("ask the agent: %s", resp.Status)
	}
	if json.Unmarshal(text, &answer) != nil || answer.Content.Version == "" {
		return "", errors.New("ask the agent: another program answers")
	}
	return answer.Content.Version, nil
}

// command runs a program for a moment and returns what it printed.
func command(ctx context.Context, name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	return string(out), err //nolint:wrapcheck // the callers say what was run
}
