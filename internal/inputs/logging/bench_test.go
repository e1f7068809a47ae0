package logging

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"datakit.dev/internal/point"
)

// counting takes points and keeps none.
type counting struct {
	want int
	done context.CancelFunc
}

func (s *counting) Write(_ context.Context, _ point.Category, pts []point.Point) error {
	if s.want -= len(pts); s.want <= 0 {
		s.done()
	}
	return nil
}

// BenchmarkLines reads a file of ordinary lines from its beginning to its end.
func BenchmarkLines(b *testing.B) {
	const line = `192.0.2.7 - - [02/Jan/2026:15:04:05 +0000] "GET /index.html HTTP/1.1" 200 5316 "-" "curl/8.5.0" %07d` + "\n"
	const lines = 200_000
	for name, config := range map[string]string{
		"lines": "", "multiline": "\nmultiline_match = '^\\d'", "gbk": "\ncharacter_encoding = \"gbk\"",
	} {
		b.Run(name, func(b *testing.B) {
			w := newWorld(b)
			var text strings.Builder
			for i := range lines {
				fmt.Fprintf(&text, line, i)
			}
			w.write("app.log", text.String()+"1\n")
			b.ReportAllocs()
			for b.Loop() {
				w.state = b.TempDir()
				r := w.make(w.config("*.log", "from_beginning = true"+config))
				ctx, cancel := context.WithCancel(b.Context())
				if err := r.Run(ctx, &counting{lines, cancel}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(lines*b.N)/b.Elapsed().Seconds(), "lines/s")
		})
	}
}
