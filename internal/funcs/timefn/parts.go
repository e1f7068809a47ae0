package timefn

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/point"
)

func parseDate() fn.Func {
	params := []fn.Param{{Name: "key", Optional: true}}
	for _, name := range []string{"yy", "MM", "dd", "hh", "mm", "ss", "ms", "us", "ns", "zone"} {
		params = append(params, fn.Param{Name: name, Optional: true})
	}
	return fn.Func{
		Name:   "parse_date",
		Params: params,
		Match:  fn.ByName,
		Doc: fn.Text{
			En: "Puts a date together from strings and writes its nanoseconds since 1970 to key. What is left out, empty or no number " +
				"is that of now, or 0 from the seconds down. A month may be a name; a year below 100 is of this century; the zone is UTC " +
				"unless given. A part out of its range aborts the script.",
			Zh: "由多个字符串拼成日期，并将其自 1970 年以来的纳秒数写入 key。省略、为空或非数字的部分取当前时间，秒及以下取 0。" +
				"月份可为英文名；小于 100 的年份视为本世纪；默认时区为 UTC。某部分超出范围时脚本中止。",
		},
		Examples: []fn.Example{{
			Script: `parse_date(at, yy="2021", MM="jan", dd="30", hh="23", mm="59", ss="58", zone="+8")`,
			Out:    map[string]any{"at": int64(1612022398000000000)},
		}},
		Bind: bindParseDate,
	}
}

// The parameters of parse_date.
const (
	partKey = iota
	partYear
	partMonth
	partDay
	partHour
	partMinute
	partSecond
	partMilli
	partMicro
	partNano
	partZone
)

// A datePart is a part of a date that is a number: what it is when not given,
// and its range.
type datePart struct {
	name      string
	index     int
	otherwise func(now time.Time) int
	low, high int64
}

func none(time.Time) int { return 0 }

func dateParts() []datePart {
	return []datePart{
		{"day", partDay, time.Time.Day, 1, 31},
		{"hour", partHour, time.Time.Hour, 0, 23},
		{"minute", partMinute, time.Time.Minute, 0, 59},
		{"second", partSecond, none, 0, 59},
		{"millisecond", partMilli, none, -1 << 63, 1<<63 - 1},
		{"microsecond", partMicro, none, -1 << 63, 1<<63 - 1},
		{"nanosecond", partNano, none, -1 << 63, 1<<63 - 1},
	}
}

func bindParseDate(c *fn.Call) (fn.Eval, error) {
	d := date{call: c, parts: dateParts(), zones: sharedZones(c)}
	if !c.Has(partKey) {
		return func(*fn.Run) (point.Value, error) {
			return point.NilOf(), errors.New("parse_date: the key is missing")
		}, nil
	}
	key, err := c.Key(partKey)
	if err != nil {
		return func(*fn.Run) (point.Value, error) { return point.NilOf(), err }, nil //nolint:nilerr // it is one of the run
	}
	return func(r *fn.Run) (point.Value, error) {
		t, err := d.time(r)
		if err == nil {
			r.Store(key.Name, point.IntOf(t.UnixNano()))
		}
		return point.NilOf(), err
	}, nil
}

// A date is a call of parse_date.
type date struct {
	call  *fn.Call
	parts []datePart
	zones *zones
}

func (d *date) time(r *fn.Run) (time.Time, error) {
	now := r.Now().In(r.Location())
	year, err := d.year(r, now)
	if err != nil {
		return now, err
	}
	month, err := d.month(r, now)
	if err != nil {
		return now, err
	}
	var n [partZone]int
	for _, part := range d.parts {
		if n[part.index], err = d.number(r, part, now); err != nil {
			return now, err
		}
	}
	zone, err := d.zone(r)
	if err != nil {
		return now, err
	}
	nanos := n[partMilli]*1_000_000 + n[partMicro]*1_000 + n[partNano]
	return time.Date(year, month, n[partDay], n[partHour], n[partMinute], n[partSecond], nanos, zone), nil
}

// text returns argument i where it is a string. One that cannot be computed
// counts as left out.
func (d *date) text(r *fn.Run, i int) (string, error) {
	if !d.call.Has(i) {
		return "", nil
	}
	v, err := d.call.Args[i].Eval(r)
	switch {
	case fn.IsLimit(err):
		return "", err
	case err != nil:
		return "", nil //nolint:nilerr // as users know it
	}
	return v.Text(), nil
}

func (d *date) integer(r *fn.Run, i int) (n int64, given bool, err error) {
	text, err := d.text(r, i)
	if err != nil {
		return 0, false, err
	}
	if len(text) > maxText {
		return 0, false, nil
	}
	n, failed := strconv.ParseInt(text, 10, 64)
	return n, failed == nil, nil
}

func (d *date) year(r *fn.Run, now time.Time) (int, error) {
	const century = 100
	n, given, err := d.integer(r, partYear)
	switch {
	case err != nil:
		return 0, err
	case !given:
		return now.Year(), nil
	case n < 0:
		return 0, d.call.Errorf(partYear, "the year must not be negative, got %d", n)
	case n < century:
		return now.Year()/century*century + int(n), nil
	}
	return int(n), nil
}

func (d *date) month(r *fn.Run, now time.Time) (time.Month, error) {
	text, err := d.text(r, partMonth)
	if err != nil || text == "" {
		return now.Month(), err
	}
	if n, err := strconv.ParseInt(text[:min(len(text), maxText)], 10, 64); err == nil {
		if n < 1 || n > 12 {
			return 0, d.call.Errorf(partMonth, "the month must be from 1 to 12, got %d", n)
		}
		return time.Month(n), nil
	}
	for m := time.January; m <= time.December; m++ {
		name := m.String()
		if strings.EqualFold(text, name) || strings.EqualFold(text, name[:3]) {
			return m, nil
		}
	}
	return 0, d.call.Errorf(partMonth, "unknown month %.32q", text)
}

func (d *date) number(r *fn.Run, part datePart, now time.Time) (int, error) {
	n, given, err := d.integer(r, part.index)
	if err != nil || !given {
		return part.otherwise(now), err
	}
	if n < part.low || n > part.high {
		return 0, d.call.Errorf(part.index, "the %s must be from %d to %d, got %d", part.name, part.low, part.high, n)
	}
	return int(n), nil
}

// zoneSteps is what looking for a zone that there is not is charged.
const zoneSteps = 500

func (d *date) zone(r *fn.Run) (*time.Location, error) {
	name, err := d.text(r, partZone)
	if err != nil || name == "" {
		return time.UTC, err
	}
	loc, err := d.zones.load(name)
	if err != nil {
		if over := r.Step(zoneSteps); over != nil {
			return nil, over
		}
		return nil, d.call.Errorf(partZone, "unknown time zone %.64q", name)
	}
	return zoneOr(r, loc), nil
}
