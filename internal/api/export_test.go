package api

// SetBudget bounds the bodies under way, so that a test need not send a hundred
// megabytes to reach the bound.
func (s *Server) SetBudget(bytes int64) { s.budget.limit = bytes }
