package block

import (
	"cmp"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"datakit.dev/internal/point"
)

func blockOf(name string, times ...int64) Block {
	b := Block{
		Name: name, Tags: []point.Tag{{Key: "host", Value: "h"}}, Rows: len(times), Times: times,
		Columns: []Column{{Key: "n", Kind: point.Int}, {Key: "message", Kind: point.String}},
	}
	for _, t := range times {
		b.Columns[0].Nums = append(b.Columns[0].Nums, uint64(t))
		b.Columns[1].Texts = append(b.Columns[1].Texts, "text")
	}
	return b
}

func TestLastGivesWholePointsNewestFirst(t *testing.T) {
	b := blockOf("nginx", 30, 10, 40, 20)
	b.Rows = 3 // what is behind belongs to the writer
	got := Last(slices.Values([]Block{b}), 11, 5)
	if len(got) != 2 || got[0].Time != 40 || got[1].Time != 30 {
		t.Fatalf("got %v", got)
	}
	p := got[0]
	n, _ := p.Field("n")
	text, _ := p.Field("message")
	host, _ := p.Tag("host")
	if p.Name != "nginx" || n.Int() != 40 || text.Text() != "text" || host != "h" {
		t.Errorf("got %v", p)
	}
	p.SetTag("host", "other")
	if b.Tags[0].Value != "h" {
		t.Error("a change of the point changes the block")
	}
	if got := Last(slices.Values([]Block{b}), 0, 0); len(got) != 0 {
		t.Errorf("none was asked for: %v", got)
	}
}

// However the points lie in blocks, the newest come.
func TestLastTakesTheNewest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lists := rapid.SliceOfN(rapid.SliceOfN(rapid.Int64Range(0, 50), 0, 20), 0, 6).Draw(t, "times")
		n, oldest := rapid.IntRange(0, 30).Draw(t, "n"), rapid.Int64Range(0, 50).Draw(t, "oldest")
		var blocks []Block
		var want []int64
		for _, times := range lists {
			blocks = append(blocks, blockOf("m", times...))
			want = append(want, times...)
		}
		want = slices.DeleteFunc(want, func(at int64) bool { return at < oldest })
		slices.SortFunc(want, func(a, b int64) int { return cmp.Compare(b, a) })
		want = want[:min(n, len(want))]
		var got []int64
		for _, p := range Last(slices.Values(blocks), oldest, n) {
			got = append(got, p.Time)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("got %v, want %v", got, want)
		}
	})
}
