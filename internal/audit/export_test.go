package audit

// SetMaxMegabytes makes the files smaller, so that a test need not fill ten
// megabytes.
func (l *Log) SetMaxMegabytes(n int) { l.to.MaxSize = n }
