package arch

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// floors names every package's floor; a package imports strictly lower floors,
// or sideways inside one folder. A trailing slash is a folder of plugins: only
// its all package names them. The longest prefix that fits counts.
var floors = []struct {
	prefix string
	floor  int
}{
	{"internal/faketime", 0},
	{"internal/point", 0},
	{"internal/diag", 0},
	{"internal/spec", 0},
	{"internal/status", 0},
	{"internal/atomicfile", 0},
	{"internal/tlsconf", 0},
	{"internal/plan", 0},
	{"internal/store", 0},
	{"internal/input", 0},
	{"internal/output", 0},
	{"internal/store/storetest", 1},
	{"internal/store/follow", 1},
	{"internal/store/poll", 1},
	{"internal/store/httpnodes", 1},
	{"internal/store/awsapi", 1},
	{"internal/input/inputtest", 1},
	{"internal/testserver", 1},
	{"internal/workdir", 1},
	{"internal/backup", 1},
	{"internal/access", 1},
	{"internal/audit", 1},
	{"internal/config", 1},
	{"internal/watch", 1},
	{"internal/pipeline", 1},
	{"internal/recent", 1},
	{"internal/dql", 1},
	{"internal/flow", 2},
	{"internal/supervise", 2},
	{"internal/stores/", 2},
	{"internal/inputs/", 2},
	{"internal/outputs/", 2},
	{"internal/funcs/", 2},
	{"internal/reconcile", 3},
	{"internal/stores/all", 4},
	{"internal/inputs/all", 4},
	{"internal/outputs/all", 4},
	{"internal/funcs/all", 4},
	{"internal/api", 4},
	{"internal/console", 4},
	{"internal/cli", 4},
	{"internal/monitor", 4},
	{"internal/install", 4},
	{"internal/app", 5},
	{"internal/arch", 6},
	{"internal/e2e", 6},
	{"docs", 6},
	{"deploy", 6},
	{"cmd/", 6},
}

// ground is the order of the packages of floor 0, which rest on each other: a
// package imports only those before it.
var ground = []string{
	"internal/faketime", "internal/diag", "internal/point", "internal/spec", "internal/status", "internal/atomicfile", "internal/tlsconf",
	"internal/plan", "internal/store", "internal/input", "internal/output",
}

// goers are the packages that may start a goroutine: who starts one ends it.
var goers = []string{
	"internal/supervise", "internal/watch", "internal/flow", // the owners of what runs
	"internal/api", "internal/app", // the listener, and the composition root
	"internal/store/follow", "internal/stores/file", "internal/stores/nacos", // a mirror is kept by its watch
	"internal/stores/kubernetes", // one watch for each kind of object
	"internal/stores/redis",      // one reader a subscription, which a cluster has several of
	"internal/inputs/logging",    // it reads on while a full flow holds the writer up
	"internal/store/storetest", "internal/testserver",
}

type pkg struct {
	ImportPath, Dir, Doc string
	Imports, GoFiles     []string
}

const module = "datakit.dev/"

func load(t *testing.T) []pkg {
	t.Helper()
	// go list runs in another process, which the test cache does not see; reading
	// every folder here makes an edited tree a new cache key.
	if err := filepath.WalkDir("../..", func(string, fs.DirEntry, error) error { return nil }); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Dir,Doc,Imports,GoFiles", module+"...")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var pkgs []pkg
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		switch err := dec.Decode(&p); {
		case errors.Is(err, io.EOF):
			return pkgs
		case err != nil:
			t.Fatal(err)
		case len(p.GoFiles) > 0:
			pkgs = append(pkgs, p)
		}
	}
}

func floorOf(path string) (int, bool) {
	best, floor := "", 0
	for _, f := range floors {
		prefix := strings.TrimSuffix(f.prefix, "/")
		if (path == prefix || strings.HasPrefix(path, prefix+"/")) && len(prefix) > len(best) {
			best, floor = prefix, f.floor
		}
	}
	return floor, best != ""
}

// folder returns the first two parts of path: packages below one folder may
// import each other.
func folder(path string) string {
	parts := strings.SplitN(path, "/", 3)
	if len(parts) < 2 {
		return path
	}
	return parts[0] + "/" + parts[1]
}

