// Package ip holds the script functions that look at IP addresses.
package ip

import "datakit.dev/internal/pipeline/fn"

// Functions lists the functions of this package.
func Functions() []fn.Func { return []fn.Func{cidr(), geoIP()} }
