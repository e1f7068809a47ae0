package point

import (
	"math"
	"testing"
)

func TestValueKeepsItsKindAndContent(t *testing.T) {
	list := []Value{IntOf(1), StringOf("a")}
	for _, c := range []struct {
		v    Value
		kind Kind
		want any
	}{
		{Value{}, Nil, nil},
		{BoolOf(true), Bool, true},
		{BoolOf(false), Bool, false},
		{IntOf(math.MinInt64), Int, int64(math.MinInt64)},
		{UintOf(math.MaxUint64), Uint, uint64(math.MaxUint64)},
		{FloatOf(-1.5), Float, -1.5},
		{StringOf(""), String, ""},
		{StringOf("é\x00"), String, "é\x00"},
	} {
		if c.v.Kind() != c.kind || c.v.Any() != c.want || !c.v.Equal(c.v) {
			t.Errorf("%v: kind %v, any %v; want %v, %v", c.v, c.v.Kind(), c.v.Any(), c.kind, c.want)
		}
	}
	if got := BytesOf([]byte("xy")); got.Kind() != Bytes || string(got.Bytes()) != "xy" {
		t.Errorf("bytes: %v", got)
	}
	v := ListOf(&list)
	list = append(list, BoolOf(true))
	if len(*v.List()) != 3 {
		t.Error("a list value must see what is appended to the list it was made from")
	}
	if IntOf(1).Equal(UintOf(1)) || IntOf(0).Equal(Value{}) || StringOf("").Equal(BytesOf(nil)) {
		t.Error("values of different kinds are equal")
	}
	if !FloatOf(math.NaN()).Equal(FloatOf(math.NaN())) {
		t.Error("NaN must equal itself: deduplication depends on it")
	}
}

func TestValueOfAnotherKindIsZero(t *testing.T) {
	s := StringOf("x")
	if s.Int() != 0 || s.Uint() != 0 || s.Float() != 0 || s.Bool() || s.Bytes() != nil || s.List() != nil || s.Map() != nil {
		t.Error("a string answered for another kind")
	}
	if n, ok := IntOf(-7).AsInt(); n != -7 || !ok {
		t.Error("AsInt of an int")
	}
	if _, ok := FloatOf(7).AsInt(); ok {
		t.Error("AsInt took a float for an int")
	}
	if IntOf(7).Text() != "" || UintOf(7).Int() != 0 {
		t.Error("a number answered for another kind")
	}
}

func TestTagsStaySortedAndUnique(t *testing.T) {
	var p Point
	for _, k := range []string{"c", "a", "b", "a"} {
		p.SetTag(k, k+"1")
	}
	p.SetTag("b", "2")
	if got := p.Tags; len(got) != 3 || got[0].Key != "a" || got[1] != (Tag{"b", "2"}) || got[2].Key != "c" {
		t.Fatalf("tags %v", got)
	}
	if !p.DelTag("b") || p.DelTag("b") {
		t.Error("DelTag must remove once")
	}
	p.Tags = []Tag{{"z", "1"}, {"a", "1"}, {"z", "2"}}
	p.SortTags()
	if got := p.Tags; len(got) != 2 || got[1] != (Tag{"z", "2"}) {
		t.Errorf("sorted %v", got)
	}
}

func TestFieldsReplaceInPlace(t *testing.T) {
	p := New("m", 2)
	p.Set("x", IntOf(1))
	p.Set("y", IntOf(2))
	p.Set("x", IntOf(3))
	if v, _ := p.Field("x"); len(p.Fields) != 2 || p.Fields[0].Key != "x" || v.Int() != 3 {
		t.Fatalf("fields %v", p.Fields)
	}
	q := p.Clone()
	q.Set("x", IntOf(9))
	if v, _ := p.Field("x"); v.Int() != 3 {
		t.Error("a clone shares its fields")
	}
	if !p.Del("x") || p.Del("x") {
		t.Error("Del must remove once")
	}
}

func TestSetAmongLooksAtTheFirstFieldsOnly(t *testing.T) {
	p := New("m", 4)
	p.Set("a", IntOf(1))
	n := len(p.Fields)
	p.SetAmong(n, "b", IntOf(2))
	p.SetAmong(n, "a", IntOf(3))
	p.SetAmong(n, "b", IntOf(4)) // as the caller said that there is none
	if len(p.Fields) != 3 || p.Fields[0].Value.Int() != 3 || p.Fields[1].Value.Int() != 2 || p.Fields[2].Value.Int() != 4 {
		t.Errorf("fields %v", p.Fields)
	}
}

func TestScalarsDoNotAllocate(t *testing.T) {
	text := string([]byte("some text"))
	if n := testing.AllocsPerRun(100, func() {
		p := Value{}
		for _, v := range []Value{IntOf(1 << 40), FloatOf(1.5), StringOf(text), BoolOf(true)} {
			p = v
		}
		_ = p
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
