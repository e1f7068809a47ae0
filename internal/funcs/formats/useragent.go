package formats

import (
	"strings"

	"github.com/mssola/user_agent"

	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/point"
)

func userAgent() fn.Func {
	return fn.Func{
		Name:   "user_agent",
		Params: []fn.Param{{Name: "key"}},
		Doc: fn.Text{
			En: "Writes what a User-Agent header says: isMobile, isBot, os, browser, browserVer, engine, engineVer and ua (the platform).",
			Zh: "解析 User-Agent 并写入 isMobile、isBot、os、browser、browserVer、engine、engineVer 与 ua（平台）。",
		},
		Examples: []fn.Example{{
			Script: `user_agent(agent)`,
			In: map[string]any{
				"agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/96.0.4664.110 Safari/537.36",
			},
			Out: map[string]any{
				"browser": "Chrome", "browserVer": "96.0.4664.110", "engine": "AppleWebKit", "engineVer": "537.36",
				"os": "Windows 10", "ua": "Windows", "isMobile": false, "isBot": false,
			},
		}},
		Bind: func(c *fn.Call) (fn.Eval, error) {
			key, err := c.Key(0)
			if err != nil {
				return nil, err
			}
			known, _ := c.Shared(c.Name, func() any { return new(agentCache) }).(*agentCache)
			return func(r *fn.Run) (point.Value, error) {
				s, ok := key.Text(r)
				if !ok {
					return point.NilOf(), nil
				}
				a, err := known.parse(r, s)
				if a != nil {
					a.store(r)
				}
				return point.NilOf(), err
			}, nil
		},
	}
}

// An agent is what a User-Agent header says.
type agent struct {
	mobile, bot          bool
	os, browser, version string
	engine, engineVer    string
	platform             string
}

func (a *agent) store(r *fn.Run) {
	r.Store("isMobile", point.BoolOf(a.mobile))
	r.Store("isBot", point.BoolOf(a.bot))
	r.Store("os", point.StringOf(a.os))
	r.Store("browser", point.StringOf(a.browser))
	r.Store("browserVer", point.StringOf(a.version))
	r.Store("engine", point.StringOf(a.engine))
	r.Store("engineVer", point.StringOf(a.engineVer))
	r.Store("ua", point.StringOf(a.platform))
}

// sectionSize is what the library takes for each word of a header, twice as the
// list of them grows.
const sectionSize = 160

// stepsPerByte is for the worst header, of blanks alone.
const stepsPerByte = 32

// parse reads a header, after charging for what the library allocates.
func parse(r *fn.Run, s string) (*agent, error) {
	if err := r.Alloc(3*len(s) + sectionSize*(strings.Count(s, " ")+1)); err != nil {
		return nil, err
	}
	if err := r.Step(stepsPerByte * len(s)); err != nil {
		return nil, err
	}
	var a agent
	if !contained(func() {
		ua := user_agent.New(s)
		a.mobile, a.bot, a.os, a.platform = ua.Mobile(), ua.Bot(), ua.OS(), ua.Platform()
		a.browser, a.version = ua.Browser()
		a.engine, a.engineVer = ua.Engine()
	}) {
		return nil, nil
	}
	return &a, nil
}
