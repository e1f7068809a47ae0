// Package null emits constant points, for testing and benchmarks: what a script,
// a queue or an output does with them is then all there is to measure.
package null

import (
	"context"
	"strconv"

	"datakit.dev/internal/input"
	"datakit.dev/internal/point"
	"datakit.dev/internal/spec"
)

const measurement = "null"

// Plugin returns the description of the input.
func Plugin() input.Plugin {
	return input.Plugin{
		Name:  measurement,
		Doc:   "Emits constant points, for testing and benchmarks.",
		DocZH: "输出固定数据点，用于测试与基准测试。",
		Options: []spec.Field{
			{
				Name: "points", Type: spec.Int, Default: int64(1), Min: int64(0), Max: int64(1_000_000),
				Doc: "Points of one collection.", DocZH: "每次采集输出的数据点数。",
			},
			{
				Name: "fields", Type: spec.Int, Default: int64(1), Min: int64(1), Max: int64(10),
				Doc: "Fields of one point: value, value1, value2 and so on.", DocZH: "每个数据点的字段数：value、value1、value2 等。",
			},
		},
		Measurements: []input.Measurement{{
			Name: measurement, Doc: "The constant points.", DocZH: "固定数据点。",
			Tags:   []input.Tag{input.Label("n", "Which of the collection's points it is, from 0.", "该次采集中的序号，从 0 开始。")},
			Fields: fields(),
		}},
		NewGatherer: func(_ input.Env, v spec.Values) (input.Gatherer, error) {
			return gatherer{int(v.Int("points")), names(int(v.Int("fields")))}, nil
		},
	}
}

func names(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = "value"
		if i > 0 {
			out[i] += strconv.Itoa(i)
		}
	}
	return out
}

func fields() []input.Field {
	var out []input.Field
	for i, name := range names(10) {
		out = append(out, input.Int(name, "", "Always "+strconv.Itoa(i)+".", "恒为 "+strconv.Itoa(i)+"。"))
	}
	return out
}

type gatherer struct {
	points int
	names  []string
}

// Gather writes the points.
func (g gatherer) Gather(ctx context.Context, sink input.Sink) error {
	if g.points == 0 {
		return nil
	}
	pts := make([]point.Point, g.points)
	for i := range pts {
		pts[i] = point.New(measurement, len(g.names))
		pts[i].Tags = []point.Tag{{Key: "n", Value: strconv.Itoa(i)}}
		for j, name := range g.names {
			pts[i].Add(name, point.IntOf(int64(j)))
		}
	}
	return sink.Write(ctx, point.Metric, pts)
}
