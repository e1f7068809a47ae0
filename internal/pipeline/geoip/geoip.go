// Package geoip tells where IP addresses are, by databases in MaxMind's format
// (GeoLite2, GeoIP2, DB-IP and others).
package geoip

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"

	"github.com/oschwald/maxminddb-golang/v2"

	"datakit.dev/internal/pipeline/fn"
)

// Options name the files of the databases. At least one is needed.
type Options struct {
	City     string // places: GeoLite2-City.mmdb
	ISP      string // whose network it is: GeoIP2-ISP.mmdb or GeoLite2-ASN.mmdb
	MaxBytes int64  // of a file; 0: 256 MiB
}

// DefaultMaxBytes is four times the size of the largest free database.
const DefaultMaxBytes = 256 << 20

// unknown is what is not in the databases.
const unknown = "unknown"

// The reasons for a database that is not opened.
var (
	ErrNone = errors.New("no geoip database is named")
	ErrSize = errors.New("the geoip database is too large")
)

// Databases are open databases. They lie in memory and not in a mapping of the
// file: a file that is overwritten in place while it is mapped takes the whole
// agent down.
type Databases struct{ city, isp *maxminddb.Reader }

var _ fn.Places = (*Databases)(nil)

// Open reads the databases.
func Open(o Options) (*Databases, error) {
	if o.City == "" && o.ISP == "" {
		return nil, ErrNone
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = DefaultMaxBytes
	}
	city, err := open(o.City, o.MaxBytes)
	if err != nil {
		return nil, err
	}
	isp, err := open(o.ISP, o.MaxBytes)
	return &Databases{city: city, isp: isp}, err
}

// open reads a database; nil for none.
func open(file string, limit int64) (db *maxminddb.Reader, err error) {
	if file == "" {
		return nil, nil //nolint:nilnil // a database that is not named is none
	}
	defer func() { // a file that is no database can look much like one
		if v := recover(); v != nil {
			db, err = nil, fmt.Errorf("open the geoip database %s: %v", file, v)
		}
	}()
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("open the geoip database: %w", err)
	}
	defer f.Close() //nolint:errcheck // it was only read
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, fmt.Errorf("read the geoip database: %w", err)
	}
	if int64(len(b)) > limit {
		return nil, fmt.Errorf("%w: %s has more than %d bytes", ErrSize, file, limit)
	}
	if db, err = maxminddb.OpenBytes(b); err != nil {
		return nil, fmt.Errorf("open the geoip database %s: %w", file, err)
	}
	return db, nil
}

// Place returns what the databases know of an address.
func (d *Databases) Place(ip string) fn.Place {
	place := fn.Place{Country: unknown, Province: unknown, City: unknown, ISP: unknown}
	addr, err := netip.ParseAddr(ip)
	if err != nil {
		return place
	}
	addr = addr.Unmap().WithZone("")
	read(d.city, addr, &place.Country, "country", "names", "en")
	read(d.city, addr, &place.Province, "subdivisions", 0, "names", "en")
	read(d.city, addr, &place.City, "city", "names", "en")
	read(d.isp, addr, &place.ISP, "autonomous_system_organization")
	read(d.isp, addr, &place.ISP, "isp")
	return place
}

// read sets to to the text at path in what a database knows of an address, if
// there is one. A database that is broken inside knows nothing.
func read(db *maxminddb.Reader, addr netip.Addr, to *string, path ...any) {
	if db == nil {
		return
	}
	defer func() { _ = recover() }()
	var s string
	if err := db.Lookup(addr).DecodePath(&s, path...); err == nil && s != "" {
		*to = s
	}
}
