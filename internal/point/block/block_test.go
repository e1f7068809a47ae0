package block

import (
	"math"
	"testing"

	"datakit.dev/internal/point"
)

func TestAColumnGivesBackWhatWasPutIn(t *testing.T) {
	for _, v := range []point.Value{
		point.BoolOf(true), point.BoolOf(false), point.IntOf(math.MinInt64), point.UintOf(math.MaxUint64),
		point.FloatOf(-0.5), point.FloatOf(math.NaN()), point.StringOf("é"), point.StringOf(""),
	} {
		kind, bits := v.Bits()
		c := Column{Key: "f", Kind: kind, Nums: []uint64{0, bits}, Texts: []string{"", v.Text()}}
		if got := c.Value(1); !Holds(v.Kind()) || !got.Equal(v) {
			t.Errorf("%v came back as %v", v, got)
		}
	}
	list := []point.Value{}
	for _, v := range []point.Value{{}, point.BytesOf([]byte("x")), point.ListOf(&list), point.MapOf(nil)} {
		if kind, bits := v.Bits(); Holds(kind) || bits != 0 {
			t.Errorf("%v is no value of a column", kind)
		}
	}
	if (&Column{Kind: point.Map}).Value(0).Kind() != point.Nil {
		t.Error("a column of no kind has values")
	}
}

func TestABlockFindsItsColumnsAndTags(t *testing.T) {
	b := Block{Tags: []point.Tag{{Key: "a", Value: ""}, {Key: "b", Value: "2"}}, Columns: []Column{{Key: "x"}, {Key: "y"}}}
	if c := b.Column("y"); c == nil || c.Key != "y" || b.Column("z") != nil {
		t.Errorf("column y is %v", c)
	}
	if v, ok := b.Tag("b"); v != "2" || !ok {
		t.Errorf("tag b is %q", v)
	}
	if _, ok := b.Tag("a"); !ok {
		t.Error("an empty tag is one all the same")
	}
	if _, ok := b.Tag("c"); ok {
		t.Error("there is no tag c")
	}
}
