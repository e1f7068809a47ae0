package ip

import (
	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/point"
)

func geoIP() fn.Func {
	return fn.Func{
		Name:   "geoip",
		Params: []fn.Param{{Name: "ip"}},
		Doc: fn.Text{
			En: "Writes where the IP address of a key is: city, province, country and isp, in English; \"unknown\" for what is not known. " +
				"Without a database in the agent's configuration nothing is written.",
			Zh: "写入键的 IP 地址的地理位置：city、province、country 与 isp（英文），未知的部分为 \"unknown\"。配置中没有数据库时不写入。",
		},
		Examples: []fn.Example{{
			Script: `geoip(ip)`,
			In:     map[string]any{"ip": "1.2.4.8"},
			Out:    map[string]any{"city": "Brisbane", "province": "Queensland", "country": "Australia", "isp": "unknown"},
		}},
		Bind: func(c *fn.Call) (fn.Eval, error) {
			key, err := c.Key(0)
			return func(r *fn.Run) (point.Value, error) {
				places := r.Env.Services.Places
				addr, ok := key.Text(r)
				if !ok || places == nil {
					return point.NilOf(), nil
				}
				if err := r.Step(placeSteps); err != nil {
					return point.NilOf(), err
				}
				at := places.Place(addr)
				r.Store("city", point.StringOf(at.City))
				r.Store("province", point.StringOf(at.Province))
				r.Store("country", point.StringOf(at.Country))
				r.Store("isp", point.StringOf(at.ISP))
				return point.NilOf(), nil
			}, err
		},
	}
}

// placeSteps is what it costs to look an address up.
const placeSteps = 200
