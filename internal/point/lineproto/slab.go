package lineproto

// slabLen is how many elements are allocated at once.
const slabLen = 512

// A slab hands out slices that lie side by side in one allocation. Each ends at
// its capacity, so that appending to one never writes into the next.
type slab[T any] struct {
	buf  []T
	from int // where the open slice begins
}

// begin opens a slice.
func (s *slab[T]) begin() { s.from = len(s.buf) }

// n returns the length of the open slice.
func (s *slab[T]) n() int { return len(s.buf) - s.from }

// open returns the open slice.
func (s *slab[T]) open() []T { return s.buf[s.from:] }

// add appends to the open slice, which moves where the slab is full.
func (s *slab[T]) add(v T) {
	if len(s.buf) == cap(s.buf) {
		have := s.open()
		s.buf = append(make([]T, 0, max(slabLen, 2*len(have))), have...)
		s.from = 0
	}
	s.buf = append(s.buf, v)
}

// end closes the open slice and returns it, nil where it is empty.
func (s *slab[T]) end() []T {
	if s.n() == 0 {
		return nil
	}
	return s.buf[s.from:len(s.buf):len(s.buf)]
}
