package input

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shirou/gopsutil/v4/common"

	"datakit.dev/internal/point"
	"datakit.dev/internal/spec"
)

func plugin() Plugin {
	return Plugin{
		Name: "sea", Aliases: []string{"ocean"}, Doc: "Collects waves.", DocZH: "采集海浪。", Singleton: true,
		Options: []spec.Field{{Name: "height", Type: spec.Float, Default: 1.5, Unit: "metres", Doc: "Least height.", DocZH: "最小高度。"}},
		Measurements: []Measurement{
			{
				Name: "wave", Doc: "One wave.", DocZH: "一个海浪。", Tags: []Tag{Label("beach", "Where | when.", "海滩。")},
				Fields: []Field{Float("height", "metres", "Its height.", "高度。"), Int("n", "count", "Its number.", "编号。"), Text("name", "Its name.", "名称。"), Bool("broke", "Whether it broke.", "是否破碎。")},
			},
			{Name: "wave", Category: point.Object, Doc: "A wave as a thing.", DocZH: "海浪对象。", Fields: []Field{Int("n", "", "Its number.", "编号。")}},
		},
	}
}

func TestSchemaHasTheFieldsOfEveryInput(t *testing.T) {
	s := plugin().Schema()
	if err := s.Check(); err != nil {
		t.Fatal(err)
	}
	v := spec.Defaults(s.Fields)
	if s.Name != "inputs.sea" || v.Duration(IntervalField) != 10*time.Second || v.Map(TagsField) != nil || v["height"] != 1.5 {
		t.Errorf("%s %v", s.Name, v)
	}
	for _, f := range s.Fields {
		if f.Live != slices.Contains(LiveFields(), f.Name) {
			t.Errorf("%s: live %v", f.Name, f.Live)
		}
	}
	p := plugin()
	p.Interval = time.Minute
	if got := spec.Defaults(p.Schema().Fields).Duration(IntervalField); got != time.Minute {
		t.Errorf("interval %v", got)
	}
}

func TestReferenceTellsAllThereIsToKnow(t *testing.T) {
	for lang, wants := range map[string][]string{
		"en": {
			"# sea\n\nCollects waves.", "`ocean`", "only the first runs", "| `height` | float | `1.5` | Least height. Unit: metres. |", "[[inputs.sea]]", "# height = 1.5",
			"### wave (metric)", "| `beach` | Where \\| when. |", "| `height` | float | metres | Its height. |", "| `broke` | bool |  | Whether it broke. |", "### wave (object)\n\nA wave as a thing.",
		},
		"zh": {"# sea\n\n采集海浪。", "只运行第一个", "| `height` | 浮点数 | `1.5` | 最小高度。", "| `height` | float | metres | 高度。 |", "### wave (object)\n\n海浪对象。", "## 指标集"},
	} {
		page := plugin().Reference(lang)
		for _, want := range wants {
			if !strings.Contains(page, want) {
				t.Errorf("%s: no %q in\n%s", lang, want, page)
			}
		}
	}
	p := plugin()
	p.Singleton, p.Aliases, p.Measurements[0].Tags = false, nil, nil
	if page := p.Reference("en"); strings.Contains(page, "first runs") || strings.Contains(page, "Also known") || strings.Contains(page, "| Tag |") {
		t.Errorf("it tells what is not so:\n%s", page)
	}
}

func TestHostPathsFollowTheEnvironment(t *testing.T) {
	t.Setenv("HOST_PROC", "/host/proc")
	t.Setenv("HOST_SYS", "")
	ctx := context.WithValue(t.Context(), common.EnvKey, common.EnvMap{common.HostRunEnvKey: "/other/run"})
	for got, want := range map[string]string{
		ProcPath(ctx, "net", "snmp"): "/host/proc/net/snmp",
		SysPath(ctx, "class"):        "/sys/class",
		RunPath(ctx, "udev"):         "/other/run/udev",
		RunPath(t.Context()):         "/run",
		VarPath(ctx, "run"):          "/var/run",
	} {
		if got != filepath.FromSlash(want) {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
