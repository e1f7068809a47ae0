// Package all names every config store that ships: one line each.
package all

import (
	"datakit.dev/internal/store"
	"datakit.dev/internal/stores/etcdv3"
	"datakit.dev/internal/stores/file"
	"datakit.dev/internal/stores/redis"
	"datakit.dev/internal/stores/vault"
)

// All returns the backends in the order of the documentation.
func All() []store.Backend {
	return []store.Backend{
		file.Backend(),
		etcdv3.Backend(),
		redis.Backend(),
		vault.Backend(),
	}
}
