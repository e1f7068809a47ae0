package zookeeper

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
)

// A liar is a server that gives a session and answers every question as it is
// told to. It stands in for what no real server does.
type liar struct {
	address string

	mu      sync.Mutex
	session []byte
	answer  func(xid, op int32) []byte // nil sends nothing
}

func startLiar(tb testing.TB) *liar {
	tb.Helper()
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	z := &liar{address: l.Addr().String()}
	var runs sync.WaitGroup
	runs.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			runs.Go(func() {
				defer c.Close()
				z.serve(c)
			})
		}
	})
	tb.Cleanup(func() {
		_ = l.Close()
		runs.Wait()
	})
	return z
}

func (z *liar) serve(c net.Conn) {
	if _, err := receive(c); err != nil {
		return
	}
	z.mu.Lock()
	session, answer := z.session, z.answer
	z.mu.Unlock()
	if _, err := c.Write(framed(session)); err != nil {
		return
	}
	for {
		b, err := receive(c)
		if err != nil || len(b) < 8 {
			return
		}
		xid, op := int32At(b), int32At(b[4:])
		if op == opClose {
			return
		}
		if reply := answer(xid, op); reply != nil {
			if _, err := c.Write(reply); err != nil {
				return
			}
		}
	}
}

func receive(c io.Reader) ([]byte, error) {
	var size [4]byte
	if _, err := io.ReadFull(c, size[:]); err != nil {
		return nil, err
	}
	b := make([]byte, binary.BigEndian.Uint32(size[:]))
	_, err := io.ReadFull(c, b)
	return b, err
}

func framed(b []byte) []byte { return join(be32(len(b)), b) }

func be32(n int) []byte { return binary.BigEndian.AppendUint32(nil, uint32(n)) }

func be64(n int) []byte { return binary.BigEndian.AppendUint64(nil, uint64(n)) }

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// sessionOf is the answer to the request for a session.
func sessionOf(timeout, id int) []byte {
	return join(be32(0), be32(timeout), be64(id), be32(16), make([]byte, 16), []byte{0})
}

// reply is the answer to question xid.
func reply(xid int32, parts ...[]byte) []byte {
	return framed(join(be32(int(xid)), be64(1), be32(0), join(parts...)))
}

// truth is what a server with an empty root would answer.
func truth(xid, op int32) []byte {
	switch op {
	case opSync:
		return reply(xid, be32(1), []byte("/"))
	case opGetData:
		return reply(xid, be32(0), make([]byte, statSize))
	case opChildren:
		return reply(xid, be32(0), make([]byte, statSize))
	}
	return reply(xid)
}

func openLiar(tb testing.TB, z *liar) *zookeeper {
	tb.Helper()
	st, err := open(store.Options{Root: "/datakit", Values: spec.Values{"nodes": []string{z.address}}})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = st.Close() })
	return st
}

// Each of these would have the client library end the agent, take all memory,
// or wait for ever. Here each is an error, and no tree.
func TestHostileServer(t *testing.T) {
	t.Parallel()
	good := sessionOf(4000, 1)
	instead := func(op int32, lie func(xid int32) []byte) func(xid, op int32) []byte {
		return func(xid, asked int32) []byte {
			if asked == op {
				return lie(xid)
			}
			return truth(xid, asked)
		}
	}
	children := func(parts ...[]byte) func(xid, op int32) []byte {
		return instead(opChildren, func(xid int32) []byte { return reply(xid, join(parts...), make([]byte, statSize)) })
	}
	value := func(parts ...[]byte) func(xid, op int32) []byte {
		return instead(opGetData, func(xid int32) []byte { return reply(xid, join(parts...), make([]byte, statSize)) })
	}
	raw := func(b []byte) func(xid, op int32) []byte {
		return instead(opChildren, func(int32) []byte { return b })
	}
	for name, c := range map[string]struct {
		session []byte
		answer  func(xid, op int32) []byte
		want    string
	}{
		"two billion children":          {good, children(be32(1<<31 - 1)), "malformed"},
		"a list of children that is -1": {good, children(be32(-1)), "malformed"},
		"a name longer than its answer": {good, children(be32(1), be32(1<<30)), "malformed"},
		"a name of negative length":     {good, children(be32(1), be32(-9)), "malformed"},
		"a value of two gigabytes":      {good, value(be32(1<<31 - 1)), "malformed"},
		"a value of negative length":    {good, value(be32(-2)), "malformed"},
		"a child without a name":        {good, children(be32(1), be32(0)), "malformed"},
		"a child that is a path":        {good, children(be32(1), be32(3), []byte("a/b")), "malformed"},
		"a child that leads upwards":    {good, children(be32(1), be32(2), []byte("..")), "invalid path"},
		"an answer without its header":  {good, raw(framed([]byte("short"))), "shorter than its header"},
		"an answer of nothing":          {good, raw(framed(nil)), "shorter than its header"},
		"an answer of four gigabytes":   {good, raw(be32(-1)), "at most"},
		"an answer to no question":      {good, raw(reply(77777)), "answers no question"},
		"an answer without its body":    {good, instead(opChildren, func(xid int32) []byte { return reply(xid) }), "malformed"},
		"an event without a path":       {good, raw(reply(xidEvent, be64(0), be32(99))), "malformed"},
		"an end in the middle":          {good, raw(be32(100)[:3]), ""},
		"no session":                    {sessionOf(4000, 0), truth, "gives no session"},
		"a session that lasts no time":  {sessionOf(0, 1), truth, "ends sessions after 0 ms"},
		"a session of negative length":  {sessionOf(-1, 1), truth, "ends sessions after -1 ms"},
		"a session that is cut short":   {good[:10], truth, "malformed"},
		"a session of nothing":          {nil, truth, "malformed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			z := startLiar(t)
			z.session, z.answer = c.session, c.answer
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			snap, err := openLiar(t, z).Read(ctx)
			if !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("%v, %v; want an error about %q", snap, err, c.want)
			}
		})
	}
	t.Run("the truth", func(t *testing.T) {
		z := startLiar(t)
		z.session, z.answer = good, truth
		if snap, err := openLiar(t, z).Read(t.Context()); err != nil || len(snap.Entries) != 0 {
			t.Fatalf("%v, %v", snap, err)
		}
	})
}

