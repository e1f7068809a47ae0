// Package all names every config store that ships: one line each.
package all

import (
	"datakit.dev/internal/store"
	"datakit.dev/internal/stores/aws"
	"datakit.dev/internal/stores/consul"
	"datakit.dev/internal/stores/dynamodb"
	"datakit.dev/internal/stores/env"
	"datakit.dev/internal/stores/etcd"
	"datakit.dev/internal/stores/etcdv3"
	"datakit.dev/internal/stores/file"
	"datakit.dev/internal/stores/kubernetes"
	"datakit.dev/internal/stores/nacos"
	"datakit.dev/internal/stores/rancher"
	"datakit.dev/internal/stores/redis"
	"datakit.dev/internal/stores/ssm"
	"datakit.dev/internal/stores/vault"
	"datakit.dev/internal/stores/zookeeper"
)

// All returns the backends in the order of the documentation.
func All() []store.Backend {
	return []store.Backend{
		file.Backend(),
		env.Backend(),
		etcdv3.Backend(),
		etcd.Backend(),
		consul.Backend(),
		redis.Backend(),
		zookeeper.Backend(),
		vault.Backend(),
		nacos.Backend(),
		dynamodb.Backend(),
		ssm.Backend(),
		aws.Backend(),
		rancher.Backend(),
		kubernetes.Backend(),
	}
}
