// Package all lists the functions of the script language, one line a subject.
package all

import (
	"datakit.dev/internal/funcs/codec"
	"datakit.dev/internal/funcs/cond"
	"datakit.dev/internal/funcs/conv"
	"datakit.dev/internal/funcs/formats"
	"datakit.dev/internal/funcs/ip"
	"datakit.dev/internal/funcs/json"
	"datakit.dev/internal/funcs/point"
	"datakit.dev/internal/funcs/remote"
	"datakit.dev/internal/funcs/state"
	"datakit.dev/internal/funcs/text"
	"datakit.dev/internal/funcs/timefn"
	"datakit.dev/internal/pipeline/fn"
)

// Table returns every builtin function.
func Table() (fn.Table, error) {
	return fn.NewTable(
		point.Functions(),
		cond.Functions(),
		conv.Functions(),
		state.Functions(),
		text.Functions(),
		timefn.Functions(),
		json.Functions(),
		codec.Functions(),
		formats.Functions(),
		ip.Functions(),
		remote.Functions(),
	)
}
