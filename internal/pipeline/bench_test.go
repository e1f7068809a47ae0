package pipeline_test

import (
	"encoding/json"
	"regexp"
	"testing"
	"time"

	"datakit.dev/internal/pipeline"
	"datakit.dev/internal/point"
)

// arithmetic is thirty lines of the kind that users compute with.
const arithmetic = `a = 0
c = 0
b = 1
n = 0
for i = 0; i < 10; i += 1 {
	if i % 2 == 0 {
		a = a + i * 3
	} else {
		b = b + a - i
	}
	n += 1
}
if a > b {
	c = a - b
} elif a == b {
	c = 0
} else {
	c = b - a
}
if c > 100 && n == 10 {
	c = c / 2
}
d = c * 3 + b % 7
e = d - a
if e < 0 {
	e = -e
}
f = e + 1
add_key(a)
add_key(b)
add_key(f)
`

const combined = `1.2.3.4 - frank [10/Oct/2000:13:55:36 -0700] "GET /apache_pb.gif HTTP/1.0" 200 2326 "http://www.example.com/start.html" "Mozilla/4.08 [en] (Win98; I ;Nav)"`

// access returns the script of an access log whose lines begin with a client
// of the pattern given.
func access(client string) string {
	return `grok(_, "%{` + client + `:client_ip} %{NOTSPACE:http_ident} %{NOTSPACE:http_auth} \\[%{HTTPDATE:time}\\] \"%{DATA:http_method} %{GREEDYDATA:http_url} HTTP/%{NUMBER:http_version}\" %{INT:status_code} %{INT:bytes}")
cast(status_code, "int")
cast(bytes, "int")
default_time(time)
`
}

func BenchmarkAddKey(b *testing.B)     { benchmark(b, `add_key(t, 1)`, "x") }
func BenchmarkArithmetic(b *testing.B) { benchmark(b, arithmetic, "x") }

func BenchmarkAccessLogNotspace(b *testing.B) {
	benchmark(b, access("NOTSPACE"), combined)
	besides(b, "regexp", byRegexp(b, `\S+`))
}

func BenchmarkAccessLogIPORHOST(b *testing.B) {
	benchmark(b, access("IPORHOST"), combined)
	besides(b, "regexp", byRegexp(b, `(?:[0-9A-Fa-f:.]+|[0-9A-Za-z.-]+)`))
}

func BenchmarkNoMatch(b *testing.B) {
	benchmark(b, access("IPORHOST"), "no access log line at all, and long enough to look at")
}

// shipped is of the size and the kind of the scripts that come with an agent: a
// line is of one of five forms, and what was found is made fit for a chart.
const shipped = `add_pattern("day", "%{YEAR}[./-]%{MONTHNUM}[./-]%{MONTHDAY} %{TIME}")
grok(_, "%{NOTSPACE:client_ip} %{NOTSPACE:http_ident} %{NOTSPACE:http_auth} \\[%{HTTPDATE:time}\\] \"%{DATA:http_method} %{GREEDYDATA:http_url} HTTP/%{NUMBER:http_version}\" %{INT:status_code} %{INT:bytes} \"%{NOTSPACE:referrer}\" \"%{GREEDYDATA:agent}\"")
grok(_, "%{NOTSPACE:client_ip} %{NOTSPACE:http_ident} %{NOTSPACE:http_auth} \\[%{HTTPDATE:time}\\] \"-\" %{INT:status_code} %{INT:bytes}")
grok(_, "%{day:time} \\[%{LOGLEVEL:status}\\] %{GREEDYDATA:msg}, client: %{NOTSPACE:client_ip}, server: %{NOTSPACE:server}, request: \"%{DATA:http_method} %{GREEDYDATA:http_url} HTTP/%{NUMBER:http_version}\", (upstream: \"%{GREEDYDATA:upstream}\", )?host: \"%{NOTSPACE:ip_or_host}\"")
grok(_, "%{day:time} \\[%{LOGLEVEL:status}\\] %{GREEDYDATA:msg}, client: %{NOTSPACE:client_ip}, server: %{NOTSPACE:server}")
grok(_, "%{day:time} \\[%{LOGLEVEL:status}\\] %{INT:pid}#%{INT:tid}: %{GREEDYDATA:msg}")
user_agent(agent)
cast(status_code, "int")
cast(bytes, "int")
group_between(status_code, [200, 299], "OK", status)
group_between(status_code, [300, 399], "notice", status)
group_between(status_code, [400, 499], "warning", status)
group_between(status_code, [500, 599], "error", status)
nullif(http_ident, "-")
nullif(http_auth, "-")
nullif(upstream, "")
default_time(time)
`

