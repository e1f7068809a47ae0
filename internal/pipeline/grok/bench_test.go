package grok

import (
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	nginxLine = `112.65.212.98 - alice [19/Jun/2021:04:04:58 +0000] "GET /api/v1/orders/8872?expand=items&page=2 HTTP/1.1" 200 6124 "https://shop.example.com/cart" "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"`
	otherLine = `2021-07-20T10:11:12.345+08:00 ERROR [main] com.example.orders.Service - order 8872 could not be stored: connection refused by db-3.internal.example.com:5432 after 3 attempts`

	nginxIPORHOST = `%{IPORHOST:client_ip} %{NOTSPACE:http_ident} %{NOTSPACE:http_auth} \[%{HTTPDATE:time}\] "%{DATA:http_method} %{GREEDYDATA:http_url} HTTP/%{NUMBER:http_version}" %{INT:status_code} %{INT:bytes}`
	nginxNOTSPACE = `%{NOTSPACE:client_ip} %{NOTSPACE:http_ident} %{NOTSPACE:http_auth} \[%{HTTPDATE:time}\] "%{DATA:http_method} %{GREEDYDATA:http_url} HTTP/%{NUMBER:http_version}" %{INT:status_code} %{INT:bytes}`
)

func BenchmarkMatch(b *testing.B) {
	set := builtins(b)
	for _, bench := range []struct{ name, pattern, line string }{
		{"nginx by IPORHOST", nginxIPORHOST, nginxLine},
		{"nginx by NOTSPACE", nginxNOTSPACE, nginxLine},
		{"another format", nginxIPORHOST, otherLine},
		{"a line that fails late", nginxIPORHOST, strings.Replace(nginxLine, " 6124", " -", 1)},
		{"nginx error", composites[2], lines[slices.IndexFunc(lines, func(l string) bool { return strings.Contains(l, "open() failed") })]},
		{"syslog", "%{SYSLOGBASE} %{GREEDYDATA:msg}", lines[6]},
		{"apache", "%{COMBINEDAPACHELOG}", nginxLine},
	} {
		b.Run(bench.name, func(b *testing.B) {
			p, err := Compile(bench.pattern, set)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			var spans []Span
			for b.Loop() {
				spans, _ = p.Match(bench.line, spans[:0])
			}
			ours := float64(b.Elapsed()) / float64(b.N)
			regexp := perMatch(p, bench.line)
			b.ReportMetric(regexp, "regexp-ns/op")
			b.ReportMetric(regexp/ours, "times-faster")
		})
	}
}

// perMatch returns what package regexp takes for a match, in nanoseconds.
func perMatch(p *Pattern, line string) float64 {
	p.matchRegexp(line, nil) // Compiles the expression.
	var spans []Span
	count, begin := 0, time.Now()
	for ; time.Since(begin) < 50*time.Millisecond; count++ {
		spans, _ = p.matchRegexp(line, spans[:0])
	}
	return float64(time.Since(begin)) / float64(count)
}

func BenchmarkCompile(b *testing.B) {
	set := builtins(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Compile(nginxIPORHOST, set); err != nil {
			b.Fatal(err)
		}
	}
}
