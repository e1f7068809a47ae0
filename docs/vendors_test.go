package docs

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"datakit.dev/internal/testserver"
)

// Every command of the stores' pages works on a real server, and our own command
// sees what the vendor's has written.
func TestTheVendorsCommands(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]func(*testing.T){
		"etcdv3": typeEtcd, "etcd": typeEtcdV2, "redis": typeRedis, "zookeeper": typeZooKeeper, "consul": typeConsul, "vault": typeVault,
		"nacos": typeNacos, "rancher": typeRancher, "aws": typeAWS,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t)
		})
	}
}

// stocked opens the page of a store, with the files that its commands read.
func stocked(t *testing.T, page string, swaps ...string) *reader {
	t.Helper()
	r := newReader(t, page, swaps...)
	r.has("cpu.conf", "[[inputs.cpu]]\n", "cpu.p", "add_key(busy, 100 - usage_idle)\n")
	return r
}

// shows fails where text lacks one of wants.
func shows(t *testing.T, text string, wants ...string) {
	t.Helper()
	for _, want := range wants {
		if !strings.Contains(text, want) {
			t.Errorf("it does not show %q:\n%s", want, text)
		}
	}
}

// ls lists the keys of a store with our own command.
func (r *reader) ls(flags string) string {
	r.t.Helper()
	return r.do("datakit confd ls " + flags)
}

func typeEtcd(t *testing.T) {
	testserver.Need(t, "etcdctl", "apt-get install etcd-client")
	e := testserver.StartEtcd(t)
	r := stocked(t, "docs/stores/etcdv3.md")
	r.env = append(r.env, "ETCDCTL_API=3", "ETCDCTL_ENDPOINTS="+e.Endpoint)
	shows(t, r.rest(), "OK\n/datakit/confd/cpu\n[[inputs.cpu]]\n1\n")
}

func typeEtcdV2(t *testing.T) {
	testserver.Need(t, "etcdctl", "apt-get install etcd-client")
	e := testserver.StartEtcd(t, testserver.WithEtcdV2())
	// A busy machine is slower than what the command waits for.
	const patient = "etcdctl --timeout 60s --total-timeout 120s "
	r := stocked(t, "docs/stores/etcd.md", "etcdctl ", patient)
	r.env = append(r.env, "ETCDCTL_ENDPOINTS="+e.Endpoint)
	first := r.next()
	set := strings.Index(first, "etcdctl get")
	shows(t, r.do(first[:set]), "[[inputs.mem]]")
	shows(t, r.ls("--backend etcd --node "+e.Endpoint), "/datakit/confd/mem")
	shows(t, r.do("export ETCDCTL_API=2\n"+first[set:]), "PrevNode.Value: [[inputs.mem]]")
	// The roles of the v2 API belong to an etcd with a root, who is the one to type.
	e.EnableAuthV2(t, "ops", "pw", "/datakit/*")
	r.do("ETCDCTL_API=2 etcdctl --username root:root role add guest")
	r.swap = strings.NewReplacer("etcdctl ", patient+"--username root:root ", "user add datakit ", "user add datakit:pw ")
	shows(t, r.do("export ETCDCTL_API=2\n"+r.next()), "Role datakit-read created", "User datakit created", "Role guest removed")
	r.ls("--backend etcd --username datakit --password pw --node " + e.Endpoint)
}

func typeRedis(t *testing.T) {
	testserver.Need(t, "redis-cli", "apt-get install redis-tools")
	s := testserver.StartRedis(t)
	r := stocked(t, "docs/stores/redis.md", "redis-cli ", "redis-cli -e -h "+s.Host()+" -p "+s.Port()+" ")
	shows(t, r.do(r.next()), "OK")
	keys := r.next()
	shows(t, r.do(keys), "OK\nOK\n[[inputs.cpu]]\n  interval = \"5s\"\n1\n1\n")
	node := "--backend redis --node " + s.Host() + ":" + s.Port()
	shows(t, r.ls(node), "/datakit/confd/mem", "/datakit/pipeline/metric/cpu.p")
	shows(t, r.do(r.next()), "OK")
	// The user of the page reads all, and writes nothing.
	agent := node + " --username agent --password s3cr3t"
	shows(t, r.ls(agent), "/datakit/confd/mem", "/datakit/pipeline/metric/cpu.p")
	shows(t, r.do("! datakit confd put cpu cpu.conf "+agent), "NOPERM")
}