// failed is a line of an error log.
const failed = `2021/04/21 09:24:04 [alert] 7#7: *168 write() to "/var/log/nginx/access.log" failed (28: No space left on device) while logging request, ` +
	`client: 120.204.196.129, server: localhost, request: "GET / HTTP/1.1", host: "47.98.103.73"`

func BenchmarkShippedNginx(b *testing.B) {
	b.Run("access", func(b *testing.B) {
		benchmark(b, shipped, combined)
		besides(b, "regexp", byRegexp(b, `\S+`))
	})
	b.Run("error", func(b *testing.B) { benchmark(b, shipped, failed) })
}

// body is a log record of the usual size, some 900 bytes.
const body = `{"time":"2024-05-06T07:08:09.123456Z","level":"info","logger":"com.example.shop.OrderController","thread":"http-nio-8080-exec-7",` +
	`"trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","span_id":"00f067aa0ba902b7","service":{"name":"order","version":"1.42.7","env":"production"},` +
	`"http":{"method":"POST","path":"/api/v1/orders","status":201,"duration_ms":37.25,"request":{"bytes":1289,"headers":{"host":"shop.example.com",` +
	`"user-agent":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36","accept":"application/json"}},"response":{"bytes":512}},"user":{"id":18446,` +
	`"name":"tom","roles":["buyer","seller"],"active":true},"items":[{"sku":"A-1","qty":2,"price":9.99},{"sku":"B-7","qty":1,"price":129.5},` +
	`{"sku":"C-3","qty":5,"price":0.25}],"message":"order created, payment pending","tags":["order","created","web"],"host":"node-17","pid":4711}`

const sixJSON = `json(_, level)
json(_, service.name, service)
json(_, http.status, code)
json(_, http.duration_ms, cost)
json(_, user.id, user)
json(_, items[2].sku, sku)
`

const loadedJSON = `v = load_json(_)
add_key(level, v["level"])
add_key(service, v["service"]["name"])
add_key(code, v["http"]["status"])
add_key(cost, v["http"]["duration_ms"])
add_key(user, v["user"]["id"])
add_key(sku, v["items"][2]["sku"])
`

func BenchmarkSixJSON(b *testing.B) {
	benchmark(b, sixJSON, body)
	besides(b, "encoding/json", byEncodingJSON(b))
}

func BenchmarkLoadJSON(b *testing.B) {
	benchmark(b, loadedJSON, body)
	besides(b, "encoding/json", byEncodingJSON(b))
}

func BenchmarkCompile(b *testing.B) {
	opts := engine(b).opts
	b.ReportAllocs()
	for b.Loop() {
		if _, errs := pipeline.Compile("a.p", arithmetic, opts); errs != nil {
			b.Fatal(errs)
		}
	}
}

func benchmark(b *testing.B, script, message string) {
	b.Helper()
	program, errs := pipeline.Compile("bench.p", script, engine(b).opts)
	if len(errs) > 0 {
		b.Fatal(errs.Text())
	}
	env := &pipeline.Env{Category: point.Metric}
	p := point.New("m", 32)
	b.ReportAllocs()
	for b.Loop() {
		p.Fields = append(p.Fields[:0], point.Field{Key: "message", Value: point.StringOf(message)})
		if _, err := program.Run(&p, env); err != nil {
			b.Fatal(err)
		}
	}
}

// besides reports what another way to read the same text takes, and how many
// times faster the whole script was.
func besides(b *testing.B, name string, other func()) {
	b.Helper()
	ours := float64(b.Elapsed()) / float64(b.N)
	count, begin := 0, time.Now()
	for ; time.Since(begin) < 50*time.Millisecond; count++ {
		other()
	}
	theirs := float64(time.Since(begin)) / float64(count)
	b.ReportMetric(theirs, name+"-ns/op")
	b.ReportMetric(theirs/ours, "times-faster")
}

// byRegexp reads the access log with an expression as people write them by hand.
func byRegexp(b *testing.B, client string) func() {
	b.Helper()
	expr := regexp.MustCompile(`(` + client + `) (\S+) (\S+) \[(\d+/\w+/\d+:\d+:\d+:\d+ [+-]?\d+)\] "(.*?) (.*) HTTP/(\d+(?:\.\d+)?)" ([+-]?\d+) ([+-]?\d+)`)
	return func() {
		if expr.FindStringSubmatchIndex(combined) == nil {
			b.Fatal("the line does not match")
		}
	}
}

// byEncodingJSON reads the body with the standard library.
func byEncodingJSON(b *testing.B) func() {
	b.Helper()
	text := []byte(body)
	return func() {
		var v map[string]any
		if err := json.Unmarshal(text, &v); err != nil {
			b.Fatal(err)
		}
	}
}
