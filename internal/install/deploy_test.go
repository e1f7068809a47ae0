package install

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// text returns a file of the repository.
func text(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile("../../" + path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestShellcheckIsContent(t *testing.T) {
	if _, err := exec.LookPath("shellcheck"); err != nil {
		t.Skip("this machine has no shellcheck: scripts/test-deps installs it")
	}
	if out, err := exec.CommandContext(t.Context(), "shellcheck", "--shell=sh", "../../deploy/install.sh").CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

var variable = regexp.MustCompile(`DK_[A-Z0-9_]+`)

// known are the variables that an installation reads beside those that end up in
// datakit.conf.
func known() []string {
	names := []string{"DK_INSTALL_DIR", "DK_INSTALL_ONLY", "DK_FILES_ONLY", "DK_UPGRADE", "DK_INSTALLER_BASE_URL", "DK_PUBLIC_KEY"}
	for _, v := range Variables() {
		names = append(names, "DK_"+v.Name)
	}
	return names
}

func TestScriptsAndManualsNameOnlyWhatIsRead(t *testing.T) {
	for _, path := range []string{"deploy/install.sh", "deploy/install.ps1", "docs/datakit-install.md", "docs/zh/datakit-install.md"} {
		for _, name := range variable.FindAllString(text(t, path), -1) {
			if name != "DK_CONFD_" && name != "DK_" && !slices.Contains(known(), name) {
				t.Errorf("%s names %s, which nothing reads", path, name)
			}
		}
	}
}

func TestManualsNameEveryVariable(t *testing.T) {
	for _, path := range []string{"docs/datakit-install.md", "docs/zh/datakit-install.md"} {
		page := text(t, path)
		for _, name := range known() {
			short := "`" + strings.TrimPrefix(name, "DK_CONFD_") + "`"
			if !strings.Contains(page, "`"+name+"`") && !strings.Contains(page, short) {
				t.Errorf("%s lacks %s", path, name)
			}
		}
	}
}

// What PowerShell itself would say cannot be had on the machines that test this:
// the rules below are the mistakes that would break the script on one of the two
// versions it is for. TestGrammarOfPowerShell parses it as well.
func TestPowerShellScriptIsForBothVersions(t *testing.T) {
	script := text(t, "deploy/install.ps1")
	if i := strings.IndexFunc(script, func(r rune) bool { return r > '~' || r < ' ' && r != '\n' }); i >= 0 {
		t.Errorf("not ASCII at %q: PowerShell 5.1 would read it in the machine's code page", script[i:i+1])
	}
	code := regexp.MustCompile(`(?m)(^|\s)#.*$`).ReplaceAllString(script, "")
	for _, newer := range []string{"??", "?.", " && ", " || ", "-Parallel", "-AsHashtable", "-SkipCertificateCheck", "Join-String", "ssh-keygen -Y sign"} {
		if strings.Contains(code, newer) {
			t.Errorf("%s is not in PowerShell 5.1, or not for here", newer)
		}
	}
	for _, must := range []string{"-UseBasicParsing", "Tls12", "$ErrorActionPreference = 'Stop'", "Get-FileHash -Algorithm SHA256", "-LiteralPath", "DK_INSTALLER_BASE_URL", "$LASTEXITCODE", "exit 1"} {
		if !strings.Contains(code, must) {
			t.Errorf("it lacks %s", must)
		}
	}
	// Values reach the program by the environment alone.
	for line := range strings.Lines(code) {
		if strings.Contains(line, "& $program") && strings.TrimSpace(line) != "& $program $verb --program $program" {
			t.Errorf("the program is called with more than it needs: %s", line)
		}
	}
	for _, pair := range []string{"{}", "()", "[]"} {
		if strings.Count(code, pair[:1]) != strings.Count(code, pair[1:]) {
			t.Errorf("unbalanced %s", pair)
		}
	}
	// Both scripts take the same archive from the same place, by the same name.
	sh := text(t, "deploy/install.sh")
	for _, same := range []string{"https://static.guance.com/datakit", "SHA256SUMS.sig", `-I datakit -n datakit`, "is not what SHA256SUMS says: nothing was installed"} {
		if !strings.Contains(sh, same) || !strings.Contains(script, same) {
			t.Errorf("the scripts differ in %s", same)
		}
	}
}

// grammar prints the places that a grammar of PowerShell cannot read.
const grammar = `
import sys, tree_sitter, tree_sitter_powershell as p
src = sys.stdin.buffer.read()
def walk(n):
    if n.type == "ERROR" or n.is_missing:
        print(n.start_point[0] + 1, src[n.start_byte:n.end_byte][:80])
    for c in n.children:
        walk(c)
walk(tree_sitter.Parser(tree_sitter.Language(p.language())).parse(src).root_node)
`

func TestGrammarOfPowerShell(t *testing.T) {
	python := os.Getenv("DATAKIT_PYTHON")
	if python == "" {
		python = "python3"
	}
	if exec.CommandContext(t.Context(), python, "-c", "import tree_sitter_powershell, tree_sitter").Run() != nil {
		t.Skip("no grammar of PowerShell: pip install tree-sitter tree-sitter-powershell, and name that python in DATAKIT_PYTHON")
	}
	for source, good := range map[string]bool{text(t, "deploy/install.ps1"): true, "if ($x { }": false} {
		cmd := exec.CommandContext(t.Context(), python, "-c", grammar)
		cmd.Stdin = strings.NewReader(source)
		out, err := cmd.CombinedOutput()
		if err != nil || (len(out) == 0) != good {
			t.Errorf("%v\n%s", err, out)
		}
	}
}
