package pipeline_test

import (
	"testing"

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

const access = `add_pattern("date2", "%{YEAR}[./]%{MONTHNUM}[./]%{MONTHDAY} %{TIME}")
grok(_, "%{IPORHOST:client_ip} %{NOTSPACE:http_ident} %{NOTSPACE:http_auth} \\[%{HTTPDATE:time}\\] \"%{DATA:http_method} %{GREEDYDATA:http_url} HTTP/%{NUMBER:http_version}\" %{INT:status_code} %{INT:bytes}")
cast(status_code, "int")
cast(bytes, "int")
`

func BenchmarkAddKey(b *testing.B)     { benchmark(b, `add_key(t, 1)`, "x") }
func BenchmarkArithmetic(b *testing.B) { benchmark(b, arithmetic, "x") }
func BenchmarkAccessLog(b *testing.B)  { benchmark(b, access, combined) }
func BenchmarkNoMatch(b *testing.B) {
	benchmark(b, access, "no access log line at all, and long enough to look at")
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

func BenchmarkSixJSON(b *testing.B)  { benchmark(b, sixJSON, body) }
func BenchmarkLoadJSON(b *testing.B) { benchmark(b, loadedJSON, body) }

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
	p.Set("message", point.StringOf(message))
	b.ReportAllocs()
	for b.Loop() {
		p.Fields = p.Fields[:1]
		if _, err := program.Run(&p, env); err != nil {
			b.Fatal(err)
		}
	}
}
