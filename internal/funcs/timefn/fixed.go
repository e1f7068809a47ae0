package timefn

import "time"

// fixedDate reads the two forms of date that nearly all web servers write, whose
// parts lie in fixed places: 02/Jan/2006:15:04:05 -0700, and 2006-01-02 15:04:05
// with - or /. It takes a fifth of the time of package time, and leaves to it
// whatever is not exactly so.
func fixedDate(text string, loc *time.Location) (int64, bool) {
	switch len(text) {
	case len("02/Jan/2006:15:04:05 -0700"):
		return webDate(text)
	case len("2006-01-02 15:04:05"):
		return plainDate(text, loc)
	}
	return 0, false
}

func webDate(s string) (int64, bool) {
	if s[2] != '/' || s[6] != '/' || s[11] != ':' || s[20] != ' ' {
		return 0, false
	}
	d := digits{s: s, good: true}
	year, day := 100*d.two(7)+d.two(9), d.two(0)
	offset := 60*d.two(22) + d.two(24)
	switch {
	case s[21] == '-':
		offset = -offset
	case s[21] != '+':
		return 0, false
	}
	if d.two(22) > 23 || d.two(24) > 59 {
		return 0, false
	}
	n, ok := d.date(year, monthOf(s[3:6]), day, s[12:], time.UTC)
	return n - int64(offset)*int64(time.Minute), ok
}

func plainDate(s string, loc *time.Location) (int64, bool) {
	if s[4] != '-' && s[4] != '/' || s[7] != s[4] || s[10] != ' ' {
		return 0, false
	}
	d := digits{s: s, good: true}
	year, month, day := 100*d.two(0)+d.two(2), d.two(5), d.two(8)
	return d.date(year, time.Month(month), day, s[11:], loc)
}

// digits reads numbers of two digits, and remembers whether all were.
type digits struct {
	s    string
	good bool
}

func (d *digits) two(i int) int {
	tens, ones := d.s[i]-'0', d.s[i+1]-'0'
	d.good = d.good && tens <= 9 && ones <= 9
	return int(tens)*10 + int(ones)
}

// date returns the nanoseconds of a day and a clock, 15:04:05. Years that would
// not fit are left to others.
func (d *digits) date(year int, month time.Month, day int, clock string, loc *time.Location) (int64, bool) {
	if clock[2] != ':' || clock[5] != ':' {
		return 0, false
	}
	c := digits{s: clock, good: d.good}
	hour, minute, second := c.two(0), c.two(3), c.two(6)
	if !c.good || year <= 1970 || year >= 2262 || month < time.January || month > time.December ||
		day < 1 || hour > 23 || minute > 59 || second > 59 {
		return 0, false
	}
	if day > 28 && day > time.Date(year, month+1, 0, 0, 0, 0, 0, time.UTC).Day() {
		return 0, false // no such day in the month
	}
	return time.Date(year, month, day, hour, minute, second, 0, loc).UnixNano(), true
}

// monthOf returns the month of its English abbreviation, 0 for none.
func monthOf(name string) time.Month {
	switch name {
	case "Jan":
		return time.January
	case "Feb":
		return time.February
	case "Mar":
		return time.March
	case "Apr":
		return time.April
	case "May":
		return time.May
	case "Jun":
		return time.June
	case "Jul":
		return time.July
	case "Aug":
		return time.August
	case "Sep":
		return time.September
	case "Oct":
		return time.October
	case "Nov":
		return time.November
	case "Dec":
		return time.December
	}
	return 0
}
