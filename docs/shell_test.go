package docs

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"datakit.dev/internal/testserver"
)

// typed names, for each page with shell examples, the test that types them, in the
// order of the page, with real servers behind them. The Chinese pages have the same
// examples: TestBothLanguagesSayTheSame compares them.
func typed() map[string]string {
	const stores, agent = "TestTheVendorsCommands", "TestThePagesAboutARunningAgent"
	return map[string]string{
		"README.md":                        "TestTheReadme",
		"docs/quick-start.md":              "TestTheQuickStart",
		"docs/datakit-install.md":          "TestThePageAboutInstalling",
		"docs/extending.md":                "TestTheTargetsOfMake",
		"docs/datakit-daemonset-deploy.md": "TestCommandsOfTheManuals", // of deploy/kubernetes
		"docs/stores/kubernetes.md":        "TestCommandsOfTheManuals",
		"docs/confd.md":                    agent,
		"docs/console.md":                  agent,
		"docs/dql.md":                      agent,
		"docs/monitor.md":                  agent,
		"docs/moving-from-datakit.md":      agent,
		"docs/moving-from-telegraf.md":     agent,
		"docs/pipeline.md":                 agent,
		"docs/status.md":                   agent,
		"docs/troubleshooting.md":          agent,
		"docs/stores/env.md":               agent,
		"docs/stores/etcdv3.md":            stores,
		"docs/stores/etcd.md":              stores,
		"docs/stores/consul.md":            stores,
		"docs/stores/redis.md":             stores,
		"docs/stores/zookeeper.md":         stores,
		"docs/stores/vault.md":             stores,
		"docs/stores/nacos.md":             stores,
		"docs/stores/rancher.md":           stores,
		"docs/stores/dynamodb.md":          stores,
		"docs/stores/ssm.md":               stores,
		"docs/stores/aws.md":               stores,
	}
}

// A parsed example is one that no test can type: bash and shellcheck read it only.
type parsed struct{ page, begins, why string }

// untyped are all of them. An example that is neither here nor typed fails.
func untyped() []parsed {
	return []parsed{
		{"README.md", "DATAKIT_PIPELINE_CASES=", "the recorded cases are no part of the repository; CI runs the test where they are"},
		{"docs/console.md", "ssh -L ", "it wants a second machine"},
		{"docs/contributing.md", "git tag ", "it tags a release, and loads an image with docker; the tests of tools/release build both"},
		{"docs/stores.md", "go test ./internal/e2e ", "it measures for minutes; that the tests are there is checked"},
		{"docs/datakit-daemonset-deploy.md", "kubectl -n datakit exec ", "the API server of the tests has no machines that run pods"},
	}
}

// whyNot says why an example is not typed, "" where it is.
func whyNot(b block) string {
	page := strings.Replace(b.page, "docs/zh/", "docs/", 1)
	if page == "README.zh.md" {
		page = "README.md"
	}
	for _, p := range untyped() {
		if page == p.page && strings.HasPrefix(b.text, p.begins) {
			return p.why
		}
	}
	return ""
}

func TestEveryShellExampleIsTyped(t *testing.T) {
	have := tests(t)
	for _, pg := range pages(t) {
		if strings.Contains(pg.path, "/zh/") || strings.HasSuffix(pg.path, ".zh.md") {
			continue
		}
		for _, b := range pg.blocks {
			if b.lang != "sh" || whyNot(b) != "" {
				continue
			}
			name := typed()[b.page]
			if files := have[name]; len(files) != 1 || !speaksOf(t, files[0], b.page) {
				t.Errorf("%s:%d: no test types this (%q)\n%s", b.page, b.line, name, b.text)
			}
		}
	}
	for _, p := range untyped() {
		if !slices.ContainsFunc(find(t, p.page).blocks, func(b block) bool { return strings.HasPrefix(b.text, p.begins) }) {
			t.Errorf("%s has no example that begins with %q", p.page, p.begins)
		}
	}
}

