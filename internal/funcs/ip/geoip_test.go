package ip_test

import (
	"maps"
	"testing"

	"datakit.dev/internal/funcs/all"
	"datakit.dev/internal/pipeline"
	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/pipeline/scripttest"
)

// somewhere knows one address. What real databases say is tested where they are
// read.
type somewhere struct{}

func (somewhere) Place(ip string) fn.Place {
	if ip == "1.2.4.8" {
		return fn.Place{Country: "Australia", Province: "Queensland", City: "Brisbane", ISP: "APNIC"}
	}
	return fn.Place{Country: "?", Province: "?", City: "?", ISP: "?"}
}

func TestGeoIP(t *testing.T) {
	engine := scripttest.New(t, all.Table)
	env := &pipeline.Env{Services: fn.Services{Places: somewhere{}}}
	for _, test := range []struct {
		script string
		in     scripttest.Fields
		want   scripttest.Fields // what is written
	}{
		{`geoip(ip)`, scripttest.Fields{"ip": "1.2.4.8"}, scripttest.Fields{
			"country": "Australia", "province": "Queensland", "city": "Brisbane", "isp": "APNIC",
		}},
		{"addr = \"1.2.4.8\"\ngeoip(addr)", nil, scripttest.Fields{
			"country": "Australia", "province": "Queensland", "city": "Brisbane", "isp": "APNIC",
		}},
		{`geoip(ip)`, scripttest.Fields{"ip": int64(1)}, scripttest.Fields{"country": "?", "province": "?", "city": "?", "isp": "?"}},
		{`geoip(nope)`, nil, nil},
	} {
		got, err := engine.RunIn(t, env, test.script, test.in)
		if err != nil {
			t.Fatal(err)
		}
		delete(got, "ip")
		if !maps.Equal(got, test.want) {
			t.Errorf("%s of %v: got %v, want %v", test.script, test.in, got, test.want)
		}
	}
	if got, err := engine.Run(t, `geoip(ip)`, scripttest.Fields{"ip": "1.2.4.8"}); err != nil || len(got) != 1 {
		t.Errorf("without a database: %v, %v", got, err)
	}
	engine.Refused(t, `geoip(ip, "p_")`)
	engine.Refused(t, `geoip(1)`)
}
