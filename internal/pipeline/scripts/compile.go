package scripts

import (
	"maps"
	"slices"
	"strings"

	"datakit.dev/internal/pipeline"
	"datakit.dev/internal/point"
)

func (s *Set) compile(ns Namespace, sources Sources, old *space) *space {
	if old == nil {
		old = &space{}
	}
	sp := &space{scripts: map[point.Category]map[string]*Script{}}
	for category, named := range sources {
		before := old.scripts[category]
		programs := make(map[string]*pipeline.Program, len(before))
		if done := s.checked[ns]; done != nil {
			for name, script := range done.scripts[category] {
				programs[name] = script.program
			}
		}
		for name, script := range before {
			if programs[name] == nil || script.Text() == named[name].Text {
				programs[name] = script.program
			}
		}
		texts := make(map[string]string, len(named))
		for name, src := range named {
			texts[name] = src.Text
		}
		programs, errs := pipeline.CompileAll(texts, s.opts, programs)
		scripts := make(map[string]*Script, len(programs))
		for name, program := range programs {
			script := &Script{Category: category, Name: name, Namespace: ns, Origin: named[name].Origin, program: program}
			if was := before[name]; was != nil {
				script.count = was.count
			} else {
				script.count = new(counters)
			}
			scripts[name] = script
		}
		for name, list := range errs {
			sp.refused = append(sp.refused, Refused{category, name, ns, named[name].Origin, list})
		}
		sp.scripts[category] = scripts
	}
	slices.SortFunc(sp.refused, func(a, b Refused) int {
		if c := strings.Compare(string(a.Category), string(b.Category)); c != 0 {
			return c
		}
		return strings.Compare(a.Name, b.Name)
	})
	return sp
}

// winners returns the script that each name stands for.
func winners(spaces map[Namespace]*space) map[point.Category]map[string]*Script {
	active := map[point.Category]map[string]*Script{}
	for _, ns := range slices.Backward(Namespaces()) {
		if spaces[ns] == nil {
			continue
		}
		for category, scripts := range spaces[ns].scripts {
			if active[category] == nil {
				active[category] = map[string]*Script{}
			}
			maps.Copy(active[category], scripts)
		}
	}
	return active
}

// stems returns active with each script under what a point is called by.
func stems(active map[point.Category]map[string]*Script) map[point.Category]map[string]*Script {
	out := make(map[point.Category]map[string]*Script, len(active))
	for category, scripts := range active {
		out[category] = make(map[string]*Script, len(scripts))
		for name, script := range scripts {
			if stem, ok := strings.CutSuffix(name, ".p"); ok {
				out[category][stem] = script
			}
		}
	}
	return out
}
