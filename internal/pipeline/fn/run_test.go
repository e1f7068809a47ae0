package fn_test

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/point"
)

func start(p *point.Point, env fn.Env) *fn.Run {
	r := new(fn.Run)
	r.Start(p, &env)
	return r
}

func TestStepsEnd(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(1, 100_000).Draw(t, "limit")
		charge := rapid.IntRange(1, 20_000).Draw(t, "charge")
		r := start(nil, fn.Env{Limits: fn.Limits{Steps: limit, Time: time.Hour}})
		for n := charge; n <= limit; n += charge {
			if err := r.Step(charge); err != nil {
				t.Fatalf("%d of %d steps: %v", n, limit, err)
			}
		}
		for range 3 {
			if err := r.Step(charge); !errors.Is(err, fn.ErrSteps) {
				t.Fatalf("after %d steps: %v", limit, err)
			}
		}
	})
}

func TestTimeEndsALongRun(t *testing.T) {
	r := start(nil, fn.Env{Limits: fn.Limits{Steps: 1 << 60, Time: time.Nanosecond}})
	var err error
	for range 100 {
		if err = r.Step(1 << 14); err != nil {
			break
		}
	}
	if !errors.Is(err, fn.ErrTime) {
		t.Fatalf("error %v", err)
	}
	if err := r.Step(1); err == nil {
		t.Error("the run goes on after it took too long")
	}
}

func TestBytesEnd(t *testing.T) {
	r := start(nil, fn.Env{Limits: fn.Limits{Bytes: 100}})
	if err := r.Alloc(60); err != nil {
		t.Fatal(err)
	}
	if err := r.Alloc(60); !errors.Is(err, fn.ErrBytes) || !fn.IsLimit(err) {
		t.Errorf("120 of 100 bytes: %v", err)
	}
}

func TestKeysOfThePoint(t *testing.T) {
	p := point.New("m", 4)
	p.SetTag("host", "h")
	p.Set("message", point.StringOf("text"))
	p.Set("u", point.UintOf(7))
	p.Set("d", point.BytesOf([]byte("bytes")))
	list := []point.Value{point.IntOf(1)}
	p.Set("l", point.ListOf(&list))
	r := start(&p, fn.Env{})
	for key, want := range map[string]point.Value{
		"host": point.StringOf("h"), "_": point.StringOf("text"), "u": point.IntOf(7), "d": point.StringOf("bytes"), "l": point.NilOf(),
	} {
		if got, ok := r.Load(key); !ok || !got.Equal(want) {
			t.Errorf("%s: got %v, %v", key, got, ok)
		}
	}
	if _, ok := r.Load("none"); ok {
		t.Error("a key that is not there was found")
	}
	r.Store("host", point.IntOf(5))
	r.Store("_", point.ListOf(&list))
	if tag, _ := p.Tag("host"); tag != "5" {
		t.Errorf("tag %q: a tag stays a tag", tag)
	}
	if v, _ := p.Field("message"); v.Text() != "[1]" {
		t.Errorf("message %v", v)
	}
	r.StoreTag("u", point.UintOf(7))
	if _, ok := p.Field("u"); ok {
		t.Error("what became a tag is a field too")
	}
	r.Delete("u")
	r.Delete("_")
	if _, ok := r.Load("u"); ok || len(p.Fields) != 2 {
		t.Errorf("after deleting: %v %v", p.Tags, p.Fields)
	}
}

func TestRename(t *testing.T) {
	for _, c := range []struct{ from, to, want string }{
		{"f", "g", "g=1 h=tag"}, {"t", "x", "f=1 x=tag"}, {"f", "t", "t=1"}, {"t", "f", "f=tag"}, {"f", "f", "f=1 t=tag"}, {"no", "t", "f=1 t=tag"},
	} {
		p := point.New("m", 2)
		p.SetTag("t", "tag")
		p.Set("f", point.IntOf(1))
		r := start(&p, fn.Env{})
		r.Rename(c.from, c.to)
		want := map[string]string{
			"g=1 h=tag": "t=tag|g=1", "f=1 x=tag": "x=tag|f=1", "t=1": "|t=1", "f=tag": "f=tag|", "f=1 t=tag": "t=tag|f=1",
		}[c.want]
		got := ""
		for _, tag := range p.Tags {
			got += tag.Key + "=" + tag.Value
		}
		got += "|"
		for _, f := range p.Fields {
			got += f.Key + "=" + fn.TextOf(f.Value)
		}
		if got != want {
			t.Errorf("%s to %s: got %s, want %s", c.from, c.to, got, want)
		}
	}
}

func TestFramesAreApart(t *testing.T) {
	r := start(nil, fn.Env{})
	outer := r.Enter(2)
	r.SetVar(0, point.IntOf(1))
	inner := r.Enter(100) // more than there was room for
	if r.IsSet(0) {
		t.Error("a script sees the variables of the one that uses it")
	}
	r.SetVar(99, point.IntOf(9))
	r.Leave(inner)
	if v, ok := r.Var(0); !ok || v.Int() != 1 {
		t.Errorf("after the script that was used: %v, %v", v, ok)
	}
	again := r.Enter(100)
	if r.IsSet(99) {
		t.Error("a variable outlived its script")
	}
	r.Leave(again)
	r.Unset(0, 2)
	if r.IsSet(0) {
		t.Error("a variable outlived its block")
	}
	r.Leave(outer)
}

func TestCreatedPointsRunTheirScriptAlone(t *testing.T) {
	p := point.New("m", 1)
	r := start(&p, fn.Env{})
	err := r.Create(point.Logging, point.New("n", 1), func(r *fn.Run) (point.Value, error) {
		r.Dropped = true
		r.Store("a", point.IntOf(1))
		return point.NilOf(), nil
	})
	if err != nil || len(r.Created) != 1 {
		t.Fatalf("created %v, %v", r.Created, err)
	}
	if _, ok := r.Created[0].Point.Field("a"); !ok || len(p.Fields) != 0 || r.Dropped || r.Point != &p {
		t.Error("the script for the created point worked on the other one")
	}
}

func TestTableSuggests(t *testing.T) {
	table, err := fn.NewTable([]fn.Func{{Name: "add_key"}, {Name: "grok"}}, []fn.Func{{Name: "cast"}})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"ad_key": `; did you mean "add_key"?`, "add_keys": `; did you mean "add_key"?`, "Grok": `; did you mean "grok"?`, "something": "",
	} {
		if got := table.Suggest(name); got != want {
			t.Errorf("%s: got %q", name, got)
		}
	}
	if _, err := fn.NewTable([]fn.Func{{Name: "a"}, {Name: "a"}}); err == nil {
		t.Error("two functions of one name were taken")
	}
}
