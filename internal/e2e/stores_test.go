package e2e

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"datakit.dev/internal/point"
	"datakit.dev/internal/spec"
	"datakit.dev/internal/status"
	"datakit.dev/internal/testserver"
)

// The plan's own tests, one each: the store that it names, written with that
// store's own tool, and the collector that it names.

// tool runs a command of a store's vendor.
func tool(t testing.TB, name string, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), "ETCDCTL_API=3")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}

// units returns the units of kind.
func units(s status.Status, kind string) []status.Unit {
	return slices.DeleteFunc(slices.Clone(s.Units), func(u status.Unit) bool { return u.Kind != kind })
}

// applied reports whether the key that ends in name is applied.
func applied(name string) func(status.Status) bool {
	return func(s status.Status) bool { return key(s, name).State == status.Applied }
}

// says is a collector that says so with a tag.
func says(kind, v string) string {
	return fmt.Sprintf("[[inputs.%s]]\n  interval = \"200ms\"\n  [inputs.%s.tags]\n    v = %q\n", kind, kind, v)
}

func TestFileChangesCPU(t *testing.T) {
	dir := t.TempDir()
	one, two := filepath.Join(dir, "testconf.conf"), filepath.Join(dir, "testconf02.conf")
	write := func(path, text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(one, says("cpu", "one"))
	write(two, "")
	a := newAgent(t, "default_enabled_inputs = [\"cpu\", \"mem\"]\n[confd]\n  debounce = \"0s\"\n"+
		fmt.Sprintf("[[confds]]\n  backend = \"file\"\n  file = [%q, %q]\n", one, two)).start()
	a.untilPoint("cpu of the file", tagged("cpu", "v", "one"))
	write(one, says("cpu", "two"))
	a.untilPoint("cpu of the changed file", tagged("cpu", "v", "two"))
	write(two, says("swap", "second file"))
	a.untilPoint("swap of the second file", tagged("swap", "v", "second file"))
	write(one, "") // a listed file that is missing would be an error, and stop nothing
	s := a.until("the default cpu is back", func(s status.Status) bool { return unit(s, "cpu").Origin == "default" })
	if u := unit(s, "mem"); u.Starts != 1 {
		t.Errorf("mem was touched: %+v", u)
	}
}

func TestEtcdv3ChangesCPU(t *testing.T) {
	e := testserver.StartEtcd(t)
	a := newAgent(t, "default_enabled_inputs = [\"cpu\", \"mem\"]\n"+follow(e, "")).start()
	put := func(value string) {
		tool(t, "etcdctl", "--endpoints", e.Endpoint, "put", "/datakit/confd/cpu", "`"+value+"`") // in backticks, as the plan has it
	}
	put(says("cpu", "one"))
	a.untilPoint("cpu of the store", tagged("cpu", "v", "one"))
	put(says("cpu", "two"))
	a.untilPoint("cpu of the changed key", tagged("cpu", "v", "two"))
	tool(t, "etcdctl", "--endpoints", e.Endpoint, "del", "/datakit/confd/cpu")
	s := a.until("the default cpu is back", func(s status.Status) bool { return unit(s, "cpu").Origin == "default" })
	if u := unit(s, "mem"); u.Starts != 1 {
		t.Errorf("mem was touched: %+v", u)
	}
}

// A second netstat is listed, and does not run.
func TestZooKeeperNetstatTwiceStartsOne(t *testing.T) {
	z := testserver.StartZooKeeper(t)
	a := newAgent(t, atOnce(place{backend: "zookeeper", values: nodes(z.Address)})).start()
	z.RunZooKeeperCli(t, "create", "/datakit", "")
	z.RunZooKeeperCli(t, "create", "/datakit/confd", "")
	z.RunZooKeeperCli(t, "create", "/datakit/confd/netstat", says("netstat", "one"))
	a.untilPoint("netstat of the first key", tagged("netstat", "v", "one"))
	z.RunZooKeeperCli(t, "create", "/datakit/confd/netstat2", says("netstat", "two"))
	s := a.until("the second is set aside", func(s status.Status) bool { return key(s, "netstat2").State == status.Singleton })
	if n := len(units(s, "netstat")); n != 1 || unit(s, "netstat").Starts != 1 {
		t.Errorf("%d units: %+v", n, units(s, "netstat"))
	}
	z.RunZooKeeperCli(t, "set", "/datakit/confd/netstat", says("netstat", "three"))
	a.untilPoint("netstat of the changed key", tagged("netstat", "v", "three"))
	z.RunZooKeeperCli(t, "delete", "/datakit/confd/netstat")
	a.untilPoint("the second takes its place", tagged("netstat", "v", "two"))
}

// As the plan writes it: the password of Redis stands in client_key.
func TestRedisChangesNet(t *testing.T) {
	r := testserver.StartRedis(t, testserver.WithRedisPassword("654123"))
	a := newAgent(t, "[confd]\n  debounce = \"0s\"\n"+
		fmt.Sprintf("[[confds]]\n  backend = \"redis\"\n  nodes = [%q]\n  client_key = \"654123\"\n", r.Address)).start()
	cli := func(args ...string) { r.CLI(t, args...) }
	cli("set", "/datakit/confd/net", says("net", "one"))
	a.untilPoint("net of the store", tagged("net", "v", "one"))
	cli("set", "/datakit/confd/net", says("net", "two"))
	a.untilPoint("net of the changed key", tagged("net", "v", "two"))
	cli("del", "/datakit/confd/net")
	a.until("net has stopped", gone("net"))
}

// card writes a program that prints what a real nvidia-smi printed.
func card(t *testing.T) string {
	t.Helper()
	xml, err := filepath.Abs("../inputs/nvidiasmi/testdata/new.xml")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "nvidia-smi")
	if err := os.WriteFile(path, []byte("#!/bin/sh\nexec cat '"+xml+"'\n"), 0o700); err != nil { //nolint:gosec // a program
		t.Fatal(err)
	}
	return path
}

