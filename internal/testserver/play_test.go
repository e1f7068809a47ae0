package testserver

import (
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"
)

var play = flag.Bool("play", false, "start every server there is and leave it on until Ctrl-C: `make servers`")

// TestPlay is `make servers`: it prints how datakit.conf names each server, and a
// command that writes a first key.
func TestPlay(t *testing.T) {
	if !*play {
		t.Skip("no test: `make servers` starts it")
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	ended := make(chan struct{})
	go func() {
		<-stop
		close(ended)
	}()
	for _, p := range playground() {
		t.Run(p.backend, func(t *testing.T) {
			t.Parallel()
			options, write := p.start(t)
			fmt.Printf("\n[[confds]]  # write with: %s\n  backend = %q\n%s", write, p.backend, options)
			<-ended
		})
	}
	fmt.Println("\nSlow ones still start. Ctrl-C ends them all.")
}

// A playmate is one server to play with.
type playmate struct {
	backend string
	start   func(t *testing.T) (options, write string)
}

func playground() []playmate {
	node := func(address string) string { return fmt.Sprintf("  nodes = [%q]\n", address) }
	return []playmate{
		{"etcdv3", func(t *testing.T) (string, string) {
			e := StartEtcd(t, WithEtcdV2())
			return node(e.Endpoint), "etcdctl --endpoints " + e.Endpoint + " put /datakit/confd/cpu \"$(cat cpu.conf)\""
		}},
		{"redis", func(t *testing.T) (string, string) {
			r := StartRedis(t)
			return node(r.Address), "redis-cli -p " + r.Port() + " set /datakit/confd/cpu \"$(cat cpu.conf)\""
		}},
		{"zookeeper", func(t *testing.T) (string, string) {
			z := StartZooKeeper(t)
			return node(z.Address), "datakit confd put --backend zookeeper --node " + z.Address + " confd/cpu cpu.conf"
		}},
		{"consul", func(t *testing.T) (string, string) {
			c := StartConsul(t)
			return node(c.Endpoint), "consul kv put -http-addr=" + c.Endpoint + " datakit/confd/cpu @cpu.conf"
		}},
		{"vault", func(t *testing.T) (string, string) {
			v := StartVault(t)
			v.Mount(t, "datakit", 2)
			return node(v.Endpoint) + fmt.Sprintf("  auth_token = %q\n", v.Root),
				"VAULT_ADDR=" + v.Endpoint + " VAULT_TOKEN=" + v.Root + " vault kv put datakit/confd/cpu value=@cpu.conf"
		}},
		{"nacos", func(t *testing.T) (string, string) {
			n := StartNacos(t)
			return node(n.Endpoint) + "  confd_namespace = \"public\"\n",
				"curl " + n.Endpoint + "/nacos/v1/cs/configs -d group=web -d dataId=cpu.conf --data-urlencode content@cpu.conf"
		}},
		{"dynamodb", func(t *testing.T) (string, string) {
			d := StartDynalite(t)
			return node(d.Endpoint) + playAWS + "  table = \"datakit\"\n", "datakit confd put --create --backend dynamodb … confd/cpu cpu.conf"
		}},
		{"ssm", func(t *testing.T) (string, string) {
			m := StartMoto(t, nil)
			return node(m.Endpoint) + playAWS, "aws ssm put-parameter --endpoint-url " + m.Endpoint + " --name /datakit/confd/cpu --type SecureString --value file://cpu.conf"
		}},
		{"kubernetes", func(t *testing.T) (string, string) {
			k := StartKubernetes(t)
			return node(k.Endpoint) + fmt.Sprintf("  auth_token = %q\n  client_ca_keys = %q\n  confd_namespace = \"default\"\n", k.Token, k.CA.File),
				fmt.Sprintf("kubectl --server=%s --token=%s --certificate-authority=%s create configmap inputs --from-file=cpu.conf; the same with: label configmap inputs datakit.dev/config=true", k.Endpoint, k.Token, k.CA.File)
		}},
		{"rancher", func(t *testing.T) (string, string) {
			r := StartRancher(t, nil)
			return node(strings.TrimSuffix(r.Endpoint, "/")), "nothing: its metadata is read only"
		}},
	}
}

const playAWS = "  region = \"us-east-1\"\n  access_key = \"test\"\n  secret_key = \"test\"\n"
