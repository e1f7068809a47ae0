package formats_test

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"datakit.dev/internal/funcs/all"
	"datakit.dev/internal/pipeline"
	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/pipeline/scripttest"
)

func TestSQLCover(t *testing.T) {
	engine := scripttest.New(t, all.Table)
	for in, want := range map[any]any{
		"select abc from def where x > 3 and y < 5":          "select abc from def where x > ? and y < ?",
		"SELECT Codi , Nom_CA AS Nom FROM P WHERE Vigent=1":  "SELECT Codi, Nom_CA FROM P WHERE Vigent = ?",
		"insert into t (a,b) values (1,'x'),(2,'y')":         "insert into t ( a, b ) values ( ? )",
		"select * from t where id in (1,2,3) -- the comment": "select * from t where id in ( ? )",
		"#test\nselect 'secret'":                             "select ?",
		`select * from t where a = 'it\'s' and b = 2`:        "select * from t where a = ? and b = ?",
		`select * from t where a = 'c:\' and b = 'x'`:        "select * from t where a = ? and b = ?",
		int64(42):                           "?",
		"":                                  "",
		"SELECT a FROM b WHERE c = 'no end": "SELECT a FROM b WHERE c = 'no end",
		`{"a":{"b":1}}`:                     `{"a":{"b":1}}`,
	} {
		got, err := engine.Run(t, `sql_cover(k)`, scripttest.Fields{"k": in})
		if err != nil || got["k"] != want {
			t.Errorf("%v: got %v, %v; want %v", in, got["k"], err, want)
		}
	}
	engine.Refused(t, `sql_cover()`)
	engine.Refused(t, `sql_cover(nil)`)
}

// One point's statement must not change how the next one's is read: a backslash
// that ends a string in one dialect goes before a quote in the other.
func TestStatementsAreReadEachForItself(t *testing.T) {
	program := scripttest.New(t, all.Table).Compile(t, `sql_cover(k)`)
	statements := map[string]string{
		`select 'c:\' from a where b = 'x'`:   "select ? from a where b = ?",
		`select 'it\'s' from a where b = 'x'`: "select ? from a where b = ?",
		`select 1 from a`:                     "select ? from a",
	}
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			for range 50 {
				for in, want := range statements {
					p := scripttest.Point(t, scripttest.Fields{"k": in})
					if _, err := program.Run(&p, &pipeline.Env{}); err != nil {
						t.Error(err)
					}
					if got, _ := p.Field("k"); got.Text() != want {
						t.Errorf("%s: got %s, want %s", in, got.Text(), want)
					}
				}
			}
		})
	}
	wg.Wait()
}

func TestAHugeStatementIsRefused(t *testing.T) {
	engine := scripttest.New(t, all.Table)
	_, err := engine.Run(t, `sql_cover(k)`, scripttest.Fields{"k": strings.Repeat("(", 8<<20)})
	if !errors.Is(err, fn.ErrBytes) {
		t.Errorf("got %v, want %v", err, fn.ErrBytes)
	}
}

func FuzzSQLCover(f *testing.F) {
	engine := scripttest.New(f, all.Table)
	for _, seed := range []string{"select 1", "'", `\'`, "$a$", "{fn", "/*", "--", "1e", "\x00", "@", ":1", "::", "{\"k\":1}"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if _, err := engine.Run(t, `sql_cover(k)`, scripttest.Fields{"k": s}); errors.Is(err, pipeline.ErrPanic) {
			t.Fatal(err)
		}
	})
}
