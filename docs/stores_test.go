package docs

import (
	"strings"
	"testing"

	stores "datakit.dev/internal/stores/all"
)

// tools are the vendors' own command lines. A store without one here has none, or
// is edited as files and variables are.
func tools() map[string]string {
	return map[string]string{
		"etcdv3": "etcdctl put ", "etcd": "etcdctl ", "consul": "consul kv put ", "redis": "redis-cli ",
		"zookeeper": "zkCli", "vault": "vault kv put ", "dynamodb": "aws dynamodb put-item ", "ssm": "aws ssm put-parameter ",
		"aws": "aws secretsmanager create-secret ",
	}
}

// The page of each store writes a key with the vendor's tool, in both languages, and
// says what our own command does there.
func TestEveryStoreShowsItsTool(t *testing.T) {
	for _, b := range stores.All() {
		for _, path := range []string{"docs/stores/" + b.Name + ".md", "docs/zh/stores/" + b.Name + ".md"} {
			pg, shell := find(t, path), ""
			for _, block := range pg.blocks {
				if block.lang == "sh" {
					shell += block.text
				}
			}
			if tool := tools()[b.Name]; !strings.Contains(shell, tool) {
				t.Errorf("%s has no example of %q", path, tool)
			}
			if b.Traits.Writes && !strings.Contains(pg.prose+shell, "datakit confd") {
				t.Errorf("%s does not say what datakit confd does", path)
			}
		}
	}
}

// Who reads about rights finds every store, and every store's page has its own.
func TestEveryStoreHasItsRights(t *testing.T) {
	for _, b := range stores.All() {
		for _, path := range []string{"docs/security.md", "docs/zh/security.md"} {
			if !strings.Contains(find(t, path).prose, "| [`"+b.Name+"`](stores/"+b.Name+".md) | ") {
				t.Errorf("%s has no row for %s", path, b.Name)
			}
		}
	}
}
