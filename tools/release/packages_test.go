package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/sassoftware/go-rpmutils"
)

func debName(r *release) string {
	return "datakit_" + packageVersion(r.version) + "-1_" + runtime.GOARCH + ".deb"
}

func rpmName(r *release) string {
	arch := map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[runtime.GOARCH]
	return "datakit-" + packageVersion(r.version) + "-1." + arch + ".rpm"
}

// The configuration belongs to the operator and may hold passwords; what the
// agent writes belongs to its account, and no other may look.
func TestRPM(t *testing.T) {
	r := built(t)
	p, err := rpmutils.ReadRpm(bytes.NewReader(made(t, r, rpmName(r))))
	if err != nil {
		t.Fatal(err)
	}
	infos, err := p.Header.GetFiles()
	if err != nil {
		t.Fatal(err)
	}
	if who, err := p.Header.GetString(rpmutils.PACKAGER); err != nil || who != maintainer {
		t.Errorf("packaged by %q, %v", who, err)
	}
	files := map[string]rpmutils.FileInfo{}
	for _, f := range infos {
		files[f.Name()] = f
		if f.Mtime() != 1700000000 {
			t.Errorf("%s is dated %d", f.Name(), f.Mtime())
		}
	}
	for path, want := range map[string]struct {
		mode        int
		user, group string
	}{
		workDir + "/datakit":                             {0o100755, "root", "root"},
		workDir + "/conf.d":                              {0o040750, "root", "datakit"},
		workDir + "/conf.d/datakit.conf":                 {0o100640, "root", "datakit"},
		workDir + "/data":                                {0o040750, "datakit", "datakit"},
		workDir + "/pipeline_confd":                      {0o040750, "datakit", "datakit"},
		"/usr/share/man/man1/datakit-run.1.gz":           {0o100644, "root", "root"},
		"/usr/share/zsh/site-functions/_datakit":         {0o100644, "root", "root"},
		"/usr/share/licenses/datakit/LICENSE":            {0o100644, "root", "root"},
		"/usr/share/bash-completion/completions/datakit": {0o100644, "root", "root"},
	} {
		f, ok := files[path]
		if !ok {
			t.Errorf("%s is missing", path)
		} else if f.Mode() != want.mode || f.UserName() != want.user || f.GroupName() != want.group {
			t.Errorf("%s: mode %o of %s:%s", path, f.Mode(), f.UserName(), f.GroupName())
		}
	}
	if f := files["/usr/bin/datakit"]; f == nil || f.Linkname() != "../local/datakit/datakit" {
		t.Error("datakit is not in the path")
	}
	const configNoReplace = 1<<0 | 1<<4
	if f := files[workDir+"/conf.d/datakit.conf"]; f == nil || f.Flags()&configNoReplace != configNoReplace {
		t.Error("an update would overwrite datakit.conf")
	}
	if host, err := p.Header.GetString(rpmutils.BUILDHOST); err != nil || host != "localhost" {
		t.Errorf("it names the machine %q: %v", host, err)
	}
	for tag, want := range map[int]string{
		rpmutils.PREIN: "groupadd", rpmutils.POSTIN: "daemon-reload", rpmutils.PREUN: "disable --now", rpmutils.POSTUN: "daemon-reload",
	} {
		if script, err := p.Header.GetString(tag); err != nil || !strings.Contains(script, want) {
			t.Errorf("the script %d does not %s: %v", tag, want, err)
		}
	}
}

// A package manager takes a pre-release for older than its release, and a build
// between two tags for something in between.
func TestPackageVersions(t *testing.T) {
	order := []string{"70d1462", "v1.2.3-rc.1", "v1.2.3-rc.2", "v1.2.3", "v1.2.3-4-gabc1234", "v1.2.3-12-gabc1234-dirty", "v1.2.4"}
	for i, v := range order {
		have := packageVersion(v)
		if strings.ContainsAny(have, "-_:/") || have[0] < '0' || have[0] > '9' {
			t.Errorf("%s becomes %s, which no package may be", v, have)
		}
		if i == 0 {
			continue
		}
		if _, err := exec.LookPath("dpkg"); err != nil {
			t.Skip("no dpkg to compare versions")
		}
		if err := exec.CommandContext(t.Context(), "dpkg", "--compare-versions", packageVersion(order[i-1]), "lt", have).Run(); err != nil {
			t.Errorf("%s is not older than %s: %v", order[i-1], v, err)
		}
	}
}

// Whoever builds packages of their own says who answers for them.
func TestMaintainerIsAnAddress(t *testing.T) {
	for who, good := range map[string]bool{maintainer: true, "Ops of Web <ops@web.example>": true, "ops": false, "": false} {
		err := run(t.Context(), []string{"-maintainer", who, "-src", t.TempDir(), "-version", "1.0.0", "nothing"}, io.Discard)
		if refused := strings.Contains(err.Error(), "the maintainer is no"); refused == good {
			t.Errorf("%q: %v", who, err)
		}
	}
}

