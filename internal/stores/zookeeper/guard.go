package zookeeper

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
)

const (
	// maxFrame bounds one answer in memory: the largest is a list of children.
	maxFrame = 64 << 20
	// pending bounds the questions that await an answer.
	pending = 1024

	headerSize = 16 // of an answer: xid, zxid, error
	statSize   = 68
)

// The operations that we use, as the protocol numbers them.
const (
	opCreate   = 1
	opDelete   = 2
	opExists   = 3
	opGetData  = 4
	opSetData  = 5
	opGetACL   = 6
	opSync     = 9
	opChildren = 12
	opClose    = -11
	opAuth     = 100
	opWatches  = 101
)

// The answers that no question asked for.
const (
	xidEvent = -1
	xidPing  = -2
)

var errMalformed = errors.New("the server's answer is malformed")

// A guard is a connection to a server that passes on whole, well-formed answers
// only. The client library takes every length in them for granted: a count of
// children of two billion, or an answer shorter than its header, would panic in
// a goroutine of its own, which nobody can recover.
type guard struct {
	net.Conn

	ready []byte // what is checked and not yet read
	frame []byte // the room for one answer
	met   bool   // the session is agreed on

	mu    sync.Mutex
	asked map[int32]int32 // the operation of each question, by its xid
	cause error           // why the connection ended, nil where it has not
}

func newGuard(c net.Conn) *guard { return &guard{Conn: c, asked: map[int32]int32{}} }

// Write notes what is asked. The library writes one request a call; its first is
// that for a session.
func (g *guard) Write(b []byte) (int, error) {
	if len(b) >= 12 {
		xid, op := int32At(b[4:]), int32At(b[8:])
		g.mu.Lock()
		if xid > 0 && len(g.asked) < pending {
			g.asked[xid] = op
		}
		g.mu.Unlock()
	}
	n, err := g.Conn.Write(b)
	return n, g.note(err)
}

// Read implements [io.Reader].
func (g *guard) Read(b []byte) (int, error) {
	if len(g.ready) == 0 {
		if err := g.receive(); err != nil {
			return 0, g.note(err)
		}
	}
	n := copy(b, g.ready)
	g.ready = g.ready[n:]
	return n, nil
}

// receive takes the next answer.
func (g *guard) receive() error {
	var size [4]byte
	if _, err := io.ReadFull(g.Conn, size[:]); err != nil {
		return err
	}
	n := int(binary.BigEndian.Uint32(size[:]))
	if n > maxFrame {
		return fmt.Errorf("%w: %d bytes, at most %d are taken", errMalformed, n, maxFrame)
	}
	if cap(g.frame) < n+4 || cap(g.frame) > 1<<20 {
		g.frame = make([]byte, n+4)
	}
	g.frame = g.frame[:n+4]
	copy(g.frame, size[:])
	if _, err := io.ReadFull(g.Conn, g.frame[4:]); err != nil {
		return err
	}
	if err := g.check(g.frame[4:]); err != nil {
		return err
	}
	g.ready = g.frame
	return nil
}

func (g *guard) check(b []byte) error {
	if !g.met {
		g.met = true
		return checkSession(b)
	}
	if len(b) < headerSize {
		return fmt.Errorf("%w: shorter than its header", errMalformed)
	}
	xid, failed := int32At(b), int32At(b[12:]) != 0
	p := parser{rest: b[headerSize:]}
	switch xid {
	case xidPing:
		return nil
	case xidEvent:
		p.skip(8) // type and state
		p.bytes()
	default:
		g.mu.Lock()
		op, ok := g.asked[xid]
		delete(g.asked, xid)
		g.mu.Unlock()
		if !ok {
			return fmt.Errorf("%w: it answers no question", errMalformed)
		}
		if failed {
			return nil // the rest is not looked at
		}
		p.answer(op)
	}
	if p.bad {
		return errMalformed
	}
	return nil
}

// checkSession looks at the answer to the request for a session. The library
// would make timers of whatever time limit it holds.
func checkSession(b []byte) error {
	p := parser{rest: b}
	p.skip(4)
	timeout := p.int32()
	p.skip(8)
	p.bytes()
	switch {
	case p.bad:
		return errMalformed
	case binary.BigEndian.Uint64(b[8:]) == 0:
		return errors.New("the server gives no session")
	case timeout < int32(minSession.Milliseconds()) || timeout > int32(maxSession.Milliseconds()):
		return fmt.Errorf("the server ends sessions after %d ms, expected %d to %d", timeout, minSession.Milliseconds(), maxSession.Milliseconds())
	}
	return nil
}

// note keeps the first error: the library tells no one.
func (g *guard) note(err error) error {
	if err == nil {
		return nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.cause == nil {
		g.cause = err
	}
	return err
}

// ended returns why the connection ended, nil where it has not.
func (g *guard) ended() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.cause
}

// A parser walks over one answer. It is bad once something does not fit.
type parser struct {
	rest []byte
	bad  bool
}

// answer walks over what op is answered with.
func (p *parser) answer(op int32) {
	switch op {
	case opExists, opSetData:
		p.skip(statSize)
	case opGetData:
		p.bytes()
		p.skip(statSize)
	case opChildren:
		p.each(func() { p.bytes() })
		p.skip(statSize)
	case opGetACL:
		p.each(func() {
			p.skip(4) // permissions
			p.bytes()
			p.bytes()
		})
		p.skip(statSize)
	case opCreate, opSync:
		p.bytes()
	case opDelete, opClose, opAuth, opWatches:
	default:
		p.bad = true
	}
}

// each walks over a list. The library makes room for all of it at once, so each
// element has to be there.
func (p *parser) each(element func()) {
	n := p.int32()
	p.bad = p.bad || n < 0 // a list that is null would be one of four billion
	for ; n > 0 && !p.bad; n-- {
		element()
	}
}

// bytes walks over a string or a value; a length of -1 is a value that is null.
func (p *parser) bytes() {
	n := p.int32()
	p.bad = p.bad || n < -1
	p.skip(max(int(n), 0))
}

func (p *parser) int32() int32 {
	b := p.rest
	p.skip(4)
	if p.bad {
		return 0
	}
	return int32At(b)
}

func (p *parser) skip(n int) {
	if n > len(p.rest) {
		p.bad = true
		return
	}
	p.rest = p.rest[n:]
}

func int32At(b []byte) int32 {
	return int32(binary.BigEndian.Uint32(b)) //nolint:gosec // the protocol's own numbers are signed
}
