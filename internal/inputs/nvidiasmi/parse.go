package nvidiasmi

import (
	"encoding/xml"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"datakit.dev/internal/input"
	"datakit.dev/internal/point"
)

// The parts of nvidia-smi -q -x that are read. The elements are those of its
// formats 10 to 13; where they differ, both are named.
type report struct {
	Driver string `xml:"driver_version"`
	CUDA   string `xml:"cuda_version"`
	GPUs   []gpu  `xml:"gpu"`
}

type gpu struct {
	ID          string `xml:"id,attr"`
	Name        string `xml:"product_name"`
	UUID        string `xml:"uuid"`
	ComputeMode string `xml:"compute_mode"`
	PState      string `xml:"performance_state"`
	Fan         string `xml:"fan_speed"`
	PCI         struct {
		Gen   string `xml:"pci_gpu_link_info>pcie_gen>current_link_gen"`
		Width string `xml:"pci_gpu_link_info>link_widths>current_link_width"`
	} `xml:"pci"`
	Memory struct {
		Total    string `xml:"total"`
		Reserved string `xml:"reserved"`
		Used     string `xml:"used"`
		Free     string `xml:"free"`
	} `xml:"fb_memory_usage"`
	Utilization struct {
		GPU     string `xml:"gpu_util"`
		Memory  string `xml:"memory_util"`
		Encoder string `xml:"encoder_util"`
		Decoder string `xml:"decoder_util"`
	} `xml:"utilization"`
	Encoder     sessions `xml:"encoder_stats"`
	FBC         sessions `xml:"fbc_stats"`
	Temperature string   `xml:"temperature>gpu_temp"`
	Clocks      struct {
		Graphics string `xml:"graphics_clock"`
		SM       string `xml:"sm_clock"`
		Memory   string `xml:"mem_clock"`
		Video    string `xml:"video_clock"`
	} `xml:"clocks"`
	Power    power `xml:"gpu_power_readings"`
	PowerOld power `xml:"power_readings"`
}

type sessions struct {
	Count   string `xml:"session_count"`
	FPS     string `xml:"average_fps"`
	Latency string `xml:"average_latency"`
}

type power struct {
	Draw    string `xml:"power_draw"`
	Instant string `xml:"instant_power_draw"`
	Average string `xml:"average_power_draw"`
	Limit   string `xml:"current_power_limit"`
	Old     string `xml:"power_limit"`
}

// parse returns one point a graphics processor.
func parse(out []byte) ([]point.Point, error) {
	var r report
	if err := xml.Unmarshal(out, &r); err != nil {
		return nil, fmt.Errorf("what it prints is no XML of nvidia-smi -q -x: %w", err)
	}
	pts := make([]point.Point, 0, len(r.GPUs))
	for i := range r.GPUs {
		if p := r.point(i); len(p.Fields) > 0 {
			pts = append(pts, p)
		}
	}
	return pts, nil
}

func (r *report) point(i int) point.Point {
	g := &r.GPUs[i]
	p := point.New(measurement, 24)
	p.SetTag("index", strconv.Itoa(i))
	for _, t := range [...]struct{ key, text string }{
		{"name", g.Name},
		{"uuid", g.UUID},
		{"pci_bus_id", g.ID},
		{"compute_mode", g.ComputeMode},
		{"pstate", g.PState},
		{"driver_version", r.Driver},
		{"cuda_version", r.CUDA},
	} {
		if text := strings.TrimSpace(t.text); text != "" && text != "N/A" && len(text) < 256 && utf8.ValidString(text) {
			p.SetTag(t.key, text)
		}
	}
	for _, f := range readings {
		for _, text := range f.of(g) {
			v, ok := number(text)
			if !ok {
				continue
			}
			if f.kind == point.Float {
				p.Add(f.name, point.FloatOf(v))
			} else {
				p.Add(f.name, point.IntOf(int64(v)))
			}
			break
		}
	}
	return p
}

// number reads "26.78 W" and "16x"; "N/A" and its like are none.
func number(text string) (float64, bool) {
	word, _, _ := strings.Cut(strings.TrimSpace(text), " ")
	v, err := strconv.ParseFloat(strings.TrimSuffix(word, "x"), 64)
	return v, err == nil && v >= -1e12 && v <= 1e12
}

