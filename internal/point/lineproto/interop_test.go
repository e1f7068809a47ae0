package lineproto

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/influxdata/line-protocol/v2/lineprotocol"
	"pgregory.net/rapid"

	"datakit.dev/internal/point"
)

// theirs decodes text with InfluxData's own library.
func theirs(text []byte) ([]point.Point, error) {
	var out []point.Point
	d := lineprotocol.NewDecoderWithBytes(text)
	for d.Next() {
		name, err := d.Measurement()
		if err != nil {
			return out, fmt.Errorf("measurement: %w", err)
		}
		p := point.Point{Name: string(name)}
		for {
			k, v, err := d.NextTag()
			if err != nil {
				return out, fmt.Errorf("tag: %w", err)
			}
			if k == nil {
				break
			}
			p.Tags = append(p.Tags, point.Tag{Key: string(k), Value: string(v)})
		}
		for {
			k, v, err := d.NextField()
			if err != nil {
				return out, fmt.Errorf("field: %w", err)
			}
			if k == nil {
				break
			}
			p.Add(string(k), ours(v))
		}
		t, err := d.Time(lineprotocol.Nanosecond, time.Unix(0, 0))
		if err != nil {
			return out, fmt.Errorf("time: %w", err)
		}
		p.Time = t.UnixNano()
		out = append(out, p)
	}
	return out, nil
}

func ours(v lineprotocol.Value) point.Value {
	switch v.Kind() {
	case lineprotocol.String:
		return point.StringOf(v.StringV())
	case lineprotocol.Int:
		return point.IntOf(v.IntV())
	case lineprotocol.Uint:
		return point.UintOf(v.UintV())
	case lineprotocol.Float:
		return point.FloatOf(v.FloatV())
	case lineprotocol.Bool:
		return point.BoolOf(v.BoolV())
	default:
		return point.Value{}
	}
}

// InfluxDB must read from our lines what we meant. A '#' in front and control
// characters are left out: the format does not say what they mean.
func TestInfluxDataReadsWhatWeWrite(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := points("ab,= \\\"é世'", "ab,= \\\"#é\n").Draw(t, "point")
		line := Append(nil, &want)
		got, err := theirs(line)
		if err != nil || len(got) != 1 || !equal(got[0], want) {
			t.Fatalf("%q: %v\ngot  %v\nwant %v", line, err, got, want)
		}
	})
}

// BenchmarkTheirDecode is the yardstick for BenchmarkDecode: the same text, read
// by a library that is known to be fast, into the same points.
func BenchmarkTheirDecode(b *testing.B) {
	p := sample()
	text := []byte(strings.Repeat(string(Append(nil, &p)), 1000))
	b.ReportAllocs()
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if pts, err := theirs(text); len(pts) != 1000 {
			b.Fatal(len(pts), err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/point")
}

// BenchmarkTheirAppend is the yardstick for BenchmarkAppend.
func BenchmarkTheirAppend(b *testing.B) {
	p := sample()
	var e lineprotocol.Encoder
	values := make([]lineprotocol.Value, len(p.Fields))
	for i, f := range p.Fields {
		values[i] = lineprotocol.MustNewValue(f.Value.Any())
	}
	b.ReportAllocs()
	b.SetBytes(int64(len(Append(nil, &p))))
	for b.Loop() {
		e.Reset()
		e.StartLine(p.Name)
		for _, t := range p.Tags {
			e.AddTag(t.Key, t.Value)
		}
		for i, f := range p.Fields {
			e.AddField(f.Key, values[i])
		}
		e.EndLine(time.Unix(0, p.Time))
		if e.Err() != nil {
			b.Fatal(e.Err())
		}
	}
}
