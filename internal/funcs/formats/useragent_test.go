package formats_test

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"

	"github.com/mssola/user_agent"
	"pgregory.net/rapid"

	"datakit.dev/internal/funcs/all"
	"datakit.dev/internal/pipeline"
	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/pipeline/scripttest"
	"datakit.dev/internal/point"
)

const chrome = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36"

// says is what the library says of a header, as a script writes it.
func says(header string) scripttest.Fields {
	ua := user_agent.New(header)
	browser, version := ua.Browser()
	engine, engineVer := ua.Engine()
	return scripttest.Fields{
		"isMobile": ua.Mobile(), "isBot": ua.Bot(), "os": ua.OS(), "ua": ua.Platform(),
		"browser": browser, "browserVer": version, "engine": engine, "engineVer": engineVer,
	}
}

func TestUserAgent(t *testing.T) {
	engine := scripttest.New(t, all.Table)
	for header, want := range map[string]scripttest.Fields{
		chrome: {
			"isMobile": false, "isBot": false, "os": "Linux x86_64", "ua": "X11",
			"browser": "Chrome", "browserVer": "120.0.0.0", "engine": "AppleWebKit", "engineVer": "537.36",
		},
		"Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)": {
			"isMobile": false, "isBot": true, "os": "", "ua": "",
			"browser": "Googlebot", "browserVer": "2.1", "engine": "", "engineVer": "",
		},
		"curl/7.81.0": {
			"isMobile": false, "isBot": false, "os": "", "ua": "",
			"browser": "curl", "browserVer": "7.81.0", "engine": "", "engineVer": "",
		},
	} {
		got, err := engine.Run(t, `user_agent(k)`, scripttest.Fields{"k": header})
		if err != nil {
			t.Fatal(err)
		}
		delete(got, "k")
		if !maps.Equal(got, want) {
			t.Errorf("%s\ngot  %v\nwant %v", header, got, want)
		}
	}
	if got, err := engine.Run(t, `user_agent(k)`, nil); err != nil || len(got) > 0 {
		t.Errorf("a missing key: %v, %v", got, err)
	}
	engine.Refused(t, `user_agent(k, "p_")`)
	engine.Refused(t, `user_agent(1)`)
}

// What a script remembers must never show: any order of headers, some of them
// again, gives what the library says of each.
func TestUserAgentsThatAreRemembered(t *testing.T) {
	engine := scripttest.New(t, all.Table)
	program := engine.Compile(t, `user_agent(k)`)
	header := rapid.OneOf(
		rapid.Map(rapid.IntRange(0, 2000), func(n int) string { return fmt.Sprintf("app%d/%d.1 (x; y) z", n, n) }),
		rapid.SampledFrom([]string{"", "(", ")", "[", "a (b", chrome, strings.Repeat("x/1 ", 300), "Opera/9.80 (X11; Linux)"}),
		rapid.String(),
	)
	rapid.Check(t, func(rt *rapid.T) {
		for range 200 {
			h := header.Draw(rt, "header")
			p := scripttest.Point(t, scripttest.Fields{"k": h})
			if _, err := program.Run(&p, &pipeline.Env{Category: point.Metric}); err != nil {
				rt.Fatal(err)
			}
			for key, want := range says(h) {
				if got, _ := p.Field(key); got.Any() != want {
					rt.Fatalf("%q: %s is %v, want %v", h, key, got.Any(), want)
				}
			}
		}
	})
}

func TestUserAgentsFromManyGoroutines(t *testing.T) {
	program := scripttest.New(t, all.Table).Compile(t, `user_agent(k)`)
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range 700 { // more than a generation, so that they turn over
				h := fmt.Sprintf("app%d/%d", i*(g+1), i)
				p := scripttest.Point(t, scripttest.Fields{"k": h})
				if _, err := program.Run(&p, &pipeline.Env{}); err != nil {
					t.Error(err)
				}
				if got, _ := p.Field("browserVer"); got.Text() != fmt.Sprint(i) {
					t.Errorf("%s: version %s", h, got.Text())
				}
			}
		})
	}
	wg.Wait()
}

func TestAHugeUserAgentIsRefused(t *testing.T) {
	engine := scripttest.New(t, all.Table)
	_, err := engine.Run(t, `user_agent(k)`, scripttest.Fields{"k": strings.Repeat(" ", 4<<20)})
	if !errors.Is(err, fn.ErrBytes) {
		t.Errorf("got %v, want %v", err, fn.ErrBytes)
	}
}

func FuzzUserAgent(f *testing.F) {
	engine := scripttest.New(f, all.Table)
	for _, seed := range []string{chrome, "", "(;", "Mozilla/5.0 (", "a [b", "Opera", "Mozilla/5.0 (Windows; U; ) Gecko/"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		if _, err := engine.Run(t, `user_agent(k)`, scripttest.Fields{"k": header}); errors.Is(err, pipeline.ErrPanic) {
			t.Fatal(err)
		}
	})
}

func BenchmarkUserAgent(b *testing.B) {
	program := scripttest.New(b, all.Table).Compile(b, `user_agent(k)`)
	env := &pipeline.Env{Category: point.Metric}
	for name, next := range map[string]func(int) string{
		"known": func(int) string { return chrome },
		"new":   func(i int) string { return chrome + fmt.Sprint(i) },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			p := scripttest.Point(b, nil)
			for i := 0; b.Loop(); i++ {
				p.Set("k", point.StringOf(next(i)))
				if _, err := program.Run(&p, env); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
