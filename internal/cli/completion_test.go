package cli_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"datakit.dev/internal/testserver"
)

// A shell completes what stands on a line as it does for who presses tab.
type shell struct {
	name   string
	script string // $LINE is completed; what could stand there is printed
}

func shells() []shell {
	return []shell{
		{"bash", `
source /usr/share/bash-completion/bash_completion
source <(datakit completion bash)
eval "words=($LINE)"; [[ $LINE != *' ' ]] || words+=('')
COMP_WORDS=("${words[@]}") COMP_CWORD=$((${#words[@]} - 1)) COMP_LINE=$LINE COMP_POINT=${#LINE} COMP_TYPE=9 COMP_KEY=9
$(complete -p datakit | sed 's/.*-F \([^ ]*\) .*/\1/') datakit "${words[-1]}" "${words[-2]}" 2>/dev/null
printf '%s\n' "${COMPREPLY[@]}"
`},
		// zsh completes only where there is a terminal: zpty makes one, with another zsh in
		// it. What it shows is all that begins as the line does.
		{"zsh", `
zmodload zsh/zpty
zpty z zsh -f -i
zpty -w z "autoload -Uz compinit; compinit -u -D; source <(datakit completion zsh); zstyle ':completion:*' list-prompt ''; LISTMAX=0; PS1='RE''ADY '; stty cols 200"
zpty -r -m z seen '*READY *'
zpty -w -n z "$LINE"$'\t'
zpty -r -m z seen "*$WANT*"
print -r -- "$seen"
`},
		{"fish", `
datakit completion fish | source
complete -C "$LINE"
`},
	}
}

// complete returns what a shell makes of a line.
func (s shell) complete(t *testing.T, line, want string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, s.name, "-c", s.script)
	cmd.Env = append(os.Environ(), "LINE="+line, "WANT="+want, "HOME="+t.TempDir(), "TERM=xterm", "GORACE=atexit_sleep_ms=0")
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%s: %q: %v\n%s", s.name, line, err, out)
	}
	return string(out)
}

// In the real shells commands, flags, backends, stores and the keys of a store complete.
func TestShellsComplete(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for path, text := range map[string]string{
		"conf.d/datakit.conf":             "[[confds]]\n  backend = \"file\"\n  file = [\"" + filepath.ToSlash(dir) + "/store\"]\n",
		"store/confd/mem-of-the-web.conf": "[[inputs.mem]]\n",
	} {
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, s := range shells() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			testserver.Need(t, s.name, "apt-get install "+s.name)
			testserver.Need(t, "/usr/share/bash-completion/bash_completion", "apt-get install bash-completion")
			for line, want := range map[string]string{
				"datakit con":                              "confd",
				"datakit confd ac":                         "accept",
				"datakit confd ls --backend fi":            "file",
				"datakit confd get --dir " + dir + " mem-": "mem-of-the-web.conf",
				"datakit confd ls --pass":                  "--password",
			} {
				if out := s.complete(t, line, want); !strings.Contains(out, want) {
					t.Errorf("%q completes to %q, not to %s", line, out, want)
				}
			}
		})
	}
}

// PowerShell itself cannot be had everywhere; a grammar of it reads what it gets.
func TestCompletionForPowerShellIsPowerShell(t *testing.T) {
	t.Parallel()
	testserver.Need(t, "datakit", "go test makes it")
	out, err := exec.CommandContext(t.Context(), "datakit", "completion", "powershell").Output()
	if err != nil {
		t.Fatal(err)
	}
	p := testserver.ReadPowerShell(t, string(out))
	if len(p.Errors) > 0 || !strings.Contains(string(out), "Register-ArgumentCompleter -CommandName 'datakit'") {
		t.Errorf("%q\n%s", p.Errors, out)
	}
}
