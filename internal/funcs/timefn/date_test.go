package timefn

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"datakit.dev/internal/pipeline/fn"
)

func newRun() *fn.Run {
	r := new(fn.Run)
	r.Start(nil, &fn.Env{Now: func() time.Time { return time.Date(2026, 3, 5, 0, 0, 0, 0, time.UTC) }})
	return r
}

// dates are texts near to the layouts.
func dates() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		l := rapid.SampledFrom(layouts[:]).Draw(t, "layout")
		text := time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "time"), 0).Format(l.form)
		for range rapid.IntRange(0, 3).Draw(t, "changes") {
			at := rapid.IntRange(0, len(text)).Draw(t, "at")
			text = text[:at] + rapid.SampledFrom([]string{"", " ", "  ", "/", "1", "x", "-", "é"}).Draw(t, "put") + text[min(at+rapid.IntRange(0, 2).Draw(t, "cut"), len(text)):]
		}
		return text
	})
}

func TestNoDateIsOfALayoutThatItMayNotBe(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := dates().Draw(t, "text")
		for _, l := range layouts {
			if _, err := time.Parse(l.form, text); err == nil && !l.may(text) {
				t.Fatalf("%q is of the layout %s", text, l.form)
			}
		}
	})
}

// TestFixedDatesAreThoseOfTheirLayouts holds the short way to what package time
// says of the same text.
func TestFixedDatesAreThoseOfTheirLayouts(t *testing.T) {
	forms := []string{"02/Jan/2006:15:04:05 -0700", "2006-01-02 15:04:05", "2006/01/02 15:04:05"}
	zones := []*time.Location{time.UTC, time.FixedZone("", -9000), mustZone(t, "Europe/Kiev")}
	read := 0
	rapid.Check(t, func(t *rapid.T) {
		form, loc := rapid.SampledFrom(forms).Draw(t, "form"), rapid.SampledFrom(zones).Draw(t, "zone")
		at := time.Unix(rapid.Int64Range(32e6, 9.3e9).Draw(t, "time"), 0)
		text := []byte(at.In(rapid.SampledFrom(zones).Draw(t, "its zone")).Format(form))
		for range rapid.IntRange(0, 2).Draw(t, "changes") {
			text[rapid.IntRange(0, len(text)-1).Draw(t, "place")] = rapid.SampledFrom([]byte("0123456789/-+: JF\xff")).Draw(t, "byte")
		}
		n, ok := fixedDate(string(text), loc)
		if !ok {
			return
		}
		read++
		want, err := time.ParseInLocation(form, string(text), loc)
		if form == forms[1] && err != nil {
			want, err = time.ParseInLocation(forms[2], string(text), loc)
		}
		if err != nil || n != want.UnixNano() {
			t.Fatalf("%q in %s: got %d, want %d, %v", text, loc, n, want.UnixNano(), err)
		}
	})
	if read < 20 {
		t.Errorf("only %d dates were read", read)
	}
}

func TestNoFixedDateOfADayThatThereIsNot(t *testing.T) {
	for _, text := range []string{
		"29/Feb/2021:00:00:00 +0000", "31/Apr/2021:00:00:00 +0000", "00/Apr/2021:00:00:00 +0000", "01/Foo/2021:00:00:00 +0000",
		"01/Apr/2021:24:00:00 +0000", "01/Apr/2021:00:60:00 +0000", "01/Apr/2021:00:00:60 +0000", "01/Apr/2021:00:00:00 +2400",
		"01/Apr/2021:00:00:00 +0060", "01/Apr/2021:00:00:00 00000", "01/Apr/1970:00:00:00 +0000", "2021-13-01 00:00:00",
		"2021-02-30 00:00:00", "2021-02/03 00:00:00", "2021-02-03T00:00:00", "2021-02-03 00.00:00", "2500-02-03 00:00:00",
	} {
		if n, ok := fixedDate(text, time.UTC); ok {
			t.Errorf("%q is %s", text, time.Unix(0, n).UTC())
		}
	}
	if n, ok := fixedDate("29/Feb/2024:23:59:59 -0130", time.UTC); !ok || n != time.Date(2024, 3, 1, 1, 29, 59, 0, time.UTC).UnixNano() {
		t.Error(n, ok)
	}
}

