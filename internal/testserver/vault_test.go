package testserver_test

import (
	"net/http"
	"strings"
	"testing"

	"datakit.dev/internal/testserver"
)

// What an operator does to Vault, these tests can do too: the data survives a
// stop, and comes back with a backup; a sealed server serves nothing.
func TestVaultKeepsItsData(t *testing.T) {
	t.Parallel()
	v := testserver.StartVault(t)
	v.Mount(t, "secret", 2)
	put := func(value string) {
		v.Call(t, http.MethodPost, "secret/data/a", map[string]any{"data": map[string]string{"value": value}})
	}
	holds := func(when, want string) {
		t.Helper()
		if got := strings.TrimSpace(v.Command(t, "kv", "get", "-mount=secret", "-field=value", "a")); got != want {
			t.Errorf("%s there is %q, not %q", when, got, want)
		}
	}
	put("1")
	v.Stop(t)
	backup := v.Save(t)
	v.Start(t)
	holds("after a restart", "1")
	put("2")
	v.Stop(t)
	v.Restore(t, backup)
	v.Start(t)
	holds("after a restore", "1")
	v.Seal(t)
	if v.Works(t, v.Root, "secret/data/a") {
		t.Error("a sealed server serves")
	}
	v.Unseal(t)
	holds("after a seal", "1")
}