// pluginOf returns the folder of plugins that path is in.
func pluginOf(path string) (string, bool) {
	for _, f := range floors {
		kind, isFolder := strings.CutSuffix(f.prefix, "/")
		rest, ok := strings.CutPrefix(path, f.prefix)
		if isFolder && ok && kind != "cmd" && rest != "all" {
			return kind, true
		}
	}
	return "", false
}

func TestFloors(t *testing.T) {
	for _, p := range load(t) {
		from := strings.TrimPrefix(p.ImportPath, module)
		if _, ok := floorOf(from); !ok {
			t.Errorf("%s has no floor: add it to floors in internal/arch", from)
			continue
		}
		if p.Doc == "" {
			t.Errorf("%s has no package comment", from)
		}
		for _, imp := range p.Imports {
			if to, own := strings.CutPrefix(imp, module); own {
				checkImport(t, from, to)
			}
		}
	}
}

func checkImport(t *testing.T, from, to string) {
	t.Helper()
	f, _ := floorOf(from)
	g, ok := floorOf(to)
	down := g < f || folder(from) == folder(to)
	if i, j := slices.Index(ground, folder(from)), slices.Index(ground, folder(to)); f == 0 && g == 0 && i >= 0 && j >= 0 {
		down = j <= i
	}
	if ok && !down {
		t.Errorf("%s (floor %d) imports %s (floor %d)", from, f, to, g)
	}
	fromKind, fromPlugin := pluginOf(from)
	if kind, plugin := pluginOf(to); plugin && from != kind+"/all" && (!fromPlugin || fromKind != kind || rest(from) != rest(to)) {
		t.Errorf("%s imports the plugin %s: only %s/all names it", from, to, kind)
	}
}

// rest returns the plugin's own folder: "etcdv3" of internal/stores/etcdv3/x.
func rest(path string) string {
	parts := strings.SplitN(path, "/", 4)
	if len(parts) < 3 {
		return ""
	}
	return parts[2]
}

func TestOnlyTheCompositionRootNamesTheLists(t *testing.T) {
	for _, p := range load(t) {
		from := strings.TrimPrefix(p.ImportPath, module)
		for _, imp := range p.Imports {
			if strings.HasPrefix(imp, module) && strings.HasSuffix(imp, "/all") && from != "internal/app" {
				t.Errorf("%s imports %s: only internal/app does", from, imp)
			}
		}
	}
}

func TestGoroutinesHaveOwners(t *testing.T) {
	for _, p := range load(t) {
		if slices.Contains(goers, strings.TrimPrefix(p.ImportPath, module)) {
			continue
		}
		for _, name := range p.GoFiles {
			fset := token.NewFileSet()
			f, err := parser.ParseFile(fset, filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(f, func(n ast.Node) bool {
				if g, ok := n.(*ast.GoStmt); ok {
					t.Errorf("%s: a goroutine outside %v", fset.Position(g.Pos()), goers)
				}
				return true
			})
		}
	}
}

// The race detector dies of bubbles that are not run by faketime, and only now
// and then: in somebody else's build.
func TestBubblesAreRunByFaketime(t *testing.T) {
	bubbles := 0
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") {
			return err
		}
		src, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		bubbles += bytes.Count(src, []byte("faketime.Test("))
		if bytes.Contains(src, []byte("synctest."+"Test(")) && filepath.Base(path) != "faketime.go" {
			t.Errorf("%s calls synctest."+"Test: faketime.Test does it without harm", path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if bubbles < 50 {
		t.Errorf("%d bubbles were found", bubbles)
	}
}

// Every folder of plugins is in the list that ships, so that a newcomer cannot
// forget the line.
func TestEveryPluginIsListed(t *testing.T) {
	have, listed := map[string][]string{}, map[string][]string{}
	for _, p := range load(t) {
		from := strings.TrimPrefix(p.ImportPath, module)
		if kind, ok := pluginOf(from); ok && strings.Count(from, "/") == 2 {
			have[kind] = append(have[kind], p.ImportPath)
		}
		if kind, ok := strings.CutSuffix(from, "/all"); ok {
			listed[kind] = p.Imports
		}
	}
	for kind, plugins := range have {
		for _, p := range plugins {
			if !slices.Contains(listed[kind], p) {
				t.Errorf("%s is not in %s/all", p, kind)
			}
		}
	}
}
