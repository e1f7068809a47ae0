package dql

import (
	"slices"
	"strings"

	"datakit.dev/internal/diag"
	"datakit.dev/internal/point"
)

// A class says what a function does with the points.
type class uint8

const (
	// aggregate makes one value of many.
	aggregate class = iota + 1
	// selecting makes several rows of many points; it stands alone.
	selecting
	// serial makes a value of a point and the one before it in its series.
	serial
	// scalar makes a value of a value.
	scalar
	// filling gives the empty buckets a value.
	filling
	// condition stands on the right of = and !=, in a filter.
	condition
)

// A Function is one that queries may call.
type Function struct {
	Name string
	Args string // as a manual writes them
	Doc  string
	class
	least, most int
}

// Functions returns every function, by name.
func Functions() []Function {
	list := []Function{
		{"avg", "f", "The mean.", aggregate, 1, 1},
		{"sum", "f", "The sum.", aggregate, 1, 1},
		{"min", "f", "The smallest value.", aggregate, 1, 1},
		{"max", "f", "The largest value.", aggregate, 1, 1},
		{"count", "f|*", "How many points have the field; with * how many there are.", aggregate, 1, 1},
		{"count_distinct", "f", "How many different values there are.", aggregate, 1, 1},
		{"first", "f", "The earliest value.", aggregate, 1, 1},
		{"last", "f", "The latest value.", aggregate, 1, 1},
		{"median", "f", "The value in the middle.", aggregate, 1, 1},
		{"percentile", "f, p", "The value below which p percent lie.", aggregate, 2, 2},
		{"mode", "f", "The most frequent value.", aggregate, 1, 1},
		{"stddev", "f", "The standard deviation of a sample.", aggregate, 1, 1},
		{"spread", "f", "The largest value less the smallest.", aggregate, 1, 1},
		{"rate", "f", "Increase of a counter a second, resets left out; the sum over the series.", aggregate, 1, 1},
		{"irate", "f", "The same, of the last two points alone.", aggregate, 1, 1},
		{"distinct", "f", "The different values, a row each.", selecting, 1, 1},
		{"top", "f, n", "The n largest values, a row each.", selecting, 2, 2},
		{"bottom", "f, n", "The n smallest values, a row each.", selecting, 2, 2},
		{"histogram", "f, from, to, width, least", "How many values lie in each interval; those with fewer than least are left out.", selecting, 4, 5},
		{"derivative", "f", "Change a second since the point before.", serial, 1, 1},
		{"difference", "f", "Change since the point before.", serial, 1, 1},
		{"non_negative_derivative", "f", "derivative, where it is not negative.", serial, 1, 1},
		{"non_negative_difference", "f", "difference, where it is not negative.", serial, 1, 1},
		{"round", "x", "The nearest whole number.", scalar, 1, 1},
		{"floor", "x", "The next whole number below.", scalar, 1, 1},
		{"ceil", "x", "The next whole number above.", scalar, 1, 1},
		{"abs", "x", "The value without its sign.", scalar, 1, 1},
		{"int", "x", "The value, or the number that a text holds, without its fraction.", scalar, 1, 1},
		{"float", "x", "The value, or the number that a text holds.", scalar, 1, 1},
		{"fill", "x, v|LINEAR|PREVIOUS", "A value for the empty buckets.", filling, 2, 2},
		{"match", "'text'", "Holds for a text with this one in it, in capitals or not.", condition, 1, 1},
		{"re", "'expr'", "Holds for a text that the regular expression matches somewhere.", condition, 1, 1},
		{"wildcard", "'a*b?'", "Holds for a text of this form.", condition, 1, 1},
		{"exists", "", "Holds where the point has the field.", condition, 0, 0},
	}
	slices.SortFunc(list, func(a, b Function) int { return strings.Compare(a.Name, b.Name) })
	return list
}

func functionOf(name string) (Function, bool) {
	all := Functions()
	i := slices.IndexFunc(all, func(f Function) bool { return f.Name == name })
	if i < 0 {
		return Function{}, false
	}
	return all[i], true
}

// A showFunction says what there is.
type showFunction struct {
	name  string
	space point.Category
	what  showKind
}

type showKind uint8

const (
	showNames showKind = iota + 1
	showTagKeys
	showTagValues
	showFields
)

// ShowFunctions returns the names of the functions that say what there is.
func ShowFunctions() []string {
	var out []string
	for _, f := range showFunctions() {
		out = append(out, f.name)
	}
	return out
}

func showFunctions() []showFunction {
	out := []showFunction{
		{"show_measurement", point.Metric, showNames},
		{"show_tag_key", point.Metric, showTagKeys},
		{"show_tag_value", point.Metric, showTagValues},
		{"show_field_key", point.Metric, showFields},
	}
	for _, k := range []struct {
		name  string
		space point.Category
		more  []string
	}{
		{"object", point.Object, []string{"show_object_class"}},
		{"custom_object", point.CustomObject, []string{"show_custom_object_class", "show_cobject_source"}},
		{"logging", point.Logging, nil},
		{"event", point.KeyEvent, []string{"show_keyevent_source"}},
		{"tracing", point.Tracing, []string{"show_tracing_service"}},
		{"rum", point.RUM, []string{"show_rum_type"}},
		{"security", point.Security, []string{"show_security_category"}},
		{"network", point.Network, nil},
		{"profiling", point.Profiling, nil},
	} {
		for _, n := range append([]string{"show_" + k.name + "_source"}, k.more...) {
			out = append(out, showFunction{n, k.space, showNames})
		}
		out = append(out, showFunction{"show_" + k.name + "_field", k.space, showFields})
	}
	return out
}

// similar returns the name among names that a mistyped one was to be, as ",
// did you mean …", or "".
func similar(typed string, names []string) string {
	best := diag.Nearest(typed, names)
	if best == "" {
		return ""
	}
	return "; did you mean " + best + "?"
}
