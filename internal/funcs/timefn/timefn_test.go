package timefn_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"datakit.dev/internal/funcs/timefn"
	"datakit.dev/internal/pipeline"
	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/point"
)

// noon is what the clock of these tests says: a Thursday.
var noon = time.Date(2026, time.March, 5, 12, 0, 30, 0, time.UTC)

type fatal interface {
	Helper()
	Fatal(args ...any)
}

// run runs script on a point with one field at noon, and returns the field, the
// point and the error.
func run(t fatal, script, key string, v point.Value) (point.Value, point.Point, error) {
	t.Helper()
	funcs, err := fn.NewTable(timefn.Functions())
	if err != nil {
		t.Fatal(err)
	}
	program, errs := pipeline.Compile("test.p", script, pipeline.Options{Funcs: funcs})
	if errs != nil {
		t.Fatal(errs)
	}
	p := point.New("m", 4)
	p.Time = 77
	if v.Kind() != point.Nil {
		p.Set(key, v)
	}
	_, err = program.Run(&p, &pipeline.Env{Now: func() time.Time { return noon }})
	got, _ := p.Field(key)
	return got, p, err
}

func text(s string) point.Value { return point.StringOf(s) }

func TestDefaultTimeReadsTheDatesOfLogs(t *testing.T) {
	for _, c := range []struct {
		script, date string
		want         time.Time
	}{
		{`default_time(k)`, "2021-07-20T18:00:00.123+08:00", time.Date(2021, 7, 20, 10, 0, 0, 123e6, time.UTC)},
		{`default_time(k)`, "02/Jan/2006:15:04:05 -0700", time.Date(2006, 1, 2, 22, 4, 5, 0, time.UTC)},
		{`default_time(k, "")`, "14 May 2019 19:11:40.164", time.Date(2019, 5, 14, 19, 11, 40, 164e6, time.UTC)},
		{`default_time(k)`, "14 May 19:11:40.164", time.Date(2026, 5, 14, 19, 11, 40, 164e6, time.UTC)},
		{`default_time(k, "+8")`, "171113 14:14:20", time.Date(2017, 11, 13, 6, 14, 20, 0, time.UTC)},
		{`default_time(k, "-3:30")`, "2021/02/27 - 14:14:20", time.Date(2021, 2, 27, 17, 44, 20, 0, time.UTC)},
		{`default_time(k)`, "Tue May 18 06:25:05.176170 2021", time.Date(2021, 5, 18, 6, 25, 5, 176170e3, time.UTC)},
		{`default_time(k, "Asia/Tokyo")`, "2021-05-27 06:54:14.760 UTC", time.Date(2021, 5, 26, 21, 54, 14, 760e6, time.UTC)},
		{`default_time(k, "America/New_York")`, "May 8, 2009 5:57:51 PM", time.Date(2009, 5, 8, 21, 57, 51, 0, time.UTC)},
		{`default_time(k, "+8")`, "2021-07-20T18:00:00Z", time.Date(2021, 7, 20, 18, 0, 0, 0, time.UTC)},
		{`default_time(k, "+8")`, "2021-07-20T18:00:00.123Z", time.Date(2021, 7, 20, 10, 0, 0, 123e6, time.UTC)}, // the library takes no notice of Z here
		{`default_time(k)`, "1638171049123", time.UnixMilli(1638171049123)},
		{`default_time(k)`, "060102 15:04:05", time.Date(2006, 1, 2, 15, 4, 5, 0, time.UTC)},
		{`default_time_with_fmt(k, "2006-01-02 15", "Asia/Shanghai")`, "2021-07-20 18", time.Date(2021, 7, 20, 10, 0, 0, 0, time.UTC)},
		{`default_time_with_fmt(k, "02 Jan 06")`, "20 Jul 21", time.Date(2021, 7, 20, 0, 0, 0, 0, time.UTC)},
		{`default_time_with_fmt(k, "02 Jan 06", "Local")`, "20 Jul 21", time.Date(2021, 7, 20, 0, 0, 0, 0, time.UTC)},
	} {
		got, p, err := run(t, c.script, "k", text(c.date))
		if err != nil || got.Int() != c.want.UnixNano() {
			t.Errorf("%s of %q: %v, want %d (%v), error %v", c.script, c.date, p.Fields, c.want.UnixNano(), c.want, err)
		}
	}
}

