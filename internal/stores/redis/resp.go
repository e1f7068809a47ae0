package redis

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"datakit.dev/internal/diag"
	"datakit.dev/internal/store"
)

// The bounds of one answer. A server that is none, or not ours, may send
// anything.
const (
	maxLine  = 64 << 10
	maxBytes = store.MaxTree + 64<<20 // of all that is kept
	maxItems = 8 * store.MaxEntries
	maxDepth = 4
)

// errProtocol marks an answer that is no RESP.
var errProtocol = errors.New("the server does not answer as Redis does")

// A reply is one answer of the server, in RESP version 2.
type reply struct {
	kind  byte   // + - : $ *
	text  string // of + - $
	num   int64  // of :
	null  bool   // of $ *
	size  int    // bytes of a $ over store.MaxValue, whose text is not kept
	items []reply
}

// A reader reads replies. The zero bounds are those of one reply.
type reader struct {
	r     *bufio.Reader
	bytes int // kept of the current reply
	items int
}

func (r *reader) next() (reply, error) {
	r.bytes, r.items = 0, 0
	return r.reply(0)
}

func (r *reader) reply(depth int) (reply, error) {
	line, err := r.line()
	if err != nil {
		return reply{}, err
	}
	if line == "" {
		return reply{}, fmt.Errorf("%w: an empty line", errProtocol)
	}
	out := reply{kind: line[0]}
	switch rest := line[1:]; out.kind {
	case '+', '-':
		out.text = rest
	case ':':
		if out.num, err = strconv.ParseInt(rest, 10, 64); err != nil {
			return reply{}, unexpected(line)
		}
	case '$':
		err = r.bulk(&out, line)
	case '*':
		err = r.array(&out, line, depth)
	default:
		return reply{}, unexpected(line)
	}
	return out, err
}

// line reads up to the next CR LF.
func (r *reader) line() (string, error) {
	var out []byte
	for {
		part, err := r.r.ReadSlice('\n')
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return "", err
		}
		if len(out)+len(part) > maxLine {
			return "", fmt.Errorf("%w: a line of over %d bytes", errProtocol, maxLine)
		}
		out = append(out, part...)
		if err == nil {
			break
		}
	}
	r.bytes += len(out)
	text, ok := strings.CutSuffix(string(out), "\r\n")
	if !ok {
		return "", unexpected(string(out))
	}
	return text, nil
}

// length reads the number of a $ or * line; -1 stands for null.
func length(line string, limit int64) (int, error) {
	n, err := strconv.ParseInt(line[1:], 10, 64)
	if err != nil || n < -1 || n > limit {
		return 0, unexpected(line)
	}
	return int(n), nil
}

// bulk reads a string. One that is too large is read past and not kept, so that
// a value of half a gigabyte costs no memory.
func (r *reader) bulk(out *reply, line string) error {
	n, err := length(line, 1<<40)
	if err != nil {
		return err
	}
	if n < 0 {
		out.null = true
		return nil
	}
	if n > store.MaxValue {
		out.size = n
		if _, err := io.CopyN(io.Discard, r.r, int64(n)); err != nil {
			return cut(err)
		}
	} else {
		if r.bytes += n; r.bytes > maxBytes {
			return fmt.Errorf("%w: an answer of over %d bytes", errBound, maxBytes)
		}
		b := make([]byte, n)
		if _, err := io.ReadFull(r.r, b); err != nil {
			return cut(err)
		}
		out.text = string(b)
	}
	var end [2]byte
	if _, err := io.ReadFull(r.r, end[:]); err != nil {
		return cut(err)
	}
	if end != [2]byte{'\r', '\n'} {
		return fmt.Errorf("%w: a string that does not end", errProtocol)
	}
	return nil
}

// array reads the items one by one: the length is only the server's word, and
// no memory is taken for it.
func (r *reader) array(out *reply, line string, depth int) error {
	n, err := length(line, maxItems)
	if err != nil {
		return err
	}
	if n < 0 {
		out.null = true
		return nil
	}
	if r.items += n; r.items > maxItems || depth == maxDepth {
		return fmt.Errorf("%w: an answer of too many parts", errBound)
	}
	for range n {
		item, err := r.reply(depth + 1)
		if err != nil {
			return cut(err)
		}
		out.items = append(out.items, item)
	}
	return nil
}

// cut makes the end of the stream within an answer an error of its own.
func cut(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

func unexpected(line string) error {
	return fmt.Errorf("%w: it says %q", errProtocol, diag.OneLine(line[:min(len(line), 40)]))
}

// appendCommand appends a command in the one form that a server takes from a
// program: an array of strings.
func appendCommand(b []byte, args []string) []byte {
	b = append(b, '*')
	b = strconv.AppendInt(b, int64(len(args)), 10)
	b = append(b, '\r', '\n')
	for _, a := range args {
		b = append(b, '$')
		b = strconv.AppendInt(b, int64(len(a)), 10)
		b = append(b, '\r', '\n')
		b = append(b, a...)
		b = append(b, '\r', '\n')
	}
	return b
}
