package input

import (
	"time"

	"datakit.dev/internal/spec"
)

// The names of the fields that every input has, and the bounds of an interval.
const (
	IntervalField = "interval"
	TagsField     = "tags"

	defaultInterval = 10 * time.Second
	minInterval     = 100 * time.Millisecond
	maxInterval     = 24 * time.Hour
)

// LiveFields returns the names of the fields that change in place, without a
// restart.
func LiveFields() []string { return []string{IntervalField, TagsField} }

// Schema returns the description of [[inputs.NAME]]: the plugin's own fields and
// those of every input. One that paces itself has no interval: an option that
// did nothing would mislead.
func (p Plugin) Schema() spec.Schema {
	s := spec.Schema{Name: "inputs." + p.Name, Doc: p.Doc, DocZH: p.DocZH, Repeated: true}
	if p.NewRunner == nil {
		s = s.With(p.interval())
	}
	return s.With(p.Options...).With(spec.Field{
		Name: TagsField, Type: spec.StringMap, Live: true, Example: map[string]string{"some_tag": "some_value"},
		Doc: "Tags added to every point of this instance.", DocZH: "附加到该实例每个数据点的标签。",
	})
}

func (p Plugin) interval() spec.Field {
	every := p.Interval
	if every == 0 {
		every = defaultInterval
	}
	return spec.Field{
		Name: IntervalField, Type: spec.Duration, Default: every, Min: minInterval, Max: maxInterval, Live: true,
		Doc: "Time between two collections.", DocZH: "采集间隔。",
	}
}