func TestWhatIsNoDateIsTheTimeOfThePoint(t *testing.T) {
	for script, date := range map[string]string{
		`default_time(k)`:               "garbage",
		`default_time(k, "Nowhere")`:    "2021-07-20 18:00:00",
		`default_time(k, "../passwd")`:  "2021-07-20 18:00:00",
		`default_time(k, "+99")`:        "2021-07-20 18:00:00",
		`default_time(k, "+8", "more")`: strings.Repeat("1", 10<<20),
	} {
		got, p, err := run(t, script, "k", text(date))
		msg, _ := p.Field("pl_msg")
		if err != nil || got.Int() != 77 || !strings.HasPrefix(msg.Text(), "time convert failed: ") || len(msg.Text()) > 512 {
			t.Errorf("%s of %.40q: %v, message %.600q, error %v", script, date, got, msg.Text(), err)
		}
	}
	if _, p, err := run(t, `default_time(k)`, "k", point.NilOf()); err != nil || len(p.Fields) != 0 {
		t.Errorf("a key that is missing became %v, %v", p.Fields, err)
	}
}

func TestWhatIsNotOfTheLayoutIsLeftAlone(t *testing.T) {
	for script, in := range map[string]point.Value{
		`default_time_with_fmt(k, "2006")`:            text("20"),
		`default_time_with_fmt(k, "2006", "Nowhere")`: text("2006"),
		`default_time_with_fmt(k, "15:04")`:           text(strings.Repeat("1", 10<<20)),
		`parse_duration(k)`:                           text("1d"),
		`parse_duration(k) `:                          text(strings.Repeat("1", 10<<20)),
		` parse_duration(k)`:                          point.FloatOf(1.5),
		`duration_precision(k, "weeks", "s")`:         point.IntOf(5),
	} {
		if got, p, err := run(t, script, "k", in); err != nil || !got.Equal(in) || len(p.Fields) != 1 {
			t.Errorf("%s: %.40v became %.40v, error %v", script, in, got, err)
		}
	}
}

func TestEveryMomentCanBeWrittenAndReadBack(t *testing.T) {
	zones := rapid.SampledFrom([]string{"UTC", "Asia/Kolkata", "America/St_Johns", "Pacific/Apia"})
	forms := rapid.SampledFrom([]string{"RFC3339Nano", "%Y-%m-%dT%H:%M:%S.%f%z", "RFC1123Z", "RFC3339"})
	rapid.Check(t, func(t *rapid.T) {
		form, unit := forms.Draw(t, "form"), int64(time.Second)
		precision := "s"
		if strings.Contains(form, "f") || form == "RFC3339Nano" {
			unit, precision = int64(time.Microsecond), "us"
		}
		n := rapid.Int64Range(86400*1e9/unit, 4e9*1e9/unit).Draw(t, "time")
		script := fmt.Sprintf("datetime(k, %q, %q, %q)\ndefault_time(k)", precision, form, zones.Draw(t, "zone"))
		got, _, err := run(t, script, "k", point.IntOf(n))
		if err != nil || got.Int() != n*unit {
			t.Fatalf("%s: %d became %v, %v", script, n*unit, got, err)
		}
	})
}