func TestMaintainerScripts(t *testing.T) {
	scripts, err := filepath.Glob("files/*.sh")
	if err != nil || len(scripts) != 4 {
		t.Fatalf("%v, %v", scripts, err)
	}
	for _, tool := range [][]string{{"shellcheck"}, {"dash", "-n"}, {"bash", "-n"}} {
		if _, err := exec.LookPath(tool[0]); err != nil {
			t.Logf("no %s here", tool[0])
			continue
		}
		for _, s := range scripts {
			command(t, tool[0], append(tool[1:], s)...)
		}
	}
}

// inScratch runs a script as root of this machine's own Debian, with a scratch
// layer above it that is thrown away: nothing that it installs stays.
const inScratch = `
mount -t tmpfs -o size=400m tmpfs "$1" || exit 77
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root" || exit 77
mount --bind /dev "$1/root/dev" || exit 77
mkdir -p "$1/root/packages" && cp "$2"/* "$1/root/packages/" || exit 77
exec chroot "$1/root" sh -ec "$3"
`

// lifeOfADeb installs, updates, removes and purges; it prints what is there.
const lifeOfADeb = `
export DEBIAN_FRONTEND=noninteractive
facts() { stat -c '%n %U:%G %a' "$@" 2>&1 || true; }
cd /usr/local/datakit 2>/dev/null || cd /
dpkg --no-triggers -i /packages/first.deb
cd /usr/local/datakit
facts /usr/local/datakit/conf.d /usr/local/datakit/conf.d/datakit.conf /usr/local/datakit/data /usr/local/datakit/datakit
datakit version
setpriv --reuid datakit --regid datakit --init-groups datakit check
setpriv --reuid datakit --regid datakit --init-groups touch data/remote.conf
setpriv --reuid datakit --regid datakit --init-groups touch conf.d/datakit.conf conf.d/x 2>/dev/null || echo the configuration is not the agent\'s to write
setpriv --reuid nobody --regid nogroup --clear-groups cat conf.d/datakit.conf 2>/dev/null || echo others cannot read it
echo '# mine' >> conf.d/datakit.conf
dpkg --no-triggers -i /packages/second.deb
tail -n 1 conf.d/datakit.conf
dpkg --no-triggers -r datakit
facts conf.d/datakit.conf data/remote.conf
[ -e /usr/bin/datakit ] || echo the program is gone
dpkg --no-triggers -P datakit
cd /
facts /usr/local/datakit
getent passwd datakit | cut -d : -f 6-
`

func TestDebInstalls(t *testing.T) {
	for _, tool := range []string{"dpkg", "unshare", "setpriv", "groupadd"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("no %s here", tool)
		}
	}
	if os.Getuid() != 0 {
		t.Skip("only root may install a package")
	}
	r := built(t)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "first.deb"), made(t, r, debName(r)), 0o600); err != nil {
		t.Fatal(err)
	}
	newer := newerDeb(t, r)
	if err := os.WriteFile(filepath.Join(dir, "second.deb"), made(t, newer, debName(newer)), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "unshare", "--mount", "sh", "-c", inScratch, "sh", t.TempDir(), dir, lifeOfADeb)
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState != nil && cmd.ProcessState.ExitCode() == 77 || bytes.Contains(out, []byte("unshare failed")) {
		t.Skipf("no scratch system may be mounted here: %s", out)
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	rest := string(out)
	for _, want := range []string{
		"DataKit is installed.",
		"/usr/local/datakit/conf.d root:datakit 750",
		"/usr/local/datakit/conf.d/datakit.conf root:datakit 640",
		"/usr/local/datakit/data datakit:datakit 750",
		"/usr/local/datakit/datakit root:root 755",
		"datakit " + testVersion,
		"1 files are valid",
		"the configuration is not the agent's to write",
		"others cannot read it",
		"# mine",
		"conf.d/datakit.conf root:datakit 640",
		"data/remote.conf datakit:datakit",
		"the program is gone",
		"cannot stat",
		"/usr/local/datakit:/usr/sbin/nologin",
	} {
		i := strings.Index(rest, want)
		if i < 0 {
			t.Fatalf("no %q, in its place, in\n%s", want, out)
		}
		rest = rest[i+len(want):]
	}
	if strings.Count(string(out), "DataKit is installed.") != 1 {
		t.Error("an update greets like a first installation")
	}
}

// newerDeb packs the same files once more, as a later version.
func newerDeb(t *testing.T, r *release) *release {
	t.Helper()
	newer := *r
	newer.version, newer.out = "v1.2.4", t.TempDir()
	var files []file
	headers, bodies := untar(t, gunzip(t, made(t, r, archiveName(r))))
	for _, h := range headers {
		files = append(files, file{h.Name, os.FileMode(h.Mode), bodies[h.Name]})
	}
	if _, err := newer.systemPackage(t.Context(), "deb", target{"linux", runtime.GOARCH}, files); err != nil {
		t.Fatal(err)
	}
	return &newer
}
