package spec

import (
	"strings"
	"testing"
	"time"
)

func TestCheckFindsWhatIsWrongWithADescription(t *testing.T) {
	if err := testSchema().Check(); err != nil {
		t.Error(err)
	}
	good := Field{Name: "a", Type: Int, Doc: "x", DocZH: "x"}
	for want, change := range map[string]func(*Field){
		"repeated":      func(f *Field) { f.Name = "" },
		"languages":     func(f *Field) { f.DocZH = "" },
		"default":       func(f *Field) { f.Default = 1 },
		"example":       func(f *Field) { f.Example = "x" },
		"secret":        func(f *Field) { f.Secret, f.Default = true, int64(1) },
		"bound":         func(f *Field) { f.Min = 1.5 },
		"refused":       func(f *Field) { f.Min, f.Default = int64(5), int64(1) },
		"of its fields": func(f *Field) { f.Type, f.Default = Table, Values{} },
		"t.a.b":         func(f *Field) { f.Type, f.Fields = Table, []Field{{Name: "b", Type: Int}} },
	} {
		f := good
		change(&f)
		if err := (Schema{Name: "t", Fields: []Field{f}}).Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
	if err := (Schema{Name: "t", Fields: []Field{good, good}}).Check(); err == nil {
		t.Error("a name used twice was taken")
	}
}

func TestWithLeavesTheOriginalAlone(t *testing.T) {
	base := Schema{Name: "t", Fields: make([]Field, 0, 10)}
	a, b := base.With(Field{Name: "a"}), base.With(Field{Name: "b"})
	if _, ok := a.Field("a"); !ok || len(base.Fields) != 0 {
		t.Error("With changed what it was called on")
	}
	if _, ok := b.Field("a"); ok {
		t.Error("two schemas share their fields")
	}
}

func TestZeroIsOfTheFieldsType(t *testing.T) {
	for kind := Bool; kind <= Tables; kind++ {
		f := Field{Name: "f", Type: kind}
		if !f.holds(f.Zero()) {
			t.Errorf("%v: %T", kind, f.Zero())
		}
		if kind.String() == "" {
			t.Errorf("%d has no name", kind)
		}
	}
	if got := (Field{Type: Duration, Default: time.Minute}).Zero(); got != time.Minute {
		t.Errorf("%v", got)
	}
	if got := Type(99).String(); got != "type(99)" {
		t.Errorf("%s", got)
	}
}
