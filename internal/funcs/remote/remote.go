// Package remote holds the script functions that ask what is outside of the
// agent: HTTP servers, and the refer tables that one of them serves.
package remote

import "datakit.dev/internal/pipeline/fn"

// Functions lists the functions of this package.
func Functions() []fn.Func {
	return []fn.Func{httpRequest(), queryTable(), queryTableByMany()}
}
