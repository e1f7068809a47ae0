package testserver

import (
	"os"
	"path/filepath"
	"testing"
)

// isQuick reports whether scripts/test-deps installs name in a moment. The
// others have to be built, which only `make test-all` does.
func isQuick(name string) bool {
	return name == "dynalite" || name == "moto" || name == "powershell-grammar"
}

// tool returns the program name/bin/name below the folder of the servers that
// no package manager of the system has. It skips the test where it is not
// there, and fails it where it has to be.
func tool(tb testing.TB, name string) string {
	tb.Helper()
	path := filepath.Join(toolDir(tb), name, "bin", name)
	if _, err := os.Stat(path); err == nil {
		return path
	}
	if os.Getenv("DATAKIT_TEST_ALL") != "" || os.Getenv("CI") != "" && isQuick(name) {
		tb.Fatalf("%s is missing: run scripts/servers/%s", name, name)
	}
	tb.Skipf("%s is missing, get it with: scripts/servers/%s", name, name)
	return ""
}

// toolDir is where scripts/servers installs to.
func toolDir(tb testing.TB) string {
	tb.Helper()
	if dir := os.Getenv("DATAKIT_SERVERS"); dir != "" {
		return dir
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		tb.Fatal(err)
	}
	return filepath.Join(cache, "datakit-servers")
}

// A Terminal is what an operator's shell needs to type the vendor's commands at a
// server.
type Terminal struct {
	Bin string   // the folder of the programs
	Env []string // where the server is, and who may do everything there
}

// Terminal returns what `consul` needs.
func (c *Consul) Terminal() Terminal {
	return Terminal{filepath.Dir(c.program), []string{"CONSUL_HTTP_ADDR=" + c.Endpoint, "CONSUL_HTTP_TOKEN=" + c.Token}}
}

// Terminal returns what `vault` needs.
func (v *Vault) Terminal() Terminal {
	return Terminal{filepath.Dir(v.program), []string{"VAULT_ADDR=" + v.Endpoint, "VAULT_TOKEN=" + v.Root}}
}

// Terminal returns what `aws` needs; scripts/servers/moto brings it along.
func (m Moto) Terminal(tb testing.TB) Terminal {
	tb.Helper()
	return Terminal{filepath.Dir(tool(tb, "moto")), []string{
		"AWS_ENDPOINT_URL=" + m.Endpoint, "AWS_DEFAULT_REGION=" + awsRegion, "AWS_ACCESS_KEY_ID=" + m.AccessKey, "AWS_SECRET_ACCESS_KEY=" + m.SecretKey,
	}}
}
