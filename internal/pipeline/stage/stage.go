// Package stage is the place of the scripts in the flow: it takes each point
// through the script that it asks for.
package stage

import (
	"datakit.dev/internal/output"
	"datakit.dev/internal/pipeline"
	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/pipeline/scripts"
	"datakit.dev/internal/point"
)

// A Stage runs points through the scripts of a set. Any number of goroutines
// may use it while the set changes: a point sees the scripts of one moment.
type Stage struct {
	set      *scripts.Set
	services fn.Services
}

// New returns a stage over set, whose scripts may use services.
func New(set *scripts.Set, services fn.Services) *Stage { return &Stage{set, services} }

// Process takes pts through their scripts. own is what the instance that wrote
// them says of its points: a name to a script, or to "-" for none. A point whose
// script fails goes on with the edits made so far. made are the points that
// scripts have made; they go through no script again.
func (s *Stage) Process(category point.Category, own map[string]string, pts []point.Point) (kept []point.Point, made []output.Batch) {
	var env *pipeline.Env // made for the first point that has a script
	kept = pts[:0]
	for i := range pts {
		script, ok := s.set.Find(category, &pts[i], own)
		if !ok {
			kept = append(kept, pts[i])
			continue
		}
		if env == nil {
			env = &pipeline.Env{Category: category, Services: s.services}
		}
		// An error is counted with the script, which keeps it for the status.
		result, _ := script.Run(&pts[i], env)
		if !result.Dropped {
			kept = append(kept, pts[i])
		}
		for _, p := range result.Created {
			made = put(made, p)
		}
	}
	return kept, made
}

// put appends p to the batch of its category.
func put(batches []output.Batch, p fn.Point) []output.Batch {
	for i := range batches {
		if batches[i].Category == p.Category {
			batches[i].Points = append(batches[i].Points, *p.Point)
			return batches
		}
	}
	return append(batches, output.Batch{Category: p.Category, Points: []point.Point{*p.Point}})
}
