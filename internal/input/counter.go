package input

import "time"

// PerSecond returns how fast a counter grew between two samples. It is false
// where the counter went backwards (a wrap, a reset, a device that came back
// under the same name) or no time went by: a rate that nobody measured must not
// be shown, least of all a negative one.
func PerSecond(before, now uint64, elapsed time.Duration) (float64, bool) {
	if now < before || elapsed <= 0 {
		return 0, false
	}
	return float64(now-before) / elapsed.Seconds(), true
}
