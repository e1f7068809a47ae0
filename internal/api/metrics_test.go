package api_test

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"datakit.dev/internal/status"
)

func full() status.Status {
	return status.Status{
		Generation: 7, Converged: true,
		Stores: []status.Store{
			{Backend: "etcdv3", State: status.Watching, Keys: 3, ReadAt: status.At(time.Now())},
			{Backend: "etcdv3", State: status.Stale},
		},
		Keys: []status.Key{{State: status.Applied}, {State: status.Applied}, {State: status.Kept}},
		Units: []status.Unit{{
			ID: "input/cpu", Kind: "cpu", State: status.Running,
			Starts: 2, Updates: 3, Gathers: 12, Missed: 1, Points: 120, Errors: 4,
		}, {ID: "input/odd\xff\"\n", Kind: "odd", State: status.Failed}},
		Scripts: []status.Script{
			{Category: "metric", Name: "cpu.p", Namespace: "confd", State: "active", Runs: 10, Drops: 1, Errors: 2},
			{Category: "metric", Name: "cpu.p", Namespace: "confd", State: "shadowed"},
		},
		Outputs: []status.Output{{Name: "dataway", QueuePoints: 5, QueueBytes: 500, Written: 100, Dropped: 1, Retries: 2}},
	}
}

func TestMetricsShowTheStatus(t *testing.T) {
	r := get(t, serve(t, &fake{status: full()})+"/metrics")
	r.expect(
		t, 200,
		`datakit_build_info{go_version="go1.`, `version="1.2.3"} 1`,
		"datakit_generation 7\n", "datakit_converged 1\n", "datakit_start_time_seconds 1.",
		`datakit_store_state{state="watching",store="etcdv3"} 1`, `datakit_store_state{state="stale",store="etcdv3#2"} 1`,
		`datakit_store_keys{store="etcdv3"} 3`, `datakit_store_read_age_seconds{store="etcdv3"} `,
		`datakit_keys{state="applied"} 2`, `datakit_keys{state="kept"} 1`, `datakit_keys{state="rejected"} 0`,
		`datakit_unit_state{kind="cpu",state="running",unit="input/cpu"} 1`,
		`datakit_unit_starts_total{kind="cpu",unit="input/cpu"} 2`, `datakit_unit_updates_total{kind="cpu",unit="input/cpu"} 3`,
		`datakit_unit_gathers_total{kind="cpu",unit="input/cpu"} 12`, `datakit_unit_missed_total{kind="cpu",unit="input/cpu"} 1`,
		`datakit_unit_points_total{kind="cpu",unit="input/cpu"} 120`, `datakit_unit_errors_total{kind="cpu",unit="input/cpu"} 4`,
		`datakit_script_runs_total{category="metric",name="cpu.p",namespace="confd"} 10`,
		`datakit_output_queue_points{output="dataway"} 5`, `datakit_output_queue_bytes{output="dataway"} 500`,
		`datakit_output_written_points_total{output="dataway"} 100`, `datakit_output_dropped_points_total{output="dataway"} 1`,
		"go_goroutines ",
	)
	if strings.Contains(r.body, `store_read_age_seconds{store="etcdv3#2"}`) {
		t.Error("a store that was never read has an age")
	}
}

// What is shown can be parsed, whatever the units are called, and every one of
// our names begins with datakit_.
func TestMetricsCanBeParsed(t *testing.T) {
	url := serve(t, &fake{status: full()})
	get(t, url+"/v1/nosuch/"+strings.Repeat("a", 100))
	r := get(t, url+"/metrics")
	p := expfmt.NewTextParser(model.UTF8Validation)
	families, err := p.TextToMetricFamilies(strings.NewReader(r.body))
	if err != nil {
		t.Fatal(err)
	}
	ours := 0
	for name := range families {
		if strings.HasPrefix(name, "datakit_") {
			ours++
			continue
		}
		if !strings.HasPrefix(name, "go_") && !strings.HasPrefix(name, "process_") {
			t.Errorf("metric %s", name)
		}
	}
	if ours < 20 {
		t.Errorf("only %d families of ours", ours)
	}
	if n := len(families["datakit_http_requests_total"].GetMetric()); n != 1 {
		t.Errorf("clients made %d series of requests", n)
	}
}

func TestMetricsOfAThousandUnits(t *testing.T) {
	r := get(t, serve(t, &fake{status: manyKeys(1000)})+"/metrics")
	r.expect(t, 200, `datakit_unit_points_total{kind="prom",unit="input/prom/00999"} 0`, `datakit_keys{state="applied"} 1000`)
}