// speaksOf reports whether a file of tests names a page.
func speaksOf(t *testing.T, file, page string) bool {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", file))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Contains(string(text), strings.TrimPrefix(page, "docs/")+`"`)
}

// The languages of examples, and what checks each.
func languages() map[string]string {
	return map[string]string{
		"":           "TestTheErrorInTheManualIsOurs",
		"sh":         "TestEveryShellExampleIsTyped",
		"console":    "TestEveryShellExampleIsTyped",
		"toml":       "TestEveryTOMLExampleIsTaken",
		"powershell": "TestGrammarOfPowerShell",
		"python":     "TestEveryScriptInTheManualCompiles",
		"json":       "TestEveryJSONExampleIsJSON",
		"yaml":       "TestEveryYAMLExampleIsYAML",
		"hcl":        "TestTheVendorsCommands",
		"go":         "TestTheCodeInTheManualPassesItsSuite",
		"dql":        "TestEveryQueryInTheManualParses",
		"lp":         "TestTheAnswerInTheManualIsOurs",
		"diff":       "TestTheRunInTheManualIsOurs",
		"ini":        "TestTheDropInOfTheManual",
		"text":       "TestThePictureInTheManualIsOurs",
	}
}

func TestEveryExampleHasALanguageThatIsChecked(t *testing.T) {
	have := tests(t)
	for _, pg := range pages(t) {
		for _, b := range pg.blocks {
			if name := languages()[b.lang]; have[name] == nil {
				t.Errorf("%s:%d: no test checks examples in %q (%q)", b.page, b.line, b.lang, name)
			}
		}
	}
}

// bash reads every shell example, and shellcheck finds nothing wrong in it.
func TestEveryShellExampleIsWellFormed(t *testing.T) {
	testserver.Need(t, "bash", "apt-get install bash")
	testserver.Need(t, "shellcheck", "apt-get install shellcheck")
	dir := t.TempDir()
	for _, pg := range pages(t) {
		for _, b := range pg.blocks {
			if b.lang != "sh" && b.lang != "console" {
				continue
			}
			name := fmt.Sprintf("%s:%d", strings.ReplaceAll(b.page, "/", "_"), b.line)
			if err := os.WriteFile(filepath.Join(dir, name), []byte(b.text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) < 100 {
		t.Fatalf("only %d examples: %v", len(files), err)
	}
	if out, err := wellFormed(t, files...); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	bad := filepath.Join(dir, "bad")
	if err := os.WriteFile(bad, []byte("echo $(date\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := wellFormed(t, bad); err == nil {
		t.Error("what is no shell was taken")
	}
}

// wellFormed has shellcheck read files of bash. What an example sets, a later one
// may use; what single quotes keep from the shell is meant to be kept.
func wellFormed(t *testing.T, files ...string) (string, error) {
	t.Helper()
	args := append([]string{"--shell=bash", "--exclude=SC1090,SC2016,SC2034,SC2088", "--format=gcc"}, files...)
	out, err := exec.CommandContext(t.Context(), "shellcheck", args...).CombinedOutput()
	return string(out), err
}

var testNamed = regexp.MustCompile(`-run (\w+)`)

// The tests and the targets of make that examples name are there.
func TestTheTargetsOfMake(t *testing.T) {
	have := tests(t)
	makefile, err := os.ReadFile(filepath.Join("..", "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	target := regexp.MustCompile(`(?m)^make ([a-z-]+)`)
	n := 0
	for _, page := range []string{"README.md", "docs/extending.md", "docs/stores.md", "docs/contributing.md"} {
		for _, b := range ofLang(t, page, "sh") {
			for _, m := range target.FindAllStringSubmatch(b.text, -1) {
				n++
				if !strings.Contains(string(makefile), "\n"+m[1]+": ") {
					t.Errorf("%s:%d: make has no target %s", b.page, b.line, m[1])
				}
			}
			for _, m := range testNamed.FindAllStringSubmatch(b.text, -1) {
				n++
				if have[m[1]] == nil && m[1] != "Cases" {
					t.Errorf("%s:%d: there is no test %s", b.page, b.line, m[1])
				}
			}
		}
	}
	if n < 6 {
		t.Errorf("only %d targets and tests were found", n)
	}
}
