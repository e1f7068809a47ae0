package logging

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"datakit.dev/internal/input"
	"datakit.dev/internal/input/inputtest"
	"datakit.dev/internal/point"
	"datakit.dev/internal/spec"
)

// deaf is a plugin that hears no events: the files are found and read by the
// slow poll alone.
func deaf() input.Plugin { return plugin(func() *notifier { return &notifier{} }) }

func TestInput(t *testing.T) {
	w := newWorld(t)
	w.write("a.log", "one\n"+strings.Repeat("x", 5000)+"\ntwo\n")
	inputtest.Run(t, inputtest.Case{Plugin: deaf(), Config: w.config("*.log", "from_beginning = true\nmaximum_length = 1024\ntags = {a = \"b\"}")})
}

func TestPointsSayWhereTheyComeFrom(t *testing.T) {
	w := newWorld(t)
	w.write("app.log", "one\ntwo\r\n\nthree\n")
	w.run(w.config("*.log", "from_beginning = true\nsource = \"nginx\"\nservice = \"web\""))
	p := w.want("one", "two", "three")[2]
	if p.Name != "nginx" || p.Time != 0 {
		t.Errorf("%s at %d", p.Name, p.Time)
	}
	for key, want := range map[string]string{"filename": "app.log", "filepath": w.path("app.log"), "service": "web"} {
		if got, _ := p.Tag(key); got != want {
			t.Errorf("tag %s is %q, want %q", key, got, want)
		}
	}
	for key, want := range map[string]any{"message": "three", "status": "info", "log_read_lines": int64(4), "log_read_offset": int64(10), "log_part": nil} {
		inputtest.Want(t, &p, key, want)
	}
}

func TestDefaults(t *testing.T) {
	w := newWorld(t)
	w.write("a.log", "one\n")
	w.run(w.config("*.log", "from_beginning = true"))
	p := w.want("one")[0]
	if service, _ := p.Tag("service"); p.Name != "default" || service != "default" {
		t.Errorf("%s, service %s", p.Name, service)
	}
}

func TestPointsDoNotShareWhatAScriptChanges(t *testing.T) {
	w := newWorld(t)
	w.write("a.log", "one\ntwo\n")
	w.run(w.config("*.log", "from_beginning = true"))
	got := w.want("one", "two")
	got[0].SetTag("service", "changed")
	got[0].Add("more", point.IntOf(1))
	got[0].SetTag("zzz", "more")
	inputtest.Want(t, &got[1], "message", "two")
	if service, _ := got[1].Tag("service"); service != "default" {
		t.Errorf("a change of one point's tag shows in another: %s", service)
	}
}

func TestExistingFilesBeginAtTheirEndAndNewOnesAtTheirBeginning(t *testing.T) {
	t.Parallel()
	for name, p := range map[string]input.Plugin{"events": Plugin(), "poll": deaf()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.plugin = p
			w.write("old.log", "before\n")
			w.run(w.config("**/*.log", ""))
			w.settled()
			w.write("new.log", "a\n")
			w.want("a")
			w.write("deep/er/new.log", "b\n")
			w.want("a", "b")
			w.write("old.log", "after\n")
			w.want("a", "b", "after")
		})
	}
}

func TestIgnoreAndWhatIsNoFile(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{"a.log", "a.log.gz", "private/b.log", "sub/c.log", "sub/skip.log"} {
		w.write(name, name+"\n")
	}
	w.must(os.Mkdir(w.path("folder.log"), 0o750))
	w.run(w.config("**", "from_beginning = true\nignore = [\"\", \"*.gz\", \"skip*\", \""+filepath.ToSlash(w.logs)+"/private/**\"]"))
	w.want("a.log", "sub/c.log")
}

func TestOneFileByTwoNamesIsReadOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.write("real.txt", "one\n")
	w.must(os.Symlink("real.txt", w.path("b.log")))
	w.must(os.Link(w.path("real.txt"), w.path("c.log")))
	w.run(w.config("*", "from_beginning = true"))
	w.want("one")
	w.write("real.txt", "two\n")
	w.want("one", "two")
}

func TestLinkThatMovesOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.write("1.txt", "one\n")
	w.must(os.Symlink("1.txt", w.path("current.log")))
	w.run(w.config("*.log", "from_beginning = true"))
	w.want("one")
	w.write("1.txt", "two\n")
	w.write("2.txt", "three\n")
	w.must(os.Symlink("2.txt", w.path("next")))
	w.rename("next", "current.log")
	got := w.sink.lines(t, 3)
	texts := messages(got)
	slices.Sort(texts)
	if !slices.Equal(texts, []string{"one", "three", "two"}) {
		t.Errorf("%q", texts)
	}
}

func TestRecordsOfSeveralLines(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.write("a.log", "2024-01-01 a\n  at x\r\n  at y\n2024-01-02 b\n  at z\n")
	w.run(w.config("*.log", "from_beginning = true\nmultiline_match = '''^\\d{4}'''\nmultiline_timeout = \"300ms\""))
	// The last one is over by time alone.
	p := w.want("2024-01-01 a\n  at x\n  at y", "2024-01-02 b\n  at z")[1]
	inputtest.Want(t, &p, "log_read_lines", int64(5))
	w.write("a.log", "2024-01-03 c\n")
	w.sink.lines(t, 3)
}

func TestTimesBeginRecords(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := []string{
		"2006-01-02T15:04:05.999Z x", "2006-01-02 15:04:05,123 x", "2006/01/02 15:04:05 x", "[2006-01-02 15:04:05] x", "2006-01-02 x",
		"Mon Jan _2 15:04:05 2006 x", "Mon Jan  2 15:04:05 2006 x", "Monday, 02-Jan-06 15:04:05 MST x", "Mon, 02 Jan 2006 15:04:05 MST x",
		"Jan 2, 2006 3:04:05 PM x", "Jan  2 15:04:05 host x", "02 Jan 06 15:04 MST x", "<7> x",
	}
	known := 0
	for _, line := range first {
		if line != "Mon Jan _2 15:04:05 2006 x" { // the layout, not a time
			known++
			w.write("a.log", line+"\n  more\n")
		}
	}
	w.run(w.config("*.log", "from_beginning = true\nauto_multiline_detection = true\nauto_multiline_extra_patterns = ['^<\\d>']\nmultiline_timeout = \"300ms\""))
	for _, m := range messages(w.sink.lines(t, known)) {
		if !strings.HasSuffix(m, " x\n  more") {
			t.Errorf("%q", m)
		}
	}
}

func TestLastLineWithoutAnEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.write("a.log", "one\ntw")
	w.run(w.config("*.log", "from_beginning = true\nmultiline_timeout = \"300ms\""))
	w.want("one", "tw")
	w.write("a.log", "o\nthree\n")
	w.want("one", "tw", "o", "three")
}

func TestEncodings(t *testing.T) {
	for name, want := range map[string]string{
		"utf-8": "héllo 世界", "gbk": "你好", "gb18030": "你好𠀀", "big5": "你好", "utf-16le": "héllo 世界", "utf-16be": "世界",
		"shift_jis": "こんにちは", "euc-jp": "こんにちは", "euc-kr": "안녕", "windows-1252": "naïve €", "iso-8859-1": "naïve", "gb2312": "你好",
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			text := want + "\n" + want + "!\n"
			w.write("a.log", encode(t, name, text))
			w.run(w.config("*.log", fmt.Sprintf("from_beginning = true\ncharacter_encoding = %q", name)))
			w.want(want, want+"!")
		})
	}
}

func TestByteOrderMarksAreNoText(t *testing.T) {
	for name, mark := range map[string]string{"utf-8": "\xef\xbb\xbf", "utf-16le": "\xff\xfe", "utf-16be": "\xfe\xff"} {
		w := newWorld(t)
		w.write("a.log", mark+encode(t, name, "one\n"))
		w.run(w.config("*.log", fmt.Sprintf("from_beginning = true\ncharacter_encoding = %q", name)))
		w.want("one")
	}
}

