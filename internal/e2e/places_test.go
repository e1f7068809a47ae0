package e2e

import (
	"fmt"
	"maps"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"datakit.dev/internal/spec"
	"datakit.dev/internal/testserver"
)

// A place is one real store as an operator sees it: how datakit.conf names it,
// and how it is written without our command line.
type place struct {
	backend string
	values  spec.Values                           // what its [[confds]] table says: strings and lists of them
	put     func(t testing.TB, key, value string) // key as users write it: /datakit/confd/cpu
	remove  func(t testing.TB, key string)
}

// folder is what our keys have below confd/ where the store wants one more part:
// put and remove add it.
func (p place) folder() string {
	if p.backend == "nacos" {
		return "web/" // the group
	}
	return ""
}

// table is the [[confds]] table of p.
func (p place) table() string {
	text := fmt.Sprintf("[[confds]]\n  backend = %q\n", p.backend)
	for _, name := range slices.Sorted(maps.Keys(p.values)) {
		switch v := p.values[name].(type) {
		case []string:
			text += fmt.Sprintf("  %s = [\"%s\"]\n", name, strings.Join(v, `", "`))
		case string:
			text += fmt.Sprintf("  %s = %q\n", name, v)
		default:
			text += fmt.Sprintf("  %s = %v\n", name, v)
		}
	}
	return text
}

// atOnce is the part of datakit.conf that follows the places without debounce.
func atOnce(places ...place) string {
	text := "[confd]\n  debounce = \"0s\"\n  hold = \"0s\"\n"
	for _, p := range places {
		text += p.table()
	}
	return text
}

// nodes is the option that names one node.
func nodes(address string) spec.Values { return spec.Values{"nodes": []string{address}} }

// starters starts one server of each kind.
func starters() map[string]func(testing.TB) place {
	return map[string]func(testing.TB) place{
		"file":      startFile,
		"etcdv3":    startEtcdv3,
		"etcd":      startEtcd,
		"redis":     startRedis,
		"zookeeper": startZooKeeper,
		"consul":    startConsul,
		"vault":     startVault,
		"nacos":     startNacos,
		"dynamodb":  startDynamoDB,
		"ssm":       startSSM,
		"aws":       startSecretsManager,
		"rancher":   startRancher,

		"kubernetes": startKubernetes,
	}
}

func startEtcd(t testing.TB) place {
	e := testserver.StartEtcd(t, testserver.WithEtcdV2())
	return place{"etcd", nodes(e.Endpoint), func(t testing.TB, key, value string) { e.PutV2(t, key, value) }, e.DeleteV2}
}

func startRedis(t testing.TB) place {
	r := testserver.StartRedis(t)
	return place{"redis", nodes(r.Address), r.Put, r.Delete}
}

func startZooKeeper(t testing.TB) place {
	z := testserver.StartZooKeeper(t)
	return place{"zookeeper", nodes(z.Address), z.Put, z.Delete}
}

// Consul's keys have no leading slash.
func startConsul(t testing.TB) place {
	c := testserver.StartConsul(t)
	return place{
		"consul", nodes(c.Endpoint),
		func(t testing.TB, key, value string) { c.Put(t, strings.TrimPrefix(key, "/"), value) },
		func(t testing.TB, key string) { c.Delete(t, strings.TrimPrefix(key, "/")) },
	}
}

func startKubernetes(t testing.TB) place {
	k := testserver.StartKubernetes(t)
	// Keys are in the ConfigMaps in which our own command line would put them.
	split := func(key string) (object, folder, entry string) {
		folder, entry = path.Split(strings.TrimPrefix(key, "/datakit/"))
		folder = strings.TrimSuffix(folder, "/")
		return "datakit-" + strings.ReplaceAll(folder, "/", "-"), folder, entry
	}
	return place{
		"kubernetes",
		spec.Values{"nodes": []string{k.Endpoint}, "auth_token": k.Token, "client_ca_keys": k.CA.File, "confd_namespace": "default"},
		func(t testing.TB, key, value string) {
			object, folder, entry := split(key)
			k.ConfigMap(t, "default", object, map[string]string{"datakit.dev/config": "true"}, map[string]string{"datakit.dev/path": folder}, nil)
			k.Edit(t, "default", object, entry, &value)
		},
		func(t testing.TB, key string) {
			object, _, entry := split(key)
			k.Edit(t, "default", object, entry, nil)
		},
	}
}

