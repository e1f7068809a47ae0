package api

import (
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"datakit.dev/internal/status"
)

// metrics is the status as Prometheus has it, made when it is asked for.
type metrics struct {
	agent    Agent
	requests *prometheus.CounterVec
}

func newMetrics(a Agent, r *prometheus.Registry) *metrics {
	m := &metrics{agent: a, requests: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "datakit_http_requests_total", Help: "Requests to the HTTP interface.",
	}, []string{"route", "code"})}
	r.MustRegister(m, m.requests, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// count counts the answers of one route. The route's name is ours: a client
// cannot make series.
func (m *metrics) count(name string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		rec := &recorder{ResponseWriter: w, code: http.StatusOK}
		defer func() { m.requests.WithLabelValues(name, strconv.Itoa(rec.code)).Inc() }()
		next.ServeHTTP(rec, req)
	})
}

// recorder remembers the code of an answer.
type recorder struct {
	http.ResponseWriter
	code int
}

func (r *recorder) WriteHeader(code int) {
	r.code = code
	r.ResponseWriter.WriteHeader(code)
}

// Unwrap lets [http.ResponseController] through.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// Describe implements [prometheus.Collector]. It describes nothing: which series
// there are depends on what runs.
func (m *metrics) Describe(chan<- *prometheus.Desc) {}

// Collect implements [prometheus.Collector].
func (m *metrics) Collect(out chan<- prometheus.Metric) {
	s, info := m.agent.Status(), m.agent.Info()
	e := emitter{out}
	e.gauge("build_info", "The agent's version.", 1, "version", info.Version, "go_version", runtime.Version())
	e.gauge("start_time_seconds", "When the agent started, in seconds since 1970.", float64(info.Started.UnixNano())/1e9)
	e.gauge("generation", "Snapshots applied since the start.", float64(s.Generation))
	e.gauge("converged", "1 where what runs is what is asked for.", truth(s.Converged))
	e.gauge("agent_errors", "What is wrong with the agent itself.", float64(len(s.Errors)))
	e.stores(s.Stores)
	e.keys(s.Keys)
	e.units(s.Units)
	e.scripts(s.Scripts)
	e.outputs(s.Outputs)
	if s.Recent != nil {
		e.recent(*s.Recent)
	}
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// emitter makes metrics of one scrape.
type emitter struct{ out chan<- prometheus.Metric }

func (e emitter) gauge(name, help string, v float64, labels ...string) {
	e.emit(prometheus.GaugeValue, name, help, v, labels)
}

func (e emitter) counter(name, help string, v uint64, labels ...string) {
	e.emit(prometheus.CounterValue, name+"_total", help, float64(v), labels)
}

// emit makes one metric; labels are names and values in turn.
func (e emitter) emit(kind prometheus.ValueType, name, help string, v float64, labels []string) {
	var names, values []string
	for i := 0; i+1 < len(labels); i += 2 {
		names = append(names, labels[i])
		values = append(values, strings.ToValidUTF8(labels[i+1], "\uFFFD"))
	}
	desc := prometheus.NewDesc("datakit_"+name, help, names, nil)
	m, err := prometheus.NewConstMetric(desc, kind, v, values...)
	if err != nil {
		m = prometheus.NewInvalidMetric(desc, err)
	}
	e.out <- m
}

func (e emitter) stores(stores []status.Store) {
	seen := map[string]int{}
	for _, s := range stores {
		id := s.Backend // as datakit.conf's stores are numbered, so that two of one backend are two series
		if seen[id]++; seen[id] > 1 {
			id += "#" + strconv.Itoa(seen[s.Backend])
		}
		e.gauge("store_state", "1 for the state that the store is in.", 1, "store", id, "state", string(s.State))
		e.gauge("store_keys", "Keys of the last complete read.", float64(s.Keys), "store", id)
		if !s.ReadAt.IsZero() {
			e.gauge("store_read_time_seconds", "When the store was last read whole, in seconds since 1970.", float64(s.ReadAt.UnixNano())/1e9, "store", id)
			e.gauge("store_read_age_seconds", "Age of the last complete read.", age(s.ReadAt), "store", id)
		}
	}
}

func (e emitter) keys(keys []status.Key) {
	count := map[status.KeyState]int{
		status.Applied: 0, status.Kept: 0, status.Rejected: 0, status.Duplicate: 0,
		status.Shadowed: 0, status.Singleton: 0, status.Empty: 0, status.Ignored: 0,
	}
	for _, k := range keys {
		count[k.State]++
	}
	for state, n := range count {
		e.gauge("keys", "Keys of the stores and local files by what became of them.", float64(n), "state", string(state))
	}
}

func (e emitter) units(units []status.Unit) {
	for _, u := range units {
		labels := []string{"unit", u.ID, "kind", u.Kind}
		e.gauge("unit_state", "1 for the state that the unit is in.", 1, append(labels, "state", string(u.State))...)
		e.counter("unit_starts", "Starts of the unit: 1 unless it was restarted.", u.Starts, labels...)
		e.counter("unit_updates", "Changes that the unit took in place.", u.Updates, labels...)
		e.counter("unit_gathers", "Collections.", u.Gathers, labels...)
		e.counter("unit_missed", "Ticks that a slow collection left out.", u.Missed, labels...)
		e.counter("unit_points", "Points that the unit wrote.", u.Points, labels...)
		e.counter("unit_errors", "Collections and runs that failed.", u.Errors, labels...)
	}
}

func (e emitter) scripts(scripts []status.Script) {
	for _, s := range scripts {
		if s.State != "active" && s.State != "kept" {
			continue // it does not run, and another one has its name
		}
		labels := []string{"category", s.Category, "name", s.Name, "namespace", s.Namespace}
		e.counter("script_runs", "Points that the script ran on.", s.Runs, labels...)
		e.counter("script_drops", "Points that the script dropped.", s.Drops, labels...)
		e.counter("script_errors", "Runs that failed.", s.Errors, labels...)
		e.emit(prometheus.CounterValue, "script_seconds_total", "Time spent in runs.", float64(s.Nanoseconds)/1e9, labels)
	}
}

func (e emitter) outputs(outputs []status.Output) {
	for _, o := range outputs {
		e.gauge("output_queue_points", "Points that wait for the output.", float64(o.QueuePoints), "output", o.Name)
		e.gauge("output_queue_bytes", "Bytes that wait for the output.", float64(o.QueueBytes), "output", o.Name)
		e.counter("output_written_points", "Points that the output took.", o.Written, "output", o.Name)
		e.counter("output_dropped_points", "Points that were given up.", o.Dropped, "output", o.Name)
		e.counter("output_retries", "Writes that were tried again.", o.Retries, "output", o.Name)
	}
}

func (e emitter) recent(r status.Recent) {
	e.gauge("recent_points", "Points that are kept for queries.", float64(r.Points))
	e.gauge("recent_series", "Series that these points are of.", float64(r.Series))
	e.gauge("recent_bytes", "Memory of these points.", float64(r.Bytes))
	e.gauge("recent_max_bytes", "Bound of that memory.", float64(r.MaxBytes))
	e.counter("recent_refused_points", "Points that were too old to be kept.", r.Refused)
}

func age(t status.Time) float64 { return time.Since(t.Time).Seconds() }
