package fn

// An Ender is told when the run that keeps it ends.
type Ender interface {
	// End is called after the final steps, whether or not the script failed: the
	// point is as it will be sent, and r.Dropped says whether it will be. Points
	// may still be created. End MUST NOT keep the point, which is not the
	// script's any more; a copy it may.
	End(r *Run)
}

// kept is one thing that a run keeps until its end.
type kept struct {
	key any
	end Ender
}

// Keep keeps e under key until the run ends.
func (r *Run) Keep(key any, e Ender) { r.kept = append(r.kept, kept{key, e}) }

// Kept returns what the run keeps under key, nil for nothing.
func (r *Run) Kept(key any) Ender {
	for _, k := range r.kept {
		if k.key == key {
			return k.end
		}
	}
	return nil
}

// End ends everything that the run has kept.
func (r *Run) End() {
	for i := 0; i < len(r.kept); i++ {
		r.kept[i].end.End(r)
	}
	clear(r.kept)
	r.kept = r.kept[:0]
}
