// Package trial runs a script on sample points, for people who write one: what
// the point was, what it became, what went wrong, and what that costs.
package trial

import (
	"context"
	"runtime"
	"time"

	"datakit.dev/internal/pipeline"
	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/point"
)

// An Outcome is what a script did to one point.
type Outcome struct {
	Before, After point.Point
	Dropped       bool
	Created       []fn.Point
	Err           error // why the run was aborted: a *compile.RunError, or nil
}

// Run runs pt through p.
func Run(p *pipeline.Program, pt point.Point, env *pipeline.Env) Outcome {
	out := Outcome{Before: pt, After: pt.Clone()}
	var result pipeline.Result
	result, out.Err = p.Run(&out.After, env)
	out.Dropped, out.Created = result.Dropped, result.Created
	return out
}

// Text returns a point whose message is text: what a log collector hands on.
func Text(measurement, text string) point.Point {
	pt := point.New(measurement, 1)
	pt.Add("message", point.StringOf(text))
	return pt
}

// A Cost is what the runs of a script took, the copy of each point included.
type Cost struct {
	Runs   int           `json:"runs"`
	Errors int           `json:"errors"`
	Time   time.Duration `json:"ns"`     // for one point
	Allocs float64       `json:"allocs"` // for one point
	Bytes  float64       `json:"bytes"`  // for one point
}

// Measure runs pts, one after the other and over again, for the time d. It
// stops early when ctx ends. Whatever else the program allocates meanwhile
// counts, too.
func Measure(ctx context.Context, p *pipeline.Program, pts []point.Point, env *pipeline.Env, d time.Duration) Cost {
	var c Cost
	work := make([]point.Point, len(pts))
	for i := range pts { // also warms up pools and lazily compiled patterns
		refill(&work[i], &pts[i])
		if _, err := p.Run(&work[i], env); err != nil {
			c.Errors++
		}
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	began := time.Now()
	var took time.Duration
	for look := 0; ; c.Runs++ {
		if c.Runs >= look { // the more runs there were, the rarer a look at the clock
			if took = time.Since(began); c.Runs > 0 && took >= d || ctx.Err() != nil {
				break
			}
			look = c.Runs + c.Runs/8 + 1
		}
		i := c.Runs % len(pts)
		refill(&work[i], &pts[i])
		_, _ = p.Run(&work[i], env) // an error was counted above
	}
	runtime.ReadMemStats(&after)
	if n := float64(c.Runs); n > 0 {
		c.Time = time.Duration(float64(took) / n)
		c.Allocs = float64(after.Mallocs-before.Mallocs) / n
		c.Bytes = float64(after.TotalAlloc-before.TotalAlloc) / n
	}
	return c
}

// refill makes dst equal to src in the memory that dst has.
func refill(dst, src *point.Point) {
	dst.Name, dst.Time = src.Name, src.Time
	dst.Tags = append(dst.Tags[:0], src.Tags...)
	dst.Fields = append(dst.Fields[:0], src.Fields...)
}
