package install

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/kardianos/service"

	"datakit.dev/internal/workdir"
)

const daemonFile = "/Library/LaunchDaemons/" + Name + ".plist"

func missing() error { return nil }

// registration returns the property list of the daemon, "" where there is none.
func registration() string {
	text, err := os.ReadFile(daemonFile)
	if err != nil {
		return ""
	}
	return string(text)
}

func mentions(have string, dir workdir.Dir) bool {
	return strings.Contains(have, "<string>"+escapeXML(program(dir, "darwin"))+"</string>")
}

func upToDate(have string, dir workdir.Dir) bool { return mentions(have, dir) }

// restore writes an earlier property list again.
func restore(_ context.Context, list string) error {
	if err := os.WriteFile(daemonFile, []byte(list), 0o644); err != nil { //nolint:gosec // it holds no secret
		return fmt.Errorf("write the property list: %w", err)
	}
	return nil
}

func escapeXML(s string) string {
	return strings.NewReplacer("&", "&amp;", "'", "&#39;", "<", "&lt;", ">", "&gt;", `"`, "&#34;").Replace(s)
}

func discard(s service.Service) error { return s.Uninstall() } //nolint:wrapcheck // Register wraps it

// forget has nothing to do: only systemd remembers services that are gone.
func forget(context.Context) {}