func nvidia(program, v string) string {
	return fmt.Sprintf("[[inputs.nvidia_smi]]\n  interval = \"200ms\"\n  bin_path = %q\n  [inputs.nvidia_smi.tags]\n    v = %q\n", program, v)
}

// Two of a kind that is no singleton both run, and a script marks both, as the
// plan looks at it.
func TestConsulNvidiaSMITwiceRunsTwo(t *testing.T) {
	c, program := testserver.StartConsul(t), card(t)
	a := newAgent(t, atOnce(place{backend: "consul", values: nodes(c.Endpoint)})).start()
	c.CLI(t, "kv", "put", "datakit/confd/nvidia_smi", nvidia(program, "one"))
	c.CLI(t, "kv", "put", "datakit/confd/nvidia_smi2", nvidia(program, "two"))
	for _, v := range []string{"one", "two"} {
		a.untilPoint("nvidia_smi "+v, tagged("nvidia_smi", "v", v))
	}
	s := a.until("both are applied", func(s status.Status) bool { return applied("nvidia_smi")(s) && applied("nvidia_smi2")(s) })
	if n := len(units(s, "nvidia_smi")); n != 2 {
		t.Errorf("%d units: %+v", n, units(s, "nvidia_smi"))
	}
	for n := range int64(3) {
		c.CLI(t, "kv", "put", "datakit/pipeline/metric/nvidia_smi.p", fmt.Sprintf("add_key(tconsul, %d)", n))
		for _, v := range []string{"one", "two"} {
			a.untilPoint(fmt.Sprintf("tconsul %d of %s", n, v), func(p point.Point) bool {
				f, ok := p.Field("tconsul")
				return ok && f.Int() == n && tagged("nvidia_smi", "v", v)(p)
			})
		}
	}
	c.CLI(t, "kv", "delete", "datakit/confd/nvidia_smi")
	s = a.until("one has stopped", func(s status.Status) bool { return len(units(s, "nvidia_smi")) == 1 })
	if u := unit(s, "nvidia_smi"); u.Starts != 1 || !strings.HasSuffix(u.Origin, "nvidia_smi2") {
		t.Errorf("the other was touched: %+v", u)
	}
}

func TestVaultChangesSwap(t *testing.T) {
	v := testserver.StartVault(t)
	v.Mount(t, "secret", 2)
	a := newAgent(t, atOnce(place{backend: "vault", values: spec.Values{
		"nodes": []string{v.Endpoint}, "auth_token": v.Root, "prefix": "/secret/datakit", "circle_interval": int64(1),
	}})).start()
	put := func(value string) {
		v.Command(t, "kv", "put", "-mount=secret", "datakit/confd/swap", "value="+value)
	}
	put(says("swap", "one"))
	a.untilPoint("swap of the secret", tagged("swap", "v", "one"))
	put(says("swap", "two"))
	a.untilPoint("swap of the changed secret", tagged("swap", "v", "two"))
	v.Command(t, "kv", "delete", "-mount=secret", "datakit/confd/swap")
	a.until("swap has stopped", gone("swap"))
}

// The plan's table of scripts: each store changes those of one measurement.
func TestScriptsOfEveryStore(t *testing.T) {
	for backend, name := range map[string]string{"zookeeper": "disk", "etcdv3": "cpu", "redis": "net", "file": "mem"} {
		t.Run(backend, func(t *testing.T) {
			t.Parallel()
			p := starters()[backend](t)
			a := newAgent(t, atOnce(p))
			a.write("conf.d/one.conf", says(name, "x"))
			a.start()
			script, field := "/datakit/pipeline/metric/"+name+".p", "t"+backend
			marked := func(n int64) func(point.Point) bool {
				return func(p point.Point) bool {
					v, ok := p.Field(field)
					return p.Name == name && ok && v.Int() == n
				}
			}
			for n := int64(1); n <= 2; n++ {
				p.put(t, script, fmt.Sprintf("add_key(%s, %d)", field, n))
				a.untilPoint(fmt.Sprintf("%s %d", field, n), marked(n))
			}
			p.remove(t, script)
			s := a.until("the script is gone", func(s status.Status) bool { return len(s.Scripts) == 0 })
			if u := unit(s, name); u.Starts != 1 {
				t.Errorf("%s was restarted: %+v", name, u)
			}
			before := len(a.points())
			for deadline := time.Now().Add(patience); ; pause() {
				pts := a.points()[before:]
				if i := slices.IndexFunc(pts, named(name)); i >= 0 && !slices.ContainsFunc(pts[i:], func(p point.Point) bool { _, ok := p.Field(field); return ok }) {
					break
				}
				if time.Now().After(deadline) {
					t.Fatal("points go on to be marked")
				}
				before = len(a.points())
			}
		})
	}
}

