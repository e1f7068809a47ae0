package refer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"datakit.dev/internal/faketime"
	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/point"
)

const people = `[
	{"table_name": "people", "primary_key": ["id"],
	 "column_name": ["id", "name", "height", "admin"],
	 "column_type": ["int", "string", "float", "bool"],
	 "row_data": [
		["1", "ann", 1.7, "true"],
		[2, "bob", "1.8", false],
		[2, "bo", 2, "false"],
		[3, 4, 0, "0"]]},
	{"table_name": "empty", "column_name": ["a"], "column_type": ["int"], "row_data": []},
	{"table_name": "none", "column_name": ["a"], "column_type": ["int"]},
	{"table_name": "twice", "column_name": ["a", "b", "a"], "column_type": ["int", "int", "int"], "row_data": [[1, 2, 3]]},
	{"table_name": "twice", "column_name": ["z"], "column_type": ["int"], "row_data": [[1]]}
]`

// serving returns tables of a server that answers as h does.
func serving(t *testing.T, o Options, h http.HandlerFunc) *Tables {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	o.URL = s.URL + "/tables?token=secret"
	tables, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return tables
}

func pulled(t *testing.T, body string) *Tables {
	t.Helper()
	tables := serving(t, Options{}, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, body) })
	if err := tables.pull(t.Context()); err != nil {
		t.Fatal(err)
	}
	return tables
}

func text(row fn.Row) string {
	var b strings.Builder
	for i, c := range row.Columns {
		fmt.Fprintf(&b, "%s=%v ", c, row.Values[i].Any())
	}
	return strings.TrimSpace(b.String())
}

func TestRow(t *testing.T) {
	tables := pulled(t, people)
	list := []point.Value{}
	for _, test := range []struct {
		table   string
		columns []string
		values  []point.Value
		want    string // "": no row
	}{
		{"people", []string{"id"}, []point.Value{point.IntOf(1)}, "id=1 name=ann height=1.7 admin=true"},
		{"people", []string{"id"}, []point.Value{point.IntOf(2)}, "id=2 name=bob height=1.8 admin=false"}, // the first of two
		{"people", []string{"id", "name"}, []point.Value{point.IntOf(2), point.StringOf("bo")}, "id=2 name=bo height=2 admin=false"},
		{"people", []string{"admin", "height"}, []point.Value{point.BoolOf(false), point.FloatOf(2)}, "id=2 name=bo height=2 admin=false"},
		{"people", []string{"name"}, []point.Value{point.StringOf("4")}, "id=3 name=4 height=0 admin=false"},
		{"people", []string{"name", "name"}, []point.Value{point.StringOf("ann"), point.StringOf("bob")}, ""},
		{"people", []string{"id"}, []point.Value{point.FloatOf(1)}, ""},
		{"people", []string{"id"}, []point.Value{point.StringOf("1")}, ""},
		{"people", []string{"id"}, []point.Value{point.NilOf()}, ""},
		{"people", []string{"id"}, []point.Value{point.ListOf(&list)}, ""},
		{"people", []string{"nope"}, []point.Value{point.IntOf(1)}, ""},
		{"people", []string{"id", "name"}, []point.Value{point.IntOf(1)}, ""},
		{"people", nil, nil, ""},
		{"nope", []string{"id"}, []point.Value{point.IntOf(1)}, ""},
		{"empty", []string{"a"}, []point.Value{point.IntOf(1)}, ""},
		{"none", []string{"a"}, []point.Value{point.IntOf(1)}, ""},
		{"twice", []string{"a"}, []point.Value{point.IntOf(1)}, "a=1 b=2"},
		{"twice", []string{"a"}, []point.Value{point.IntOf(3)}, ""},
	} {
		row, ok := tables.Row(test.table, test.columns, test.values)
		if got := text(row); got != test.want || ok != (test.want != "") {
			t.Errorf("%s where %v = %v: got %q (found: %v), want %q", test.table, test.columns, test.values, got, ok, test.want)
		}
	}
}

// An index must find what reading the rows one by one finds.
func TestRowFindsTheFirst(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		small := rapid.IntRange(0, 3)
		n := rapid.IntRange(0, 30).Draw(rt, "rows")
		rows := make([][]point.Value, n)
		for i := range rows {
			for range 3 {
				rows[i] = append(rows[i], point.IntOf(int64(small.Draw(rt, "cell"))))
			}
		}
		tab := newTable([]string{"a", "b", "c"}, rows)
		want := []point.Value{point.IntOf(int64(small.Draw(rt, "a"))), point.IntOf(int64(small.Draw(rt, "c")))}
		first := -1
		for i, row := range rows {
			if row[0].Int() == want[0].Int() && row[2].Int() == want[1].Int() {
				first = i
				break
			}
		}
		got, ok := tab.find([]string{"a", "c"}, want)
		if ok != (first >= 0) || ok && &got.Values[0] != &rows[first][0] {
			rt.Fatalf("got %v %v, want row %d", got, ok, first)
		}
	})
}

