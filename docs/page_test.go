package docs

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"
)

// englishOnly are decisions for those who work on the code, and figures.
var englishOnly = []string{"adr/", "performance.md"}

// A page is one Markdown file, taken apart.
type page struct {
	path     string // from the root of the repository, with slashes
	headings []heading
	blocks   []block
	prose    string // without the blocks
}

type heading struct {
	level int
	text  string
}

// A block is one fenced example.
type block struct {
	page string
	line int
	lang string
	text string
}

// pages returns every page: the README, the changelog and the manuals, the
// generated ones too.
func pages(t *testing.T) []page {
	t.Helper()
	root := os.DirFS("..")
	paths, err := fs.Glob(root, "*.md")
	if err != nil {
		t.Fatal(err)
	}
	err = fs.WalkDir(root, "docs", func(path string, _ fs.DirEntry, err error) error {
		if filepath.Ext(path) == ".md" {
			paths = append(paths, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	out := make([]page, len(paths))
	for i, p := range paths {
		text, err := fs.ReadFile(root, p)
		if err != nil {
			t.Fatal(err)
		}
		out[i] = parsePage(p, string(text))
	}
	if len(out) < 8 {
		t.Fatalf("only %d pages were found", len(out))
	}
	return out
}

func parsePage(path, text string) page {
	p := page{path: path}
	var in *block
	var prose strings.Builder
	for i, line := range strings.Split(text, "\n") {
		lang, fence := strings.CutPrefix(line, "```")
		switch {
		case fence && in == nil:
			in = &block{page: path, line: i + 1, lang: lang}
		case fence:
			p.blocks = append(p.blocks, *in)
			in = nil
		case in != nil:
			in.text += line + "\n"
		default:
			prose.WriteString(line + "\n")
			if m := headingLine.FindStringSubmatch(line); m != nil {
				p.headings = append(p.headings, heading{len(m[1]), m[2]})
			}
		}
	}
	p.prose = prose.String()
	return p
}

var (
	headingLine = regexp.MustCompile(`^(#{1,6}) (.*)$`)
	link        = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	codeSpan    = regexp.MustCompile("`[^`\n]*`")
)

// anchors returns the names by which the headings of p can be linked to, as the
// common renderers make them.
func (p page) anchors() []string {
	var out []string
	seen := map[string]int{}
	for _, h := range p.headings {
		a := strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case unicode.IsLetter(r) || unicode.IsDigit(r) || r == '-' || r == '_':
				return unicode.ToLower(r)
			}
			return -1
		}, h.text)
		if n := seen[a]; n > 0 {
			a += "-" + strconv.Itoa(n)
		}
		seen[a]++
		out = append(out, a)
	}
	return out
}

func TestEveryLinkLeadsSomewhere(t *testing.T) {
	all := pages(t)
	for _, p := range all {
		for _, m := range link.FindAllStringSubmatch(codeSpan.ReplaceAllString(p.prose, ""), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			if why := follow(all, p, m[1]); why != "" {
				t.Errorf("%s: (%s): %s", p.path, m[1], why)
			}
		}
	}
}

// follow says what is wrong with a relative link on page p, or "".
func follow(all []page, p page, to string) string {
	file, anchor, _ := strings.Cut(to, "#")
	target := p.path
	if file != "" {
		target = filepath.ToSlash(filepath.Join(filepath.Dir(p.path), file))
	}
	if _, err := os.Stat(filepath.Join("..", target)); file != "" && err != nil {
		return "there is no " + target
	}
	if anchor == "" {
		return ""
	}
	i := slices.IndexFunc(all, func(p page) bool { return p.path == target })
	if i < 0 {
		return target + " is no page"
	}
	if !slices.Contains(all[i].anchors(), anchor) {
		return "no heading makes that anchor; there is " + strings.Join(all[i].anchors(), " ")
	}
	return ""
}

// twin returns the path of the same page in the other language, "" where there
// need not be one.
func twin(path string) string {
	switch name, ok := strings.CutPrefix(path, "docs/"); {
	case path == "README.md":
		return "README.zh.md"
	case ok && !strings.HasPrefix(name, "zh/") && !slices.ContainsFunc(englishOnly, func(e string) bool { return strings.HasPrefix(name, e) }):
		return "docs/zh/" + name
	}
	return ""
}

func TestBothLanguagesSayTheSame(t *testing.T) {
	all := pages(t)
	chinese := 0
	for _, en := range all {
		if strings.HasPrefix(en.path, "docs/zh/") || strings.HasSuffix(en.path, ".zh.md") {
			chinese++
		}
		name := twin(en.path)
		if name == "" {
			continue
		}
		chinese--
		i := slices.IndexFunc(all, func(p page) bool { return p.path == name })
		if i < 0 {
			t.Errorf("%s has no Chinese page %s", en.path, name)
			continue
		}
		compare(t, en, all[i])
	}
	if chinese != 0 {
		t.Errorf("%d Chinese pages have no English one", chinese)
	}
}

func compare(t *testing.T, en, zh page) {
	t.Helper()
	levels := func(p page) (out []int) {
		for _, h := range p.headings {
			out = append(out, h.level)
		}
		return out
	}
	if a, b := levels(en), levels(zh); !slices.Equal(a, b) {
		t.Errorf("%s and %s have other headings: levels %v, %v", en.path, zh.path, a, b)
	}
	// A README lists the pages of its language, so its table may be shorter.
	rows := func(p page) int { return strings.Count(p.prose, "\n|") }
	if a, b := rows(en), rows(zh); a != b && strings.HasPrefix(en.path, "docs/") {
		t.Errorf("%s has %d rows in its tables, %s has %d", en.path, a, zh.path, b)
	}
	if len(en.blocks) != len(zh.blocks) {
		t.Errorf("%s has %d examples, %s has %d", en.path, len(en.blocks), zh.path, len(zh.blocks))
		return
	}
	for i, a := range en.blocks {
		b := zh.blocks[i]
		if a.lang != b.lang || a.lang != "" && a.code() != b.code() {
			t.Errorf("%s:%d and %s:%d differ", a.page, a.line, b.page, b.line)
		}
	}
}

var comment = regexp.MustCompile(`(?m)(^|\s)#( .*)?$`)

// code returns the example without its comments and what aligns them.
func (b block) code() string {
	var out []string
	for line := range strings.Lines(comment.ReplaceAllString(b.text, "")) {
		out = append(out, strings.TrimRight(line, " \n"))
	}
	return strings.Join(out, "\n")
}

func TestAnchorsAreMadeAsRenderersMakeThem(t *testing.T) {
	p := parsePage("x.md", "# /v1/write/:category\n## The `a_b` key, twice\n```sh\n# no heading\n```\n## The `a_b` key, twice\n## 配置中心：键\n")
	want := []string{"v1writecategory", "the-a_b-key-twice", "the-a_b-key-twice-1", "配置中心键"}
	if got := p.anchors(); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
