package docs

import (
	"cmp"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// build builds the site of root's manuals into a new folder.
func build(t *testing.T, root string) (site, said string, err error) {
	t.Helper()
	cache := cmp.Or(os.Getenv("XDG_CACHE_HOME"), filepath.Join(os.Getenv("HOME"), ".cache"))
	if _, err := os.Stat(filepath.Join(cache, "datakit-site", "requirements.txt")); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("the generator is not installed: see scripts/site")
		}
		t.Skip("the generator is not installed: scripts/site --install does that")
	}
	site = filepath.Join(t.TempDir(), "site")
	cmd := exec.CommandContext(t.Context(), filepath.Join(root, "scripts", "site"), site)
	out, err := cmd.CombinedOutput()
	return site, string(out), err
}

var (
	attribute = regexp.MustCompile(`(?:href|src)="?([^"\s>]+)`)
	loads     = regexp.MustCompile(`<(?:script|img|link|iframe|source)\b[^>]*?(?:src|href)="?((?:https?:)?//[^"\s>]+)`)
)

// brokenChinese is the end of a line between two Chinese characters.
var brokenChinese = regexp.MustCompile("[\\p{Han}，。；：、]\n[\\p{Han}]")

// The site is whole: both languages, every link leads to a file of it, and no
// page loads anything from elsewhere.
func TestTheSite(t *testing.T) {
	t.Parallel()
	site, said, err := build(t, "..")
	if err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	files := os.DirFS(site)
	n := 0
	err = fs.WalkDir(files, ".", func(name string, _ fs.DirEntry, err error) error {
		if err != nil || path.Ext(name) != ".html" || path.Base(name) == "404.html" {
			return err
		}
		n++
		text, err := fs.ReadFile(files, name)
		for _, m := range loads.FindAllStringSubmatch(string(text), -1) {
			t.Errorf("%s loads %s", name, m[1])
		}
		for _, m := range attribute.FindAllStringSubmatch(string(text), -1) {
			if u, err := url.Parse(m[1]); err == nil && u.Scheme == "" && u.Host == "" && u.Path != "" {
				if _, err := fs.Stat(files, path.Join(path.Dir(name), u.Path)); err != nil {
					t.Errorf("%s leads to %s: %v", name, m[1], err)
				}
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"index.html", "quick-start.html", "zh/index.html", "zh/quick-start.html", "search/search_index.json", "zh/search/search_index.json", "images/change.svg"} {
		if _, err := fs.Stat(files, name); err != nil {
			t.Error(err)
		}
	}
	if text, err := fs.ReadFile(files, "zh/concepts.html"); err != nil || brokenChinese.Match(text) {
		t.Errorf("a line ends within a Chinese sentence, which shows as a space: %v", err)
	}
	if n < 80 {
		t.Errorf("the site has only %d pages", n)
	}
}

// A link and an anchor that lead nowhere end the build.
func TestTheSiteRefusesABrokenLink(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	for _, name := range []string{"docs", "tools/mkdocs", "scripts"} {
		from := filepath.Join("..", filepath.FromSlash(name))
		if err := os.CopyFS(filepath.Join(root, filepath.FromSlash(name)), os.DirFS(from)); err != nil {
			t.Fatal(err)
		}
	}
	page := filepath.Join(root, "docs", "zh", "concepts.md")
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	text = append(text, "\n[1](no-such-page.md) [2](confd.md#no-such-heading) [3](../no-such-page.md)\n"...)
	if err := os.WriteFile(page, text, 0o600); err != nil {
		t.Fatal(err)
	}
	_, said, err := build(t, root)
	for _, want := range []string{"'no-such-page.md'", "no-such-heading", "there is no ../no-such-page.md"} {
		if err == nil || !strings.Contains(said, want) {
			t.Errorf("%v: the build says nothing of %s:\n%s", err, want, said)
		}
	}
}