func TestGarbageBecomesText(t *testing.T) {
	w := newWorld(t)
	w.write("a.log", "a\xffb\x00\n\x00\x00\x00behind a hole\n\xfe\xfe\n")
	w.run(w.config("*.log", "from_beginning = true"))
	w.want("a\uFFFDb\x00", "behind a hole", "\uFFFD")
}

func TestTerminalCodes(t *testing.T) {
	w := newWorld(t)
	w.write("a.log", "\x1b[31mred\x1b[0m \x1b]0;title\x07x \x1b(By \x1b[1;2\x01 broken\x1b\n")
	w.run(w.config("*.log", "from_beginning = true\nremove_ansi_escape_codes = true"))
	w.want("red x y [1;2\x01 broken")
}

func TestLongLinesAreSplitAndLoseNothing(t *testing.T) {
	w := newWorld(t)
	long := strings.Repeat("ä", 300_000)
	w.write("a.log", long+"\nshort\n")
	w.run(w.config("*.log", "from_beginning = true\nmaximum_length = 100001"))
	got := w.sink.lines(t, 7)
	if all := strings.Join(messages(got[:len(got)-1]), ""); all != long {
		t.Errorf("%d bytes became %d", len(long), len(all))
	}
	for i, p := range got[:len(got)-1] {
		inputtest.Want(t, &p, "log_part", int64(i+1))
	}
	inputtest.Want(t, &got[len(got)-1], "message", "short")
	inputtest.Want(t, &got[len(got)-1], "log_part", nil)
}

func TestUnreadableFileHoldsUpNobody(t *testing.T) {
	if runtime.GOOS == "windows" || os.Geteuid() == 0 {
		t.Skip("whoever runs this may read everything")
	}
	w := newWorld(t)
	w.write("a.log", "secret\n")
	w.write("b.log", "one\n")
	w.must(os.Chmod(w.path("a.log"), 0))
	w.run(w.config("*.log", "from_beginning = true"))
	w.want("one")
	w.must(os.Chmod(w.path("a.log"), 0o600))
	w.want("one", "secret")
}

func TestRefusedConfigurations(t *testing.T) {
	for config, want := range map[string]string{
		``:                                    "logfiles is empty",
		`logfiles = ["", ""]`:                 "logfiles is empty",
		`logfiles = ["var/log/x"]`:            "no absolute path",
		`logfiles = ["/var/log/[a"]`:          "no glob pattern",
		`logfiles = ["/a\u0000b"]`:            "no glob pattern",
		"logfiles = [\"/a\"]\nignore = \"[\"": "ignore: \"[\" is no glob",
		"logfiles = [\"/a\"]\nmultiline_match = \"(\"":                                                "multiline_match: ",
		"logfiles = [\"/a\"]\nauto_multiline_detection = true\nauto_multiline_extra_patterns = \"(\"": "auto_multiline_extra_patterns: ",
		"logfiles = [\"/a\"]\nignore_status = [\"debug\"]":                                            "drop()",
		"logfiles = [\"/a\"]\nfield_white_list = [\"x\"]":                                             "drop_key()",
		"logfiles = [\"/a\"]\nsockets = [\"tcp://0.0.0.0:9530\"]":                                     "files only",
	} {
		p := Plugin()
		_, err := p.NewRunner(input.Env{}, inputtest.Decode(t, p, config))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", config, err, want)
		}
	}
	if _, l := Plugin().Schema().Field("character_encoding"); !l {
		t.Error("no such field")
	}
}

func TestPipelineNamesTheScript(t *testing.T) {
	p := Plugin()
	for set, want := range map[string]string{"": "", "-": "-", "nginx": "nginx.p", "nginx.p": "nginx.p"} {
		if got := p.Script(spec.Values{"pipeline": set}); got != want {
			t.Errorf("%q is %q, want %q", set, got, want)
		}
	}
}
