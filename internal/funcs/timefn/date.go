package timefn

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/araddon/dateparse"

	"datakit.dev/internal/pipeline/fn"
)

// A layout is a form of date that logs use and that the library does not read, or
// reads as something else, or slowly. A text can only be of it with sep at the place at:
// looking there costs nothing, and a failed parse an error.
type layout struct {
	form     string
	at       int
	sep      byte
	last     byte // of the text; 0: any
	yearless bool // the form ends in the year, the text has none
	zulu     int  // the length of the text where it ends in Z; 0: any
}

var layouts = [...]layout{ //nolint:gochecknoglobals // a table, never written
	{form: "02/Jan/2006:15:04:05 -0700", at: 2, sep: '/'},                       // nginx
	{form: "02 Jan 2006 15:04:05.000", at: 2, sep: ' '},                         // redis
	{form: "02 Jan 15:04:05.000 2006", at: 2, sep: ' ', yearless: true},         // redis
	{form: "060102 15:04:05", at: 6, sep: ' '},                                  // mysql
	{form: "2006/01/02 - 15:04:05", at: 4, sep: '/'},                            // gin
	{form: "Mon Jan 2 15:04:05.000000 2006", at: len("Mon"), sep: ' '},          // apache
	{form: "2006-01-02 15:04:05.000 UTC", at: len("2006"), sep: '-', last: 'C'}, // postgresql, in the zone of the script
	// The library reads these as well, in four times the time. With a part of a
	// second it takes Z for a letter, and the time for one in the zone of the script.
	{form: "2006-01-02T15:04:05Z07:00", at: len("2006-01-02"), sep: 'T', zulu: len("2006-01-02T15:04:05Z")},
	{form: "2006-01-02 15:04:05", at: len("2006-01-02"), sep: ' '},
}

func (l layout) may(text string) bool {
	if len(text) <= l.at || text[l.at] != l.sep {
		return false
	}
	last := text[len(text)-1]
	return (l.last == 0 || l.last == last) && (l.zulu == 0 || last != 'Z' || l.zulu == len(text))
}

// maxText bounds a text that is read as a date.
const maxText = 256

var errLong = errors.New("the text is too long for a date")

// readDate returns the nanoseconds since 1970 of a date in any usual form; one
// without a zone is in loc.
func readDate(r *fn.Run, text string, loc *time.Location) (int64, error) {
	if len(text) > maxText {
		return 0, errLong
	}
	if n, ok := fixedDate(text, loc); ok {
		return n, nil
	}
	for _, l := range layouts {
		if !l.may(text) {
			continue
		}
		if l.yearless {
			text += " " + strconv.Itoa(r.Now().In(r.Location()).Year())
		}
		t, err := time.ParseInLocation(l.form, text, loc)
		if l.yearless {
			text = text[:len(text)-len(" 2006")]
		}
		if err != nil {
			continue
		}
		if n := t.UnixNano(); n > 0 {
			return n, nil
		}
		break // before 1970: the library decides
	}
	t, err := anyDate(text, loc)
	return t.UnixNano(), err
}

// anyDate reads a date with the library, which has texts that make it panic.
func anyDate(text string, loc *time.Location) (t time.Time, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("no date: %.64q", text)
		}
	}()
	return dateparse.ParseIn(text, loc)
}
