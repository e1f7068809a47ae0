// Package point holds the script functions that change the point as a whole:
// its keys, its name, whether it is kept.
package point

import "datakit.dev/internal/pipeline/fn"

// Functions lists the functions of this package.
func Functions() []fn.Func {
	return []fn.Func{
		addKey(), getKey(), setTag(), rename(), dropKey(),
		drop(), exit(), dropOriginData(),
		setMeasurement(), ptName(),
		ptKvsGet(), ptKvsSet(), ptKvsDel(), ptKvsKeys(),
		createPoint(), setopt(), use(),
	}
}