func TestTablesThatAreRefusedLeaveTheLast(t *testing.T) {
	var body atomic.Value
	status := http.StatusOK
	tables := serving(t, Options{MaxBytes: 4096}, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		fmt.Fprint(w, body.Load())
	})
	pull := func(s string) error {
		body.Store(s)
		return tables.pull(t.Context())
	}
	if err := pull(people); err != nil {
		t.Fatal(err)
	}
	one := func(columns, types, rows string) string {
		return fmt.Sprintf(`[{"table_name":"t","column_name":%s,"column_type":%s,"row_data":%s}]`, columns, types, rows)
	}
	for _, test := range []struct {
		body string
		want error
	}{
		{``, ErrFormat},
		{`{}`, ErrFormat},
		{`[`, ErrFormat},
		{people[:len(people)/2], ErrFormat},
		{`[] []`, ErrFormat},
		{`[{}]`, ErrFormat},
		{one(`["a"]`, `[]`, `[]`), ErrFormat},
		{one(`[""]`, `["int"]`, `[]`), ErrFormat},
		{one(`["a"]`, `["INT"]`, `[]`), ErrFormat},
		{one(`["a"]`, `["int"]`, `{}`), ErrFormat},
		{one(`["a"]`, `["int"]`, `[1]`), ErrFormat},
		{one(`["a"]`, `["int"]`, `[[1, 2]]`), ErrFormat},
		{one(`["a"]`, `["int"]`, `[["x"]]`), ErrFormat},
		{one(`["a"]`, `["string"]`, `[[{}]]`), ErrFormat},
		{`[` + strings.Repeat(" ", 5000) + `]`, ErrSize},
	} {
		if err := pull(test.body); !errors.Is(err, test.want) {
			t.Errorf("%.80s: got %v, want %v", test.body, err, test.want)
		}
	}
	status = http.StatusInternalServerError
	err := pull(`[]`)
	if !errors.Is(err, ErrStatus) {
		t.Errorf("a server that fails: %v", err)
	}
	if _, ok := tables.Row("people", []string{"id"}, []point.Value{point.IntOf(1)}); !ok {
		t.Error("the tables that were pulled before are gone")
	}
	status = http.StatusOK
	if err := pull(`[]`); err != nil {
		t.Fatal(err)
	}
	if _, ok := tables.Row("people", []string{"id"}, []point.Value{point.IntOf(1)}); ok {
		t.Error("a table that the server has no more is still there")
	}
}

func TestManyShortCellsAreRefused(t *testing.T) {
	var b strings.Builder
	b.WriteString(`[{"table_name":"t","column_name":["a"],"column_type":["int"],"row_data":[[0]`)
	b.WriteString(strings.Repeat(`,[0]`, 500))
	b.WriteString(`]}]`)
	if _, err := parse(strings.NewReader(b.String()), 1000); !errors.Is(err, ErrSize) {
		t.Errorf("got %v, want %v", err, ErrSize)
	}
	if set, err := parse(strings.NewReader(b.String()), 2000); err != nil || len(set["t"].rows) != 501 {
		t.Errorf("within the limit: %v", err)
	}
}

func TestTheURLIsToldToNobody(t *testing.T) {
	for _, u := range []string{"", "ftp://h/x", "http://", "file:///tables.json", "http://user:secret@[::1"} {
		if _, err := New(Options{URL: u}); !errors.Is(err, ErrURL) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", u, err)
		}
	}
	s := httptest.NewServer(http.NotFoundHandler())
	s.Close() // nobody listens there
	tables, err := New(Options{URL: s.URL + "/?token=secret"})
	if err != nil {
		t.Fatal(err)
	}
	if err := tables.pull(t.Context()); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("the error of a server that is down: %v", err)
	}
}

func TestAnUnchangedStateIsNotSentAgain(t *testing.T) {
	sent := 0
	tables := serving(t, Options{}, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"7"`)
		if r.Header.Get("If-None-Match") == `"7"` {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		sent++
		fmt.Fprint(w, people)
	})
	for range 3 {
		if err := tables.pull(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if _, ok := tables.Row("people", []string{"id"}, []point.Value{point.IntOf(1)}); !ok || sent != 1 {
		t.Errorf("sent %d times, there: %v", sent, ok)
	}
}

// trip answers requests without a network, which virtual time could not wait
// for.
type trip func() (status int, body string)

func (f trip) RoundTrip(r *http.Request) (*http.Response, error) {
	status, body := f()
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

func TestRunPullsAtOnceAndOnTheInterval(t *testing.T) {
	faketime.Test(t, func(t *testing.T) {
		var pulls atomic.Int32
		var log strings.Builder
		tables, err := New(Options{
			URL: "http://refer.example/", Interval: time.Minute,
			Log: slog.New(slog.NewTextHandler(&log, nil)),
			Client: &http.Client{Transport: trip(func() (int, string) {
				if pulls.Add(1) == 2 {
					return http.StatusBadGateway, ""
				}
				return http.StatusOK, people
			})},
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- tables.Run(ctx) }()
		for i, want := range []int32{1, 2, 3} {
			synctest.Wait()
			if pulls.Load() != want {
				t.Errorf("after %d minutes: %d pulls, want %d", i, pulls.Load(), want)
			}
			if _, ok := tables.Row("people", []string{"id"}, []point.Value{point.IntOf(1)}); !ok {
				t.Errorf("after %d minutes: the tables are not there", i)
			}
			time.Sleep(time.Minute)
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if !strings.Contains(log.String(), "status 502") || strings.Count(log.String(), "level=WARN") != 1 {
			t.Errorf("log: %s", log.String())
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(people))
	f.Add([]byte(`[{"table_name":"t","column_name":["a"],"column_type":["float"],"row_data":[["NaN"],[null]]}]`))
	f.Fuzz(func(_ *testing.T, body []byte) {
		set, err := parse(strings.NewReader(string(body)), maxCells)
		if err != nil {
			return
		}
		for _, tab := range set {
			for _, row := range tab.rows {
				tab.find(tab.columns, row)
			}
		}
	})
}
