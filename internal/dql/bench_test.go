package dql_test

import (
	"fmt"
	"testing"
	"time"

	"datakit.dev/internal/dql"
	"datakit.dev/internal/point"
	"datakit.dev/internal/recent"
)

// million returns a store of 1,000,000 points in 100 series.
func million(b *testing.B) *recent.Store {
	b.Helper()
	s := recent.New(1<<30, epoch)
	batch := make([]point.Point, 0, 1000)
	for i := range 1_000_000 {
		p := point.New("cpu", 2)
		p.SetTag("cpu", fmt.Sprint("cpu", i%10))
		p.SetTag("host", fmt.Sprint("host", i/10%10))
		p.Add("usage", point.FloatOf(float64(i%1000)/10))
		p.Add("n", point.IntOf(int64(i)))
		p.Time = int64(i) * int64(time.Millisecond)
		if batch = append(batch, p); len(batch) == cap(batch) {
			s.Observe(point.Metric, batch)
			batch = batch[:0]
		}
	}
	if n := s.Stats().Points; n != 1_000_000 {
		b.Fatal(n)
	}
	return s
}

func BenchmarkMillionPoints(b *testing.B) {
	s := million(b)
	for _, text := range []string{
		"M::cpu:(avg(usage))",
		"M::cpu:(avg(usage), max(n), count(*)) BY host",
		"M::cpu:(avg(usage)) [::10s] BY host, cpu",
		"M::cpu:(max(usage)) { host = 'host1' || usage > 50 }",
		"M::cpu:(percentile(usage, 99)) BY host",
		"M::cpu:(sum(rate(n))) BY host",
		"M::cpu:(avg(usage)) { host = 'host1' } [::10s]",
		"M::cpu:(usage) LIMIT 20",
		"M::cpu:(usage) BY host LIMIT 60",
		"M::cpu:(usage, n*2) ORDER BY usage DESC LIMIT 20",
		"M::cpu:(top(usage, 5))",
		"M::cpu:(count_distinct(usage))",
	} {
		b.Run(text, func(b *testing.B) {
			q, bad := dql.Parse(text)
			if bad != nil {
				b.Fatal(bad)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := dql.Run(b.Context(), q, s, time.Unix(2000, 0), dql.Limits{Memory: 256 << 20}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkParse(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, bad := dql.Parse("M::cpu:(avg(usage) AS u, max(n)-min(n)) { host = 'a', cpu != re('x') } [10m:5m:1m] BY host ORDER BY time DESC LIMIT 5"); bad != nil {
			b.Fatal(bad)
		}
	}
}
