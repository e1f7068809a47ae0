package geoip_test

import (
	"bytes"
	"errors"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"github.com/maxmind/mmdbwriter"
	"github.com/maxmind/mmdbwriter/mmdbtype"

	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/pipeline/geoip"
)

func en(name string) mmdbtype.Map {
	return mmdbtype.Map{"names": mmdbtype.Map{"en": mmdbtype.String(name), "de": mmdbtype.String("?")}}
}

// database returns a database of networks.
func database(t testing.TB, kind string, networks map[string]mmdbtype.Map) []byte {
	t.Helper()
	tree, err := mmdbwriter.New(mmdbwriter.Options{DatabaseType: kind, IncludeReservedNetworks: true})
	if err != nil {
		t.Fatal(err)
	}
	for text, record := range networks {
		p := netip.MustParsePrefix(text)
		network := &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
		if err := tree.Insert(network, record); err != nil {
			t.Fatal(err)
		}
	}
	var b bytes.Buffer
	if _, err := tree.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func cities(t testing.TB) []byte {
	return database(t, "GeoLite2-City", map[string]mmdbtype.Map{
		"1.2.4.0/24":    {"country": en("Australia"), "subdivisions": mmdbtype.Slice{en("Queensland"), en("X")}, "city": en("Brisbane")},
		"81.2.69.0/24":  {"country": en("United Kingdom")},
		"2001:218::/32": {"country": en("Japan"), "city": en("")},
		"5.5.5.0/24":    {"country": mmdbtype.String("no map"), "subdivisions": mmdbtype.Slice{}},
	})
}

func write(t testing.TB, content []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "db.mmdb")
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestPlace(t *testing.T) {
	const unknown = "unknown"
	nowhere := fn.Place{Country: unknown, Province: unknown, City: unknown, ISP: unknown}
	asn := database(t, "GeoLite2-ASN", map[string]mmdbtype.Map{
		"1.2.4.0/24": {"autonomous_system_organization": mmdbtype.String("APNIC")},
		"9.9.9.0/24": {"autonomous_system_organization": mmdbtype.String("Org"), "isp": mmdbtype.String("Isp")},
	})
	d, err := geoip.Open(geoip.Options{City: write(t, cities(t)), ISP: write(t, asn)})
	if err != nil {
		t.Fatal(err)
	}
	for ip, want := range map[string]fn.Place{
		"1.2.4.8":            {Country: "Australia", Province: "Queensland", City: "Brisbane", ISP: "APNIC"},
		"::ffff:1.2.4.8":     {Country: "Australia", Province: "Queensland", City: "Brisbane", ISP: "APNIC"},
		"81.2.69.1":          {Country: "United Kingdom", Province: unknown, City: unknown, ISP: unknown},
		"2001:218::1":        {Country: "Japan", Province: unknown, City: unknown, ISP: unknown},
		"2001:218::1%eth0":   {Country: "Japan", Province: unknown, City: unknown, ISP: unknown},
		"9.9.9.9":            {Country: unknown, Province: unknown, City: unknown, ISP: "Isp"},
		"5.5.5.5":            nowhere, // a record of another shape
		"127.0.0.1":          nowhere,
		"":                   nowhere,
		"1.2.4":              nowhere,
		"1.2.4.8, 10.0.0.1":  nowhere,
		"\x00\xff 1.2.4.8\n": nowhere,
	} {
		if got := d.Place(ip); got != want {
			t.Errorf("%q: got %+v, want %+v", ip, got, want)
		}
	}
	only, err := geoip.Open(geoip.Options{ISP: write(t, asn)})
	if err != nil {
		t.Fatal(err)
	}
	if got := only.Place("1.2.4.8"); got != (fn.Place{Country: unknown, Province: unknown, City: unknown, ISP: "APNIC"}) {
		t.Errorf("without a database of places: %+v", got)
	}
}

func TestAFileMayBeOverwrittenWhileItIsOpen(t *testing.T) {
	file := write(t, cities(t))
	d, err := geoip.Open(geoip.Options{City: file})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(file, 0); err != nil {
		t.Fatal(err)
	}
	if got := d.Place("1.2.4.8"); got.City != "Brisbane" {
		t.Errorf("got %+v", got)
	}
}

func TestFilesThatAreNotOpened(t *testing.T) {
	if _, err := geoip.Open(geoip.Options{}); !errors.Is(err, geoip.ErrNone) {
		t.Errorf("no file: %v", err)
	}
	if _, err := geoip.Open(geoip.Options{City: filepath.Join(t.TempDir(), "nope")}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
	good := write(t, cities(t))
	if _, err := geoip.Open(geoip.Options{City: good, MaxBytes: 100}); !errors.Is(err, geoip.ErrSize) {
		t.Errorf("a large file: %v", err)
	}
	for _, content := range []string{"", "not a database", "\xab\xcd\xefMaxMind.com", "\xab\xcd\xefMaxMind.com\xe1\x42"} {
		if _, err := geoip.Open(geoip.Options{City: good, ISP: write(t, []byte(content))}); err == nil {
			t.Errorf("%q is taken", content)
		}
	}
}

// Whatever is in a file, and whatever is asked: no panic.
func FuzzDatabase(f *testing.F) {
	good := cities(f)
	f.Add(good, "1.2.4.8")
	for i := 0; i < len(good); i += len(good) / 40 {
		broken := bytes.Clone(good)
		broken[i] ^= 0xff
		f.Add(broken, "1.2.4.8")
	}
	f.Fuzz(func(t *testing.T, content []byte, ip string) {
		d, err := geoip.Open(geoip.Options{City: write(t, content)})
		if err != nil {
			return
		}
		d.Place(ip)
		d.Place("1.2.4.8")
		d.Place("2001:218::1")
	})
}

func BenchmarkPlace(b *testing.B) {
	d, err := geoip.Open(geoip.Options{City: write(b, cities(b))})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		d.Place("1.2.4.8")
	}
}
