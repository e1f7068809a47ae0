//go:build linux

package e2e

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"datakit.dev/internal/status"
	"datakit.dev/internal/testserver"
)

// The installation for real: the script, in a Debian that systemd has booted.
func TestInstalledOnDebian(t *testing.T) {
	d := testserver.StartDebian(t)
	etcd := testserver.StartEtcd(t)
	first := versioned(t, "1.0.0")
	r := publish(t, first)
	script, err := os.ReadFile("../../deploy/install.sh")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(d.Root, "install.sh"), script, 0o600); err != nil {
		t.Fatal(err)
	}
	a := &agent{t: t, dir: filepath.Join(d.Root, "usr/local/datakit"), addr: freeAddress(t)}
	t.Cleanup(func() {
		if t.Failed() {
			out, _ := d.Run(t, "journalctl -u datakit --no-pager | tail -n 40; systemctl status datakit --no-pager")
			t.Logf("of the system:\n%s", out)
		}
	})
	do := func(script string, env ...string) string {
		t.Helper()
		out, err := d.Run(t, script, append(env, "DK_INSTALLER_BASE_URL="+r.url)...)
		if err != nil {
			t.Fatalf("%s: %v\n%s", script, err, out)
		}
		return out
	}
	u, err := url.Parse(etcd.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	example := `DK_CONFD_BACKEND="etcdv3" DK_CONFD_BACKEND_NODES="[` + u.Host + `]" DK_DATAWAY="https://127.0.0.1:1?token=<TOKEN>" bash -c "$(cat /install.sh)"`

	out := do(example, "DK_HTTP_LISTEN="+a.addr)
	if !strings.Contains(out, "service   datakit runs") || strings.Contains(out, "TOKEN") {
		t.Errorf("it says:\n%s", out)
	}
	conf := a.read("conf.d/datakit.conf")
	if want := "[[confds]]\n  enable = true\n  backend = \"etcdv3\"\n  nodes = [\"" + u.Host + "\"]\n"; !strings.Contains(conf, want) {
		t.Errorf("datakit.conf lacks %s", want)
	}
	for _, c := range []struct{ command, want string }{
		{"systemctl is-active datakit; systemctl is-enabled datakit", "active\nenabled"},
		{"stat -c '%a %U:%G' /usr/local/datakit/conf.d/datakit.conf", "640 root:datakit"},
		{"stat -c '%a %U:%G' /usr/local/datakit/conf.d", "750 root:datakit"},
		{"stat -c '%a %U:%G' /usr/local/datakit/data", "750 datakit:datakit"},
		{"stat -c %U /proc/$(systemctl show -P MainPID datakit)", "datakit"},
		{"grep -h CapEff /proc/$(systemctl show -P MainPID datakit)/status", "CapEff:\t0000000000000004"},
		{"systemctl show -P Type -P WatchdogUSec -P ProtectSystem -P PrivateTmp datakit | sort | paste -sd,", "1min,notify,strict,yes"},
		{"systemd-analyze verify /etc/systemd/system/datakit.service 2>&1", ""},
		{"datakit version | cut -d' ' -f1-2", "datakit 1.0.0"},
		{"systemctl reload datakit && systemctl is-active datakit", "active"},
	} {
		if got := strings.TrimSpace(do(c.command)); got != c.want {
			t.Errorf("%s: %q, want %q", c.command, got, c.want)
		}
	}

	etcd.Put(t, "/datakit/confd/cpu", fmt.Sprintf(cpuTagged, "one"))
	live := func(s status.Status) bool { return unit(s, "cpu").Origin == "etcdv3:/datakit/confd/cpu" && s.Converged }
	a.until("the key is live", live)

	before := tree(t, a.dir, "conf.d") + do("systemctl show -P ExecMainStartTimestampMonotonic datakit")
	if out := do(example, "DK_HTTP_LISTEN="+a.addr); !strings.Contains(out, "runs, as before") {
		t.Errorf("a second time it says:\n%s", out)
	}
	if after := tree(t, a.dir, "conf.d") + do("systemctl show -P ExecMainStartTimestampMonotonic datakit"); after != before {
		t.Errorf("a second time it changed:\n%s\nto\n%s", before, after)
	}

	d.Reboot(t)
	a.until("it is live after the reboot", live)

	r.put(t, versioned(t, "2.0.0"))
	do("sh /install.sh", "DK_UPGRADE=1", "DK_CONFD_BACKEND=redis")
	if s := a.until("the new version runs", live); s.Version != "2.0.0" || a.read("conf.d/datakit.conf") != conf {
		t.Errorf("version %s; datakit.conf changed: %v", s.Version, a.read("conf.d/datakit.conf") != conf)
	}

	// A version that starts, and then does not answer.
	broken := filepath.Join(t.TempDir(), "datakit")
	if err := os.WriteFile(broken, []byte("#!/bin/sh\n[ \"$1\" != run ] || exit 1\nexec /usr/local/datakit/datakit \"$@\"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	r.put(t, broken)
	if out, err := d.Run(t, "sh /install.sh", "DK_UPGRADE=1", "DK_INSTALLER_BASE_URL="+r.url); err == nil || !strings.Contains(out, "the upgrade was taken back, the old version runs again") {
		t.Errorf("the upgrade to a broken version: %v\n%s", err, out)
	}
	if s := a.until("the old version runs", live); s.Version != "2.0.0" {
		t.Errorf("version %s", s.Version)
	}

	do("datakit uninstall </dev/null")
	if out := do("systemctl is-active datakit || true; ls -A /usr/local/datakit /etc/systemd/system"); strings.Contains(out, "datakit.service") || !strings.Contains(out, "conf.d") {
		t.Errorf("after uninstall:\n%s", out)
	}
	r.put(t, first)
	do("sh /install.sh", "DK_INSTALL_ONLY=1")
	if out := do("systemctl is-enabled datakit; systemctl is-active datakit || true"); out != "enabled\ninactive\n" {
		t.Errorf("installed only: %q", out)
	}
	do("datakit uninstall --purge")
	if _, err := os.Stat(a.dir); err == nil {
		t.Errorf("left behind:\n%s", tree(t, a.dir, "."))
	}
}
