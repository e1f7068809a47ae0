package config

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"datakit.dev/internal/point"
)

func TestKeyForms(t *testing.T) {
	for key, want := range map[string]class{
		"confd/cpu":               inputKey,
		"confd/cpu.conf":          inputKey,
		"confd/a/b/c":             inputKey,
		"confd/日志":                inputKey,
		"cpu":                     inputKey,
		"cpu.conf":                inputKey,
		"confdXYZ":                inputKey, // one part, and not the reserved word
		"pipeline/metric/a.p":     scriptKey,
		"pipeline/logging/a b.p":  scriptKey,
		"confd":                   notOurs,
		"pipeline":                notOurs,
		"confd/":                  notOurs,
		"":                        notOurs,
		"other/cpu":               notOurs,
		"confdXYZ/cpu":            notOurs,
		"a/b/c":                   notOurs,
		"pipeline/a.p":            refusedKey,
		"pipeline/metric/x/a.p":   refusedKey,
		"pipeline/nope/a.p":       refusedKey,
		"pipeline/Metric/a.p":     refusedKey,
		"pipeline/metric/a":       refusedKey,
		"pipeline/metric/.a.p":    refusedKey,
		"pipeline/metric/.p":      refusedKey,
		"pipeline/metric/..p":     refusedKey,
		"pipeline/metric/..":      refusedKey,
		"pipeline/metric/a..p":    refusedKey,
		"pipeline/../a.p":         refusedKey,
		`pipeline/metric/a\b.p`:   refusedKey,
		"pipeline/metric/a\x00.p": refusedKey,
		"confd/a\x00":             refusedKey,
		"confd/\xff\xfe":          refusedKey,
		"confd/a\nb":              refusedKey,
		"confd/a\x7f":             refusedKey,
		"confd/\u009b31m":         refusedKey, // steers a terminal
		"\xff":                    refusedKey,
	} {
		got, why := classify(key)
		if got != want || (why == "") != (want == inputKey || want == scriptKey) {
			t.Errorf("%q is class %d (%s), want %d", key, got, why, want)
		}
	}
}

// Where a folder is a key of its own, as in Consul, it asks for nothing.
func TestFoldersAreIgnored(t *testing.T) {
	for _, key := range []string{"confd/", "confd/sub/", "pipeline/", "pipeline/metric/"} {
		if r := compile(request(etcd(key, ""))); r.Pending || len(r.Units) > 0 {
			t.Errorf("%q: %+v", key, r.Keys)
		}
	}
}

func TestEveryCategoryOfTheContract(t *testing.T) {
	const contract = "metric network keyevent object custom_object logging tracing rum security profiling dialtesting"
	if got := categoryNames(); got != contract {
		t.Errorf("categories %q", got)
	}
	for c := range strings.FieldsSeq(contract) {
		if got, why := classify("pipeline/" + c + "/x.p"); got != scriptKey {
			t.Errorf("%s: %s", c, why)
		}
	}
}

func TestRefusedKeySaysWhatWasExpected(t *testing.T) {
	r := compile(request(etcd("pipeline/nope/a.p", "x", "confd/\xff", cpu)))
	wantRunning(t, r, "")
	if k := r.Keys[0]; k.State != "rejected" || !strings.Contains(k.Error, `unknown category "nope"; there is metric network`) {
		t.Errorf("%+v", k)
	}
	if k := r.Keys[1]; k.State != "rejected" || !strings.Contains(k.Error, "not UTF-8") {
		t.Errorf("%+v", k)
	}
}

// A key's name becomes a file's name and a part of log lines.
func TestScriptKeysNameAFileInTheirFolder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		part := rapid.StringOf(rapid.SampledFrom([]rune("ab./\\\x00\n.p:")))
		key := "pipeline/" + rapid.SampledFrom([]string{"metric", "logging", "x", ".."}).Draw(t, "category") + "/" + part.Draw(t, "name") + ".p"
		got, why := classify(key)
		if got != scriptKey {
			if why == "" {
				t.Fatalf("%q: refused without a reason", key)
			}
			return
		}
		parts := strings.Split(key, "/")
		if _, ok := point.ParseCategory(parts[1]); !ok || len(parts) != 3 || parts[2] == "" ||
			strings.HasPrefix(parts[2], ".") || strings.Contains(parts[2], "..") || strings.ContainsAny(parts[2], "\\\x00\n") {
			t.Fatalf("%q is taken", key)
		}
	})
}