// readings say where each field comes from: the first text that is a number.
var readings = []struct { //nolint:gochecknoglobals // a table, never written
	name, unit string
	kind       point.Kind
	of         func(*gpu) []string
	en, zh     string
}{
	{"utilization_gpu", "percent", point.Int, func(g *gpu) []string { return []string{g.Utilization.GPU} }, "Share of time that it computed.", "GPU 利用率。"},
	{"utilization_memory", "percent", point.Int, func(g *gpu) []string { return []string{g.Utilization.Memory} }, "Share of time that its memory was read or written.", "显存读写利用率。"},
	{"utilization_encoder", "percent", point.Int, func(g *gpu) []string { return []string{g.Utilization.Encoder} }, "Share of time that it encoded video.", "编码器利用率。"},
	{"utilization_decoder", "percent", point.Int, func(g *gpu) []string { return []string{g.Utilization.Decoder} }, "Share of time that it decoded video.", "解码器利用率。"},
	{"memory_total", "MiB", point.Int, func(g *gpu) []string { return []string{g.Memory.Total} }, "Its memory.", "显存总量。"},
	{"memory_used", "MiB", point.Int, func(g *gpu) []string { return []string{g.Memory.Used} }, "Memory in use.", "已用显存。"},
	{"memory_free", "MiB", point.Int, func(g *gpu) []string { return []string{g.Memory.Free} }, "Memory that is free.", "空闲显存。"},
	{"memory_reserved", "MiB", point.Int, func(g *gpu) []string { return []string{g.Memory.Reserved} }, "Memory that the driver keeps.", "驱动保留显存。"},
	{"temperature_gpu", "celsius", point.Int, func(g *gpu) []string { return []string{g.Temperature} }, "Its temperature.", "GPU 温度。"},
	{"fan_speed", "percent", point.Int, func(g *gpu) []string { return []string{g.Fan} }, "Speed of its fan, of the greatest.", "风扇转速百分比。"},
	{"power_draw", "watt", point.Float, func(g *gpu) []string {
		return []string{g.Power.Draw, g.Power.Instant, g.Power.Average, g.PowerOld.Draw}
	}, "Power that it draws.", "当前功耗。"},
	{"power_limit", "watt", point.Float, func(g *gpu) []string { return []string{g.Power.Limit, g.Power.Old, g.PowerOld.Old} }, "Power that it may draw.", "功耗上限。"},
	{"clocks_current_graphics", "MHz", point.Int, func(g *gpu) []string { return []string{g.Clocks.Graphics} }, "Clock of the graphics part.", "图形时钟频率。"},
	{"clocks_current_sm", "MHz", point.Int, func(g *gpu) []string { return []string{g.Clocks.SM} }, "Clock of the multiprocessors.", "SM 时钟频率。"},
	{"clocks_current_memory", "MHz", point.Int, func(g *gpu) []string { return []string{g.Clocks.Memory} }, "Clock of the memory.", "显存时钟频率。"},
	{"clocks_current_video", "MHz", point.Int, func(g *gpu) []string { return []string{g.Clocks.Video} }, "Clock of the video part.", "视频时钟频率。"},
	{"pcie_link_gen_current", "", point.Int, func(g *gpu) []string { return []string{g.PCI.Gen} }, "Generation of PCI Express in use.", "当前 PCIe 代数。"},
	{"pcie_link_width_current", "lanes", point.Int, func(g *gpu) []string { return []string{g.PCI.Width} }, "Lanes of PCI Express in use.", "当前 PCIe 通道数。"},
	{"encoder_stats_session_count", "count", point.Int, func(g *gpu) []string { return []string{g.Encoder.Count} }, "Sessions that encode.", "编码会话数。"},
	{"encoder_stats_average_fps", "frames per second", point.Int, func(g *gpu) []string { return []string{g.Encoder.FPS} }, "Frames that they encode, on average.", "平均编码帧率。"},
	{"encoder_stats_average_latency", "us", point.Int, func(g *gpu) []string { return []string{g.Encoder.Latency} }, "Time that a frame takes them, on average.", "平均编码延迟。"},
	{"fbc_stats_session_count", "count", point.Int, func(g *gpu) []string { return []string{g.FBC.Count} }, "Sessions that capture the frame buffer.", "帧缓冲捕获会话数。"},
	{"fbc_stats_average_fps", "frames per second", point.Int, func(g *gpu) []string { return []string{g.FBC.FPS} }, "Frames that they capture, on average.", "平均捕获帧率。"},
	{"fbc_stats_average_latency", "us", point.Int, func(g *gpu) []string { return []string{g.FBC.Latency} }, "Time that a frame takes them, on average.", "平均捕获延迟。"},
}

func fields() []input.Field {
	out := make([]input.Field, len(readings))
	for i, f := range readings {
		out[i] = input.Field{Name: f.name, Kind: f.kind, Unit: f.unit, Doc: f.en, DocZH: f.zh}
	}
	return out
}

func tags() []input.Tag {
	return []input.Tag{
		input.Label("index", "Its place in the list, from 0.", "序号，从 0 开始。"),
		input.Label("name", "Its model.", "型号。"),
		input.Label("uuid", "Its own name, which stays.", "唯一标识。"),
		input.Label("pci_bus_id", "Its place on the bus.", "总线编号。"),
		input.Label("compute_mode", "Who may compute on it.", "计算模式。"),
		input.Label("pstate", "Performance state, P0 the fastest.", "性能状态，P0 最高。"),
		input.Label("driver_version", "Version of the driver.", "驱动版本。"),
		input.Label("cuda_version", "Newest CUDA that the driver supports.", "驱动支持的最高 CUDA 版本。"),
	}
}
