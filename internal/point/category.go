package point

import "slices"

// A Category says what sort of record a point is. It is the last part of the
// write route (/v1/write/<category>) and the folder of a script.
type Category string

// The categories of the write API and of pipeline keys.
const (
	Metric       Category = "metric"
	Network      Category = "network"
	KeyEvent     Category = "keyevent"
	Object       Category = "object"
	CustomObject Category = "custom_object"
	Logging      Category = "logging"
	Tracing      Category = "tracing"
	RUM          Category = "rum"
	Security     Category = "security"
	Profiling    Category = "profiling"
	DialTesting  Category = "dialtesting"
)

// Categories returns every category, in the order of the documentation.
func Categories() []Category {
	return []Category{
		Metric, Network, KeyEvent, Object, CustomObject, Logging,
		Tracing, RUM, Security, Profiling, DialTesting,
	}
}

// ParseCategory returns the category named s.
func ParseCategory(s string) (Category, bool) {
	c := Category(s)
	return c, slices.Contains(Categories(), c)
}
