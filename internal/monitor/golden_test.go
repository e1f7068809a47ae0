package monitor

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"datakit.dev/internal/faketime"
)

var update = flag.Bool("update", false, "write the golden screens, and the picture in the manual")

// golden compares text with a file of testdata.
func golden(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join("testdata", name+".txt")
	text = strings.TrimRight(text, "\n") + "\n"
	if *update {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v: run with -update", err)
	}
	if string(want) != text {
		t.Errorf("%s differs; run with -update and look.\ngot:\n%s\nwant:\n%s", path, text, want)
	}
}

func TestScreens(t *testing.T) {
	for _, c := range []struct {
		name string
		w, h int
		keys string
	}{
		{"overview-80x24", 80, 24, ""},
		{"overview-120x40", 120, 40, ""},
		{"overview-40x12", 40, 12, ""},
		{"changes-40x12", 40, 12, "6"},
		{"sorted-80x24", 80, 24, "s s s down"},
		{"filter-80x24", 80, 24, "/ l o g space 应 用"},
		{"unit-80x24", 80, 24, "end up up enter"},
		{"unit-40x12", 40, 12, "end up up enter down"},
		{"store-80x24", 80, 24, "1 down enter"},
		{"script-80x24", 80, 24, "4 enter"},
		{"output-80x24", 80, 24, "5 enter"},
		{"key-80x24", 80, 24, "2 down enter"},
		{"change-80x24", 80, 24, "6 enter"},
		{"help-80x24", 80, 24, "?"},
		{"help-40x12", 40, 12, "? pgdown"},
		{"paused-80x24", 80, 24, "space"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := watching(t, c.w, c.h)
			press(m, c.keys)
			golden(t, c.name, m.Screen())
		})
	}
}

func TestScreensOfTheAgentsOwnList(t *testing.T) {
	for name, keys := range map[string]string{"told-100x30": "6", "told-put-100x30": "6 down enter", "told-changed-100x30": "6 down down enter"} {
		t.Run(name, func(t *testing.T) {
			m := told(t, 100, 30)
			press(m, keys)
			golden(t, name, m.Screen())
		})
	}
}

func TestScreenOfAnAgentThatWentAway(t *testing.T) {
	m := watching(t, 80, 24)
	m.Lose(errAway, start().Add(150*time.Second))
	golden(t, "away-80x24", m.Screen())
}

func TestColorsSayWhatIsWrong(t *testing.T) {
	golden(t, "colors-80x24", strings.ReplaceAll(watching(t, 80, 24).Draw(true), "\x1b", "^"))
}

func TestOncePrintsEverythingAsText(t *testing.T) {
	faketime.Test(t, func(t *testing.T) {
		var out strings.Builder
		polls := []Answer{answer(busy(), 2*time.Minute), answer(later(), 130*time.Second)}
		began := time.Now()
		err := Once(t.Context(), Options{Interval: 10 * time.Second, Stdout: &out, Poll: func(context.Context) (Answer, error) {
			a := polls[0]
			polls = polls[1:]
			return a, nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		if d := time.Since(began); d != 10*time.Second || len(polls) != 0 {
			t.Errorf("two polls took %v, and %d are left", d, len(polls))
		}
		golden(t, "once", out.String())
	})
}

// picture is the first example of a page that is a whole screen.
var picture = regexp.MustCompile("(?s)```text\n(datakit .*?\n)```\n")

// The picture in the manual is what the monitor draws.
func TestThePictureInTheManualIsOurs(t *testing.T) {
	want := watching(t, 80, 24).Screen() + "\n"
	for _, page := range []string{"../../docs/monitor.md", "../../docs/zh/monitor.md"} {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		at := picture.FindSubmatchIndex(text)
		if at == nil {
			t.Fatalf("%s has no picture", page)
		}
		if string(text[at[2]:at[3]]) == want {
			continue
		}
		if !*update {
			t.Errorf("%s shows another screen; run with -update", page)
			continue
		}
		if err := os.WriteFile(page, []byte(string(text[:at[2]])+want+string(text[at[3]:])), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
