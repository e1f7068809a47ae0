package fn

import "datakit.dev/internal/point"

// CategoryOf returns the category that a script means by name: the write
// route's, or its short form. A script cannot make points of the others.
func CategoryOf(name string) (point.Category, bool) {
	switch name {
	case "L":
		return point.Logging, true
	case "M":
		return point.Metric, true
	case "T":
		return point.Tracing, true
	case "R":
		return point.RUM, true
	case "N":
		return point.Network, true
	case "O":
		return point.Object, true
	case "CO":
		return point.CustomObject, true
	case "S":
		return point.Security, true
	case "DT":
		return point.DialTesting, true
	}
	switch c := point.Category(name); c { //nolint:exhaustive // as said above
	case point.Logging, point.Metric, point.Tracing, point.RUM, point.Network,
		point.Object, point.CustomObject, point.Security, point.DialTesting:
		return c, true
	}
	return "", false
}