func typeZooKeeper(t *testing.T) {
	z := testserver.StartZooKeeper(t)
	// Each start of the vendor's command takes a second or two of a busy machine: one
	// types them all.
	r := stocked(t, "docs/stores/zookeeper.md", "zk1:2181", z.Address, "zkCli.sh", "/usr/share/zookeeper/bin/zkCli.sh")
	commands := lines(r.next())
	for _, line := range commands[:3] {
		r.do(line)
	}
	shows(t, r.ls("--backend zookeeper --node "+z.Address), "/datakit/confd/mem")
	for _, line := range commands[3:] {
		r.do(line)
	}
	if out := r.ls("--backend zookeeper --node " + z.Address); strings.Contains(out, "/datakit/confd/mem") {
		t.Error(out)
	}
}

func typeConsul(t *testing.T) {
	c := testserver.StartConsul(t, testserver.WithConsulACL("deny"))
	r := stocked(t, "docs/stores/consul.md").at(c.Terminal())
	shows(t, r.rest(), "Success! Data written to: datakit/confd/cpu", "datakit/pipeline/metric/cpu.p:add_key", "Success! Deleted key")
	const token = "b1f7c5de-0000-4000-8000-5a1e5f00d0e6"
	c.GrantToken(t, token, ofLang(t, r.page, "hcl")[0].text)
	agent := " --backend consul --node " + c.Endpoint + " --token " + token
	shows(t, r.ls(agent), "/datakit/pipeline/metric/cpu.p")
	shows(t, r.do("! datakit confd put cpu cpu.conf"+agent), "Permission denied")
}

func typeVault(t *testing.T) {
	v := testserver.StartVault(t)
	v.Mount(t, "secret", 2)
	r := stocked(t, "docs/stores/vault.md").at(v.Terminal())
	shows(t, r.rest(), "secret/data/datakit/confd/cpu", "[[inputs.cpu]]", "Success! Data deleted")
	v.Policy(t, "agent", ofLang(t, r.page, "hcl")[0].text)
	token := v.Token(t, map[string]any{"policies": []string{"agent"}})
	agent := " --backend vault --prefix /secret/datakit --node " + v.Endpoint + " --token " + token
	shows(t, r.ls(agent), "pipeline/metric/cpu.p")
	shows(t, r.do("! datakit confd put cpu cpu.conf"+agent), "permission denied")
}