func TestDatetimeTakesNumbersOfAnyKind(t *testing.T) {
	for _, c := range []struct {
		in   point.Value
		want string
	}{
		{point.IntOf(90), "1970-01-01T00:01:30Z"},
		{point.FloatOf(90.9), "1970-01-01T00:01:30Z"},
		{text("90"), "1970-01-01T00:01:30Z"},
		{text("soon"), "1970-01-01T00:00:00Z"},
		{point.BoolOf(true), "1970-01-01T00:00:01Z"},
	} {
		if got, _, err := run(t, `datetime(k, "s", "RFC3339")`, "k", c.in); err != nil || got.Text() != c.want {
			t.Errorf("%v: %v, want %s, %v", c.in, got, c.want, err)
		}
	}
	if _, p, err := run(t, `datetime(k, "s", "RFC3339", "Nowhere")`, "k", point.NilOf()); err != nil || len(p.Fields) > 0 {
		t.Errorf("a zone that nothing is written in: %v", err)
	}
	if _, _, err := run(t, `datetime(k, "s", "RFC3339", "Nowhere")`, "k", point.IntOf(1)); err == nil {
		t.Error("a bad zone is not told")
	}
}

func TestParseDate(t *testing.T) {
	utc := func(year int, month time.Month, day, hour, minute, sec, nsec int) time.Time {
		return time.Date(year, month, day, hour, minute, sec, nsec, time.UTC)
	}
	for args, want := range map[string]time.Time{
		``:                              utc(2026, 3, 5, 12, 0, 0, 0),
		`, yy="21", MM="Feb"`:           utc(2021, 2, 5, 12, 0, 0, 0),
		`, "1999", "september"`:         utc(1999, 9, 5, 12, 0, 0, 0),
		`, MM="12", dd="31", hh="0"`:    utc(2026, 12, 31, 0, 0, 0, 0),
		`, mm="59", ss="59"`:            utc(2026, 3, 5, 12, 59, 59, 0),
		`, ms="1", us="2", ns="3"`:      utc(2026, 3, 5, 12, 0, 0, 1_002_003),
		`, ms="1000"`:                   utc(2026, 3, 5, 12, 0, 1, 0),
		`, yy="x", dd=7, hh=[], mm=nil`: utc(2026, 3, 5, 12, 0, 0, 0),
		`, zone="+8"`:                   utc(2026, 3, 5, 4, 0, 0, 0),
		`, zone="CST"`:                  utc(2026, 3, 5, 4, 0, 0, 0),
		`, zone="Local"`:                utc(2026, 3, 5, 12, 0, 0, 0),
		`, hh=zz / 2`:                   utc(2026, 3, 5, 12, 0, 0, 0), // an argument that cannot be computed
	} {
		got, _, err := run(t, `parse_date(k`+args+`)`, "k", point.NilOf())
		if err != nil || got.Int() != want.UnixNano() {
			t.Errorf("parse_date(k%s): %v, want %v, error %v", args, time.Unix(0, got.Int()).UTC(), want, err)
		}
	}
	for _, call := range []string{
		`k, yy="-1"`, `k, MM="0"`, `k, MM="13"`, `k, MM="foo"`, `k, MM="sept"`, `k, dd="0"`, `k, dd="32"`, `k, hh="24"`, `k, mm="60"`,
		`k, ss="60"`, `k, ss="-1"`, `k, zone="Nowhere"`, `k, zone="../../etc/passwd"`, `5`, ``,
	} {
		if got, _, err := run(t, `parse_date(`+call+`)`, "k", point.NilOf()); err == nil || errors.Is(err, pipeline.ErrPanic) {
			t.Errorf("parse_date(%s) gave %v, error %v", call, got, err)
		}
	}
}

func TestZonesThatAreNotThereEndTheScript(t *testing.T) {
	_, _, err := run(t, `for ;; { parse_date(k, zone=k) }`, "k", text("Atlantis/Nowhere"))
	if err == nil {
		t.Error("no error")
	}
	for _, zone := range []string{strings.Repeat("A", 10<<20), "\x00", "/etc/passwd", `\\host\share`} {
		if _, _, err := run(t, `parse_date(k, zone=k)`, "k", text(zone)); err == nil || errors.Is(err, pipeline.ErrPanic) || len(err.Error()) > 500 {
			t.Errorf("zone %.20q: error %.600v", zone, err)
		}
	}
}