func mustZone(t *testing.T, name string) *time.Location {
	t.Helper()
	loc, err := loadZone(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

func TestZonesAreKeptUpToABound(t *testing.T) {
	z := &zones{seen: map[string]*time.Location{}}
	for i := range 40 {
		for _, name := range []string{"Asia%sTokyo", "Asia%sSeoul", "Asia%sDubai", "Asia%sAmman", "Asia%sBaku"} {
			loc, err := z.load(fmt.Sprintf(name, strings.Repeat("/", i+1)))
			if err != nil {
				t.Fatal(err)
			}
			again, err := z.load(fmt.Sprintf(name, strings.Repeat("/", i+1)))
			if err != nil || again.String() != loc.String() {
				t.Fatal(again, err)
			}
		}
	}
	if len(z.seen) != maxZones {
		t.Errorf("%d names are kept, want %d", len(z.seen), maxZones)
	}
}

func TestEveryOffsetHasItsZone(t *testing.T) {
	for name := range offsets {
		if _, err := loadZone(offsets[name]); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzReadDate looks for a text that takes the agent down, or is read as one time
// here and as another the next moment.
func FuzzReadDate(f *testing.F) {
	for _, l := range layouts {
		f.Add(l.form)
	}
	for _, seed := range []string{"", "7", "1638171049.123", "oct 7, 1970", "2014年04月08日", "4:05 PM", "\xff/\xff", "-0001-01-01", "2021-07-20 18:00:00,123", "2021-07-20T18:00:00.123+08:00", "2021-07-20T18:00:00Z", "2021-07-20 18:00:00", "99999999999999999999"} {
		f.Add(seed)
	}
	tokyo, err := loadZone("Asia/Tokyo")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		n, err := readDate(newRun(), text, tokyo)
		m, err2 := readDate(newRun(), text, tokyo)
		if n != m || (err == nil) != (err2 == nil) {
			t.Fatalf("%q is %d, then %d (%v, %v)", text, n, m, err, err2)
		}
		for _, l := range layouts[len(layouts)-2:] { // those that are there for speed alone
			fast, err := time.ParseInLocation(l.form, text, tokyo)
			if err != nil || fast.UnixNano() <= 0 || len(text) > maxText {
				continue
			}
			if slow, err := anyDate(text, tokyo); err != nil || !slow.Equal(fast) {
				t.Fatalf("%q is %v here, and %v, %v to the library", text, fast, slow, err)
			}
		}
		if err == nil && len(text) > maxText {
			t.Fatalf("a text of %d bytes is taken", len(text))
		}
	})
}

func BenchmarkReadDate(b *testing.B) {
	for _, text := range []string{"10/Oct/2000:13:55:36 -0700", "14 May 2019 19:11:40.164", "2021-07-20T18:00:00.123+08:00", "2021-07-20 18:00:00"} {
		b.Run(text, func(b *testing.B) {
			r := newRun()
			b.ReportAllocs()
			for b.Loop() {
				if _, err := readDate(r, text, time.UTC); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// slowly reads a date without any of our short ways: the forms of the field that
// the library does not read, one after the other, and then the library.
func slowly(text string, loc *time.Location) (int64, error) {
	for _, l := range layouts {
		if l.zulu > 0 {
			break // from here on the library reads them as well
		}
		of := text
		if l.yearless {
			of += " 2026"
		}
		if t, err := time.ParseInLocation(l.form, of, loc); err == nil {
			if t.UnixNano() > 0 {
				return t.UnixNano(), nil
			}
			break
		}
	}
	t, err := anyDate(text, loc)
	return t.UnixNano(), err
}

// TestShortWaysReadWhatTheLibraryReads holds every short way against the library,
// which has ways of its own: of 03:00:00.5Z it takes the Z for a letter.
func TestShortWaysReadWhatTheLibraryReads(t *testing.T) {
	zones := []*time.Location{time.UTC, time.FixedZone("", -9000), mustZone(t, "Europe/Kiev"), mustZone(t, "Asia/Shanghai")}
	forms := []string{
		time.RFC3339, time.RFC3339Nano, time.RFC1123, time.RFC850, time.ANSIC, time.UnixDate, time.RubyDate, time.Stamp,
		"2006-01-02 15:04:05.000", "2006-01-02 15:04:05,000", "2006-01-02T15:04:05.000000Z", "2006-01-02T15:04:05,123+08:00",
		"2006-01-02", "2006/01/02 15:04", "1/2/2006 15:04:05", "20060102150405", "2006-01-02 15:04:05 -0700 MST", "2006-01-02T15:04:05",
	}
	rapid.Check(t, func(t *rapid.T) {
		text := dates().Draw(t, "text")
		if rapid.Bool().Draw(t, "of another form") {
			at := time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "time"), rapid.Int64Range(0, 999_999_999).Draw(t, "ns"))
			text = at.In(rapid.SampledFrom(zones).Draw(t, "its zone")).Format(rapid.SampledFrom(forms).Draw(t, "form"))
			for range rapid.IntRange(0, 2).Draw(t, "changes") {
				at := rapid.IntRange(0, len(text)).Draw(t, "at")
				text = text[:at] + rapid.SampledFrom([]string{"", " ", "0", "/", "9", "-", ",", ".", "Z"}).Draw(t, "put") + text[at:]
			}
		}
		loc := rapid.SampledFrom(zones).Draw(t, "zone")
		want, wantErr := slowly(text, loc)
		got, err := readDate(newRun(), text, loc)
		if (err == nil) != (wantErr == nil) || err == nil && got != want {
			t.Fatalf("%q in %s: got %d, %v, want %d, %v", text, loc, got, err, want, wantErr)
		}
	})
}