// A tree without an end is refused when it is too big, and not when memory ends.
func TestEndlessTree(t *testing.T) {
	t.Parallel()
	z := startLiar(t)
	z.session = sessionOf(40_000, 1)
	many := be32(1000)
	for i := range 1000 {
		many = join(many, be32(4), fmt.Appendf(nil, "%04d", i))
	}
	z.answer = func(xid, op int32) []byte {
		if op == opChildren {
			return reply(xid, many, make([]byte, statSize))
		}
		return truth(xid, op)
	}
	tr := newTree("/datakit")
	e := newEnsemble(settings{nodes: []string{z.address}, root: "/datakit"})
	c, err := e.connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	c.touch("/datakit")
	if err := tr.settle(c); err == nil || !strings.Contains(err.Error(), "too big") {
		t.Fatalf("%v", err)
	}
}

// A tree that changes whenever it is read is never shown half, and not waited for
// without end.
func TestTreeThatNeverRests(t *testing.T) {
	t.Parallel()
	z := startLiar(t)
	z.session = sessionOf(40_000, 1)
	event := framed(join(be32(xidEvent), be64(1), be32(0), be32(3), be32(3), be32(8), []byte("/datakit")))
	z.answer = func(xid, op int32) []byte {
		if op == opGetData {
			return join(truth(xid, op), event)
		}
		return truth(xid, op)
	}
	c, err := newEnsemble(settings{nodes: []string{z.address}, root: "/datakit"}).connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	c.touch("/datakit")
	tr := newTree("/datakit")
	tr.storm = time.Millisecond
	// An event may come so late that the tree is at rest for a moment.
	for err == nil {
		err = tr.settle(c)
		<-c.poke
	}
	if !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), "faster than it can be read") {
		t.Fatalf("%v", err)
	}
}

// A server that never stops to tell of changes is left.
func TestEndlessEvents(t *testing.T) {
	t.Parallel()
	z := startLiar(t)
	z.session = sessionOf(40_000, 1)
	event := framed(join(be32(xidEvent), be64(1), be32(0), be32(3), be32(3), be32(1<<20), bytes.Repeat([]byte{'e'}, 1<<20)))
	at := len(event) - 8
	z.answer = func(_, op int32) []byte {
		if op != opChildren {
			return nil
		}
		var all []byte
		for i := range 2 * maxEvents >> 20 {
			binary.BigEndian.PutUint64(event[at:], uint64(i)+1<<62)
			all = append(all, event...)
		}
		return all
	}
	e := newEnsemble(settings{nodes: []string{z.address}, root: "/datakit"})
	c, err := e.connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	_, _, _, err = c.ChildrenW("/datakit")
	if err = c.why(err); !errors.Is(err, errMalformed) || !strings.Contains(err.Error(), "more changes") {
		t.Fatalf("%v", err)
	}
}

// Whatever a server sends instead of an answer, the agent goes on and says what
// is wrong.
func FuzzAnswers(f *testing.F) {
	z := startLiar(f)
	e := newEnsemble(settings{nodes: []string{z.address}, root: "/datakit"})
	f.Add(sessionOf(4000, 1), join(be32(1), be32(1), []byte("a"), make([]byte, statSize)), byte(opChildren))
	f.Add(sessionOf(4000, 1), join(be32(1), []byte("a"), make([]byte, statSize)), byte(opGetData))
	f.Add(sessionOf(4000, 1), join(be32(1), be32(31), be32(5), []byte("world"), be32(6), []byte("anyone"), make([]byte, statSize)), byte(opGetACL))
	f.Add(sessionOf(4000, 1), make([]byte, statSize), byte(opExists))
	f.Add([]byte{0}, []byte{}, byte(opSync))
	f.Fuzz(func(t *testing.T, session, body []byte, op byte) {
		z.mu.Lock()
		z.session = session
		z.answer = func(xid, _ int32) []byte { return reply(xid, body) }
		z.mu.Unlock()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		c, err := e.connect(ctx)
		if err != nil {
			return
		}
		defer c.close()
		defer context.AfterFunc(ctx, c.cut)()
		switch int32(op) {
		case opChildren:
			_, _, _, err = c.ChildrenW("/a")
		case opGetData:
			_, _, _, err = c.GetW("/a")
		case opGetACL:
			_, _, err = c.GetACL("/a")
		case opExists:
			_, _, err = c.Exists("/a")
		default:
			_, err = c.Sync("/a")
		}
		if err != nil && c.why(err) == nil {
			t.Errorf("%v was lost", err)
		}
	})
}