func TestDurations(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := time.Duration(rapid.Int64().Draw(t, "duration"))
		if got, _, err := run(t, `parse_duration(k)`, "k", text(d.String())); err != nil || got.Int() != int64(d) {
			t.Fatalf("%s became %v, %v", d, got, err)
		}
		units := rapid.SampledFrom([]string{"s", "ms", "us", "ns", "NS", "Ms"})
		a, b := units.Draw(t, "from"), units.Draw(t, "to")
		n := rapid.Int64Range(-9e9, 9e9).Draw(t, "n")
		script := fmt.Sprintf("duration_precision(k, %q, %q)\nduration_precision(k, %q, %q)", a, b, b, a)
		got, _, err := run(t, script, "k", point.IntOf(n))
		if err != nil || (got.Int() != n && got.Int() > max(n, 0)) {
			t.Fatalf("%s: %d became %v, %v", script, n, got, err)
		}
	})
	for _, call := range []string{`k, "s"`, `k, "s", "ms", "us"`, ``, `k, 1, "s"`, `k, "s", ms`, `5, "s", "ms"`, `missing, "s", "ms"`} {
		if _, _, err := run(t, `duration_precision(`+call+`)`, "k", point.IntOf(1)); err == nil {
			t.Errorf("duration_precision(%s) is taken", call)
		}
	}
	if _, _, err := run(t, `duration_precision(k, "s", "ms")`, "k", text("1")); err == nil {
		t.Error("a duration that is a string is taken")
	}
}

func TestAdjustTimezoneMovesIntoTheHourBeforeNow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64Range(0, 4e18).Draw(t, "time")
		got, _, err := run(t, `adjust_timezone(k)`, "k", point.IntOf(n))
		if err != nil {
			t.Fatal(err)
		}
		late := noon.UnixNano() - got.Int()
		if late < -int64(2*time.Minute) || late >= int64(time.Hour-2*time.Minute) {
			t.Fatalf("%d was moved to %v before now", n, time.Duration(late))
		}
		if (got.Int()-n)%int64(time.Hour) != 0 {
			t.Fatalf("%d was moved by %v", n, time.Duration(got.Int()-n))
		}
	})
	if _, _, err := run(t, `adjust_timezone(k)`, "k", text("1")); err == nil {
		t.Error("a time that is a string is taken")
	}
	if _, _, err := run(t, `adjust_timezone(missing)`, "k", text("1")); err != nil {
		t.Error(err)
	}
}

func TestTimestampIsTheClockOfTheRun(t *testing.T) {
	for arg, want := range map[string]int64{
		``: noon.UnixNano(), `"s"`: noon.Unix(), `"ms"`: noon.UnixMilli(), `precision="us"`: noon.UnixMicro(), `"ns"`: noon.UnixNano(),
		`5`: noon.UnixNano(),
	} {
		got, _, err := run(t, `duration = timestamp(`+arg+`)
parse_date(k)
if duration == `+fmt.Sprint(want)+` { parse_duration(d) } else { parse_date(k, MM="no") }`, "k", point.NilOf())
		if err != nil {
			t.Errorf("timestamp(%s) is not %d: %v, %v", arg, want, got, err)
		}
	}
}

func TestCallsThatCannotBeRightAreRefused(t *testing.T) {
	funcs, err := fn.NewTable(timefn.Functions())
	if err != nil {
		t.Fatal(err)
	}
	for _, script := range []string{
		`default_time()`, `default_time(5)`, `default_time(k, zone)`, `default_time_with_fmt(k)`, `default_time_with_fmt("k", "2006")`,
		`default_time_with_fmt(k, "2006", 8)`, `datetime(k, "s")`, `datetime(k, s, "RFC3339")`, `datetime(k, "s", "RFC3339", 8)`,
		`datetime(1, "s", "RFC3339")`, `timestamp(1, 2)`, `parse_duration()`, `parse_duration(1)`, `adjust_timezone(k, 3)`,
		`adjust_timezone(3)`, `parse_date(k, year="1")`,
	} {
		if _, errs := pipeline.Compile("test.p", script, pipeline.Options{Funcs: funcs}); errs == nil {
			t.Errorf("%s is taken", script)
		}
	}
}
