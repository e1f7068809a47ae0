package install

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"datakit.dev/internal/testserver"
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
	testserver.Need(t, "shellcheck", "apt-get install shellcheck")
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

// ours are the commands of PowerShell 5.1 that install.ps1 calls, with the
// parameters that each has there.
func ours() map[string][]string {
	return map[string][]string{
		"Set-StrictMode":    {"-Version"},
		"Invoke-WebRequest": {"-Uri", "-OutFile", "-UseBasicParsing"},
		"Join-Path":         {},
		"Get-Command":       {"-ErrorAction"},
		"Get-FileHash":      {"-Algorithm", "-LiteralPath"},
		"New-Object":        {},
		"New-Item":          {"-ItemType", "-Path"},
		"Write-Output":      {},
		"Expand-Archive":    {"-LiteralPath", "-DestinationPath"},
		"Test-Path":         {"-LiteralPath"},
		"Remove-Item":       {"-Recurse", "-Force", "-LiteralPath", "-ErrorAction"},
		"cmd.exe":           {},
	}
}

// The grammar reads the script; it calls only what PowerShell 5.1 has or what it
// defines, and reads no variable that nothing sets, which strict mode would end it for.
func TestGrammarOfPowerShell(t *testing.T) {
	p := testserver.ReadPowerShell(t, text(t, "deploy/install.ps1"))
	if len(p.Errors) > 0 || len(p.Commands) < 20 {
		t.Fatalf("%d commands, %q", len(p.Commands), p.Errors)
	}
	called := map[string]bool{}
	for _, c := range p.Commands {
		called[c.Name] = true
		if slices.Contains(p.Functions, c.Name) {
			continue
		}
		takes, is := ours()[c.Name]
		if !is {
			t.Errorf("there is no command %s", c.Name)
		}
		for _, name := range c.Parameters {
			if !slices.Contains(takes, name) {
				t.Errorf("%s has no parameter %s", c.Name, name)
			}
		}
	}
	for _, f := range p.Functions {
		if !called[f] {
			t.Errorf("nothing calls %s", f)
		}
	}
	for _, name := range p.Unset {
		if !slices.Contains([]string{"$LASTEXITCODE", "$null", "$_"}, name) {
			t.Errorf("nothing sets %s", name)
		}
	}
	for _, bad := range []string{"if ($x { }", "function f { ", "$a = @("} {
		if p := testserver.ReadPowerShell(t, bad); len(p.Errors) == 0 {
			t.Errorf("%s was taken", bad)
		}
	}
	if p := testserver.ReadPowerShell(t, "Get-Thing $nowhere -Force\n"); len(p.Unset) != 1 || p.Commands[0].Name != "Get-Thing" || p.Commands[0].Parameters[0] != "-Force" {
		t.Errorf("%+v", p)
	}
}

var powershellBlock = regexp.MustCompile("(?ms)^```powershell\n(.*?)^```")

// What the manuals show for Windows is PowerShell, too, and so is the plan's line.
func TestGrammarOfPowerShellInTheManuals(t *testing.T) {
	n := 0
	err := fs.WalkDir(os.DirFS("../.."), "docs", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".md" {
			return err
		}
		for _, m := range powershellBlock.FindAllStringSubmatch(text(t, path), -1) {
			n++
			p := testserver.ReadPowerShell(t, m[1])
			if len(p.Errors) > 0 || len(p.Commands) == 0 || len(p.Unset) > 0 {
				t.Errorf("%s: %+v\n%s", path, p, m[1])
			}
		}
		return nil
	})
	if err != nil || n < 2 {
		t.Errorf("%d examples: %v", n, err)
	}
}
