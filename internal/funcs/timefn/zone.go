package timefn

import (
	"fmt"
	"sync"
	"time"

	"datakit.dev/internal/pipeline/fn"
)

// offsets are the zones that scripts may name by their distance from UTC. Each
// stands for a place, with the summer time of that place.
var offsets = map[string]string{ //nolint:gochecknoglobals // a table, never written
	"-11": "Pacific/Midway", "-10": "Pacific/Honolulu", "-9:30": "Pacific/Marquesas", "-9": "America/Anchorage",
	"-8": "America/Los_Angeles", "-7": "America/Phoenix", "-6": "America/Chicago", "-5": "America/New_York",
	"-4": "America/Santiago", "-3:30": "America/St_Johns", "-3": "America/Sao_Paulo", "-2": "America/Noronha",
	"-1": "America/Scoresbysund", "+0": "Europe/London", "+1": "Europe/Vatican", "+2": "Europe/Kiev",
	"+3": "Europe/Moscow", "+3:30": "Asia/Tehran", "+4": "Asia/Dubai", "+4:30": "Asia/Kabul", "+5": "Asia/Samarkand",
	"+5:30": "Asia/Kolkata", "+5:45": "Asia/Kathmandu", "+6": "Asia/Almaty", "+6:30": "Asia/Yangon", "+7": "Asia/Jakarta",
	"+8": "Asia/Shanghai", "+8:45": "Australia/Eucla", "+9": "Asia/Tokyo", "+9:30": "Australia/Darwin",
	"+10": "Australia/Sydney", "+10:30": "Australia/Lord_Howe", "+11": "Pacific/Guadalcanal", "+12": "Pacific/Auckland",
	"+12:45": "Pacific/Chatham", "+13": "Pacific/Apia", "+14": "Pacific/Kiritimati",
	"CST": "Asia/Shanghai",
}

// loadZone returns the zone of an IANA name.
func loadZone(name string) (*time.Location, error) {
	if len(name) > maxZone {
		return nil, fmt.Errorf("unknown time zone: no name is %d bytes long", len(name))
	}
	return time.LoadLocation(name)
}

// maxZone bounds the name of a zone, which may come from a point.
const maxZone = 64

// zoneByOffset returns the zone of a name or of an offset, +8.
func zoneByOffset(name string) (*time.Location, error) {
	if name[0] != '+' && name[0] != '-' {
		return loadZone(name)
	}
	place, ok := offsets[name]
	if !ok {
		return nil, fmt.Errorf("unknown time zone %q", name)
	}
	return loadZone(place)
}

// zones keeps the zones that a script has asked for while it runs: loading one
// reads a file.
type zones struct {
	mu   sync.Mutex
	seen map[string]*time.Location
}

// maxZones bounds what is kept: names come from points, and many of them name one
// zone (Asia//Tokyo).
const maxZones = 128

func sharedZones(c *fn.Call) *zones {
	z, _ := c.Shared("timefn: zones", func() any { return &zones{seen: map[string]*time.Location{}} }).(*zones)
	return z
}

// load returns the zone of a name, an offset or CST.
func (z *zones) load(name string) (*time.Location, error) {
	z.mu.Lock()
	loc := z.seen[name]
	z.mu.Unlock()
	if loc != nil {
		return loc, nil
	}
	loc, err := loadZone(name)
	if err != nil {
		place, ok := offsets[name]
		if !ok {
			return nil, err
		}
		if loc, err = loadZone(place); err != nil {
			return nil, err
		}
	}
	z.mu.Lock()
	defer z.mu.Unlock()
	if len(z.seen) < maxZones {
		z.seen[name] = loc
	}
	return loc, nil
}