func typeNacos(t *testing.T) {
	n := testserver.StartNacos(t)
	u, err := url.Parse(n.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	const space = "3c0e7f1a-0000-4000-8000-000000000001"
	r := stocked(t, "docs/stores/nacos.md", "127.0.0.1:8848", u.Host,
		"cpu.conf       #", "cpu.conf --yes --backend nacos --node "+n.Endpoint+" --option confd_namespace="+space+" #")
	post, others, _ := strings.Cut(r.next(), "\ncurl ")
	get, others, _ := strings.Cut(others, "\n")
	shows(t, r.do(post), "true")
	// Nacos says "true" before it shows what it took.
	r.see(`\[\[inputs\.cpu\]\]`, func() string { return r.do("curl " + get) })
	shows(t, r.do(others), "true")
	shows(t, r.ls("--backend nacos --node "+n.Endpoint+" --option confd_namespace="+space), "/datakit/confd/web/cpu.conf")
}

func typeRancher(t *testing.T) {
	s := testserver.StartRancher(t, nil)
	u, err := url.Parse(s.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	r := stocked(t, "docs/stores/rancher.md", "rancher-metadata/latest", u.Host+"/latest", "--node rancher-metadata", "--node "+s.Endpoint)
	var stack struct {
		Agent struct{ Metadata map[string]any }
	}
	if err := yaml.Unmarshal([]byte(ofLang(t, r.page, "yaml")[0].text), &stack); err != nil {
		t.Fatal(err)
	}
	s.Set(t, "/self/service/metadata", stack.Agent.Metadata)
	shows(t, r.rest(), `"mem":`, "/datakit/confd/mem", "/datakit/pipeline/logging/nginx.p")
}

// One emulator has all three services.
func typeAWS(t *testing.T) {
	m := testserver.StartMoto(t, nil)
	typeDynamoDB(t, m)
	typeSSM(t, m)
	typeSecrets(t, m)
}

func typeDynamoDB(t *testing.T, m testserver.Moto) {
	t.Helper()
	r := stocked(t, "docs/stores/dynamodb.md").at(m.Terminal(t))
	commands := strings.SplitAfter(r.next(), `"[[inputs.cpu]]"}}'`+"\n")
	shows(t, r.do(commands[0]), `"TableName": "datakit"`)
	shows(t, r.ls("--backend dynamodb --table datakit --node "+m.Endpoint), "/datakit/confd/cpu")
	shows(t, r.do(commands[1]), "[[inputs.cpu]]")
	if out := r.ls("--backend dynamodb --table datakit --node " + m.Endpoint); strings.Contains(out, "/datakit/confd/cpu") {
		t.Error(out)
	}
}

func typeSSM(t *testing.T, m testserver.Moto) {
	t.Helper()
	r := stocked(t, "docs/stores/ssm.md").at(m.Terminal(t))
	commands := lines(r.next())
	r.do(commands[0])
	shows(t, r.ls("--backend ssm --node "+m.Endpoint), "/datakit/confd/cpu")
	shows(t, r.do(strings.Join(commands[1:], "\n")), "[[inputs.cpu]]")
	if out := r.ls("--backend ssm --node " + m.Endpoint); strings.Contains(out, "/datakit/confd/cpu") {
		t.Error(out)
	}
}

func typeSecrets(t *testing.T, m testserver.Moto) {
	t.Helper()
	r := stocked(t, "docs/stores/aws.md").at(m.Terminal(t))
	commands := lines(r.next())
	r.do(commands[0])
	shows(t, r.ls("--backend aws --node "+m.Endpoint), "/datakit/confd/cpu")
	shows(t, r.do(strings.Join(commands[1:], "\n")), "[[inputs.cpu]]", "DeletionDate")
	if out := r.ls("--backend aws --node " + m.Endpoint); strings.Contains(out, "/datakit/confd/cpu") {
		t.Error(out)
	}
}

// Answers are compared with what the agent sends elsewhere; rights of AWS are JSON.
func TestEveryJSONExampleIsJSON(t *testing.T) {
	for _, pg := range pages(t) {
		for _, b := range pg.blocks {
			if b.lang == "json" && !json.Valid([]byte(b.text)) {
				t.Errorf("%s:%d: this is no JSON", b.page, b.line)
			}
		}
	}
}

// Those of Kubernetes are tried on an API server, by TestYAMLOfTheManuals.
func TestEveryYAMLExampleIsYAML(t *testing.T) {
	for _, pg := range pages(t) {
		for _, b := range pg.blocks {
			if b.lang != "yaml" {
				continue
			}
			var v any
			if err := yaml.Unmarshal([]byte(b.text), &v); err != nil {
				t.Errorf("%s:%d: %v", b.page, b.line, err)
			}
		}
	}
	var env struct {
		Env []struct{ Name, Value string }
	}
	if err := yaml.Unmarshal([]byte(ofLang(t, "docs/stores/env.md", "yaml")[0].text), &env); err != nil || len(env.Env) != 1 {
		t.Fatalf("%v, %v", env, err)
	}
	if key := fate(parts(t), env.Env[0].Value); key.State != "applied" || env.Env[0].Name != "DATAKIT_CONFD_CPU" {
		t.Errorf("%+v", key)
	}
}