func startEtcdv3(t testing.TB) place {
	e := testserver.StartEtcd(t)
	return place{"etcdv3", nodes(e.Endpoint), e.Put, e.Delete}
}

func startFile(t testing.TB) place {
	dir := t.TempDir()
	path := func(key string) string {
		return filepath.Join(dir, filepath.FromSlash(strings.TrimPrefix(key, "/datakit/")))
	}
	return place{
		"file",
		spec.Values{"file": []string{dir}},
		func(t testing.TB, key, value string) {
			if err := os.MkdirAll(filepath.Dir(path(key)), 0o750); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path(key), []byte(value), 0o600); err != nil {
				t.Fatal(err)
			}
		},
		func(t testing.TB, key string) {
			if err := os.Remove(path(key)); err != nil {
				t.Fatal(err)
			}
		},
	}
}

// pollEvery is the interval of the stores that are polled, in seconds.
const pollEvery = int64(5)

func startVault(t testing.TB) place {
	v := testserver.StartVault(t)
	v.Mount(t, "datakit", 2)
	return place{
		"vault",
		spec.Values{"nodes": []string{v.Endpoint}, "auth_token": v.Root, "circle_interval": pollEvery},
		func(t testing.TB, key, value string) {
			v.Call(t, http.MethodPost, "datakit/data/"+strings.TrimPrefix(key, "/datakit/"), map[string]any{"data": map[string]string{"value": value}})
		},
		func(t testing.TB, key string) {
			v.Call(t, http.MethodDelete, "datakit/data/"+strings.TrimPrefix(key, "/datakit/"), nil)
		},
	}
}

// Nacos has no tree: inputs are in one namespace, and scripts in another, where
// the group is the category.
func startNacos(t testing.TB) place {
	n := testserver.StartNacos(t)
	name := func(key string) (tenant, group, id string) {
		key = strings.TrimPrefix(key, "/datakit/")
		if script, ok := strings.CutPrefix(key, "pipeline/"); ok {
			group, id, _ = strings.Cut(script, "/")
			return "scripts", group, id
		}
		return "inputs", "web", strings.TrimPrefix(key, "confd/")
	}
	return place{
		"nacos",
		spec.Values{"nodes": []string{n.Endpoint}, "confd_namespace": "inputs", "pipeline_namespace": "scripts"},
		func(t testing.TB, key, value string) {
			tenant, group, id := name(key)
			n.Put(t, tenant, group, id, value)
		},
		func(t testing.TB, key string) {
			tenant, group, id := name(key)
			n.Delete(t, tenant, group, id)
		},
	}
}

func amazon(a *testserver.AWS) spec.Values {
	return spec.Values{
		"nodes": []string{a.Endpoint}, "region": "us-east-1", "access_key": a.AccessKey, "secret_key": a.SecretKey,
		"circle_interval": pollEvery,
	}
}

func startDynamoDB(t testing.TB) place {
	table := testserver.StartDynalite(t).NewTable(t, "datakit")
	values := amazon(table.AWS)
	values["table"] = table.Name
	return place{"dynamodb", values, table.Put, table.Delete}
}

func startSSM(t testing.TB) place {
	m := testserver.StartMoto(t, nil)
	return place{"ssm", amazon(m.AWS), m.PutParameter, m.DeleteParameter}
}

func startSecretsManager(t testing.TB) place {
	m := testserver.StartMoto(t, nil)
	return place{"aws", amazon(m.AWS), m.PutSecret, m.DeleteSecret}
}

func startRancher(t testing.TB) place {
	r := testserver.StartRancher(t, nil)
	return place{
		"rancher", nodes(r.Endpoint),
		func(t testing.TB, key, value string) { r.Set(t, "/self/service/metadata"+key, value) },
		func(t testing.TB, key string) { r.Delete(t, "/self/service/metadata"+key) },
	}
}
