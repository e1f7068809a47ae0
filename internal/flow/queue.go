package flow

import (
	"sync"
	"time"

	"datakit.dev/internal/output"
	"datakit.dev/internal/point"
)

// The default bounds of a queue, and how much of it points that wait may take:
// the rest stays free for those that do not, so that a stopped log destination
// does not starve the metrics.
const (
	defaultBytes  = 16 << 20
	defaultPoints = 1 << 20
	waitingShare  = 0.75
)

// An entry is one batch in a queue. Its points are shared, read-only, with the
// queues of the other outputs.
type entry struct {
	batch output.Batch
	bytes int
	at    time.Time // when it came
	seq   uint64
}

// A verdict is what became of an entry that was offered to a queue.
type verdict uint8

const (
	taken verdict = iota
	full          // wait for room and offer it again
	gone          // the output was removed
)

// waits reports whether writers of category c wait for room. A lost log line is
// lost for good, and its file waits; a metric that waits would only be old.
func waits(c point.Category) bool { return c == point.Logging }

// A queue holds the entries of one output by category: first in, first out
// within one, the oldest first among them.
type queue struct {
	ready chan struct{} // holds one token when there may be something to do

	mu        sync.Mutex
	maxBytes  int
	maxPoints int
	lanes     map[point.Category][]entry
	seq       uint64
	held      entry // taken, not yet acknowledged
	bytes     int   // of everything, what is held included
	points    int
	waiting   int           // bytes of the categories that wait
	dropped   uint64        // points pushed out
	room      chan struct{} // closed when room appears, then replaced
	closed    bool
}

func newQueue() *queue {
	return &queue{
		ready: make(chan struct{}, 1),
		room:  make(chan struct{}),
		lanes: map[point.Category][]entry{},
	}
}

func (q *queue) bound(o Output) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.maxBytes, q.maxPoints = o.MaxBytes, o.MaxPoints
	if q.maxBytes <= 0 {
		q.maxBytes = defaultBytes
	}
	if q.maxPoints <= 0 {
		q.maxPoints = defaultPoints
	}
	q.signalRoom()
}

// offer appends e. Where there is no room an entry that waits is refused as
// full, unless force is set; any other pushes out the oldest of its sort, and is
// dropped itself where that does not help. It returns how many points that cost.
func (q *queue) offer(e entry, force bool) (v verdict, dropped int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return gone, 0
	}
	defer func() { q.dropped += uint64(dropped) }()
	for !q.fits(e) {
		if waits(e.batch.Category) && !force && e.bytes <= q.maxBytes && len(e.batch.Points) <= q.maxPoints {
			return full, 0
		}
		n, ok := q.pushOut(e.batch.Category)
		if !ok {
			return taken, dropped + len(e.batch.Points)
		}
		dropped += n
	}
	q.seq++
	e.seq = q.seq
	q.lanes[e.batch.Category] = append(q.lanes[e.batch.Category], e)
	q.add(e, 1)
	signal(q.ready)
	return taken, dropped
}

func (q *queue) fits(e entry) bool {
	if q.points == 0 { // whatever its share, an entry that fits alone must get through
		return e.bytes <= q.maxBytes && len(e.batch.Points) <= q.maxPoints
	}
	if waits(e.batch.Category) && float64(q.waiting+e.bytes) > waitingShare*float64(q.maxBytes) {
		return false
	}
	return q.bytes+e.bytes <= q.maxBytes && q.points+len(e.batch.Points) <= q.maxPoints
}

// pushOut drops the oldest entry among the categories that wait, or do not, as
// c does, and returns its points; false where there is none.
func (q *queue) pushOut(c point.Category) (points int, ok bool) {
	victim, ok := q.oldest(func(have point.Category) bool { return waits(have) == waits(c) })
	if !ok {
		return 0, false
	}
	e := q.lanes[victim][0]
	q.cut(victim, 1)
	q.add(e, -1)
	return len(e.batch.Points), true
}

func (q *queue) oldest(among func(point.Category) bool) (point.Category, bool) {
	var best point.Category
	seq := uint64(0)
	for c, lane := range q.lanes {
		if among(c) && (seq == 0 || lane[0].seq < seq) {
			best, seq = c, lane[0].seq
		}
	}
	return best, seq > 0
}

// cut removes the first n entries of a lane, and lets go of their points.
func (q *queue) cut(c point.Category, n int) {
	lane := q.lanes[c]
	clear(lane[:n])
	if n == len(lane) {
		delete(q.lanes, c)
		return
	}
	q.lanes[c] = lane[n:]
}

func (q *queue) add(e entry, sign int) {
	q.bytes += sign * e.bytes
	q.points += sign * len(e.batch.Points)
	if waits(e.batch.Category) {
		q.waiting += sign * e.bytes
	}
}

// due says when the next batch should be written: how long to wait for it to
// grow, and whether there is anything at all.
func (q *queue) due(now time.Time, linger time.Duration) (wait time.Duration, some bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	c, ok := q.oldest(func(point.Category) bool { return true })
	if !ok {
		return 0, false
	}
	if q.closed || q.points >= batchPoints || q.bytes >= min(batchBytes, q.maxBytes/2) {
		return 0, true
	}
	return max(0, linger-now.Sub(q.lanes[c][0].at)), true
}

// take removes the oldest batch, joined with those behind it of the same
// category as far as one write goes. It counts as queued until acknowledged.
func (q *queue) take() (output.Batch, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	c, ok := q.oldest(func(point.Category) bool { return true })
	if !ok {
		return output.Batch{}, false
	}
	lane := q.lanes[c]
	e, n := lane[0], 1
	points := len(e.batch.Points)
	for ; n < len(lane); n++ {
		next := lane[n]
		if e.bytes+next.bytes > batchBytes || points+len(next.batch.Points) > batchPoints {
			break
		}
		e.bytes += next.bytes
		points += len(next.batch.Points)
	}
	if n > 1 {
		joined := make([]point.Point, 0, points)
		for i := range n {
			joined = append(joined, lane[i].batch.Points...)
		}
		e.batch.Points = joined
	}
	q.cut(c, n)
	q.held = e
	return e.batch, true
}

// ack forgets the batch that was taken: it is delivered, or given up.
func (q *queue) ack() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.add(q.held, -1)
	q.held = entry{}
	q.signalRoom()
}

// close refuses further entries; what is queued stays to be taken.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.signalRoom()
	signal(q.ready)
}

// drained reports that nothing is left and nothing can come.
func (q *queue) drained() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.closed && len(q.lanes) == 0
}

func (q *queue) signalRoom() {
	close(q.room)
	q.room = make(chan struct{})
}

// roomSignal returns a channel that is closed when room appears after now.
func (q *queue) roomSignal() <-chan struct{} {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.room
}

// size returns what is queued and what was pushed out so far.
func (q *queue) size() (bytes, points int, dropped uint64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.bytes, q.points, q.dropped
}

// signal leaves a token in c where there is none.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