func TestFiveAgentsFollowOneStore(t *testing.T) {
	for _, backend := range []string{"etcdv3", "redis", "zookeeper"} {
		t.Run(backend, func(t *testing.T) {
			t.Parallel()
			p := starters()[backend](t)
			var fleet []*agent
			for range 5 {
				fleet = append(fleet, newAgent(t, "default_enabled_inputs = [\"mem\"]\n"+atOnce(p)).start())
			}
			for _, v := range []string{"one", "two"} {
				p.put(t, "/datakit/confd/swap", says("swap", v))
				for _, a := range fleet {
					a.untilPoint("swap "+v, tagged("swap", "v", v))
				}
			}
			p.remove(t, "/datakit/confd/swap")
			for _, a := range fleet {
				if u := unit(a.until("swap has stopped", gone("swap")), "mem"); u.Starts != 1 {
					t.Errorf("mem was touched: %+v", u)
				}
			}
		})
	}
}

// The plan's datakit.conf: five stores at once, each with its own collector;
// one of them goes down, and the others change on.
func TestFiveStoresAtOnce(t *testing.T) {
	t.Parallel()
	kinds := map[string]string{"file": "cpu", "zookeeper": "netstat", "etcdv3": "swap", "redis": "net"}
	t.Run("without consul", func(t *testing.T) {
		t.Parallel()
		storesAtOnce(t, kinds)
	})
	t.Run("with consul", func(t *testing.T) {
		t.Parallel()
		five := maps.Clone(kinds)
		five["consul"] = "system"
		storesAtOnce(t, five)
	})
}

// storesAtOnce follows stores, each of which has a kind of its own.
func storesAtOnce(t *testing.T, kinds map[string]string) {
	t.Helper()
	e := testserver.StartEtcd(t)
	places := map[string]place{"etcdv3": {"etcdv3", nodes(e.Endpoint), e.Put, e.Delete}}
	var list []place
	for _, backend := range slices.Sorted(maps.Keys(kinds)) {
		if _, ok := places[backend]; !ok {
			places[backend] = starters()[backend](t)
		}
		list = append(list, places[backend])
	}
	a := newAgent(t, atOnce(list...)).start()
	put := func(backend, v string) {
		p := places[backend]
		p.put(t, "/datakit/confd/"+kinds[backend], says(kinds[backend], v))
		a.untilPoint(backend+" "+v, tagged(kinds[backend], "v", v))
	}
	for backend := range kinds {
		put(backend, "one")
	}
	e.Stop(t)
	for backend := range kinds {
		if backend != "etcdv3" {
			put(backend, "two")
		}
	}
	s := a.until("etcd is known to be away", func(s status.Status) bool {
		return slices.ContainsFunc(s.Stores, func(st status.Store) bool { return st.Backend == "etcdv3" && st.State == status.Stale })
	})
	for _, kind := range kinds {
		if u := unit(s, kind); u.State != status.Running || u.Starts != 1 {
			t.Errorf("%s: %+v", kind, u)
		}
	}
	e.Start(t)
	put("etcdv3", "three")
}

// A value moves to another store without a restart: both hold it for a moment,
// as `datakit confd copy` leaves it.
func TestValueMovesFromEtcdToRedis(t *testing.T) {
	from, to := starters()["etcdv3"](t), starters()["redis"](t)
	a := newAgent(t, atOnce(from, to)).start()
	from.put(t, "/datakit/confd/cpu", says("cpu", "one"))
	a.untilPoint("cpu", tagged("cpu", "v", "one"))
	since := unit(a.until("it runs", running("cpu")), "cpu").Since
	to.put(t, "/datakit/confd/cpu", says("cpu", "one"))
	a.until("the other store's is a duplicate", func(s status.Status) bool {
		return slices.ContainsFunc(s.Keys, func(k status.Key) bool { return k.State == status.Duplicate })
	})
	from.remove(t, "/datakit/confd/cpu")
	s := a.until("it has moved", func(s status.Status) bool { return strings.HasPrefix(unit(s, "cpu").Origin, "redis:") })
	if u := unit(s, "cpu"); u.Starts != 1 || u.Since != since || u.Missed != 0 {
		t.Errorf("cpu was restarted: %+v", u)
	}
}
