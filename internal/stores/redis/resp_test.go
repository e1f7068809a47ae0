package redis

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"datakit.dev/internal/store"
)

func parseReply(text string) (reply, error) {
	r := reader{r: bufio.NewReader(strings.NewReader(text))}
	return r.next()
}

func TestReplies(t *testing.T) {
	for text, want := range map[string]reply{
		"+OK\r\n":                  {kind: '+', text: "OK"},
		"-ERR no\r\n":              {kind: '-', text: "ERR no"},
		":-7\r\n":                  {kind: ':', num: -7},
		"$-1\r\n":                  {kind: '$', null: true},
		"$0\r\n\r\n":               {kind: '$'},
		"$4\r\na\r\nb\r\n":         {kind: '$', text: "a\r\nb"},
		"*-1\r\n":                  {kind: '*', null: true},
		"*0\r\n":                   {kind: '*'},
		"*2\r\n:1\r\n*1\r\n+x\r\n": {kind: '*', items: []reply{{kind: ':', num: 1}, {kind: '*', items: []reply{{kind: '+', text: "x"}}}}},
	} {
		if got, err := parseReply(text); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q is %+v, %v; want %+v", text, got, err, want)
		}
	}
}

// A server may be none of ours, or hostile.
func TestRepliesThatAreNone(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want error
	}{
		"nothing":               {"", io.EOF},
		"half a line":           {"+OK", io.EOF},
		"no carriage return":    {"+OK\n", errProtocol},
		"an empty line":         {"\r\n", errProtocol},
		"a web server":          {"HTTP/1.1 400 Bad Request\r\n", errProtocol},
		"no number":             {":x\r\n", errProtocol},
		"no length":             {"$x\r\n", errProtocol},
		"a negative length":     {"$-2\r\n", errProtocol},
		"half a string":         {"$5\r\nab", io.ErrUnexpectedEOF},
		"a string that goes on": {"$1\r\nabc", errProtocol},
		"half a list":           {"*2\r\n+a\r\n", io.ErrUnexpectedEOF},
		"a list without end":    {"*9999999999\r\n", errProtocol},
		"a string without end":  {"$9999999999999999999\r\n", errProtocol},
		"most of the memory":    {"$1099511627776\r\nx", io.ErrUnexpectedEOF},
		"many lists":            {strings.Repeat("*1\r\n", 100), errBound},
		"a line without end":    {"+" + strings.Repeat("x", 2*maxLine), errProtocol},
		"too many parts":        {"*2\r\n" + strings.Repeat(fmt.Sprintf("*%d\r\n", maxItems), 2), errBound},
	} {
		if got, err := parseReply(c.text); !errors.Is(err, c.want) {
			t.Errorf("%s: %+v, %v; want %v", name, got.kind, err, c.want)
		}
	}
}

// A string over the limit is read past: its size is known, and what follows.
func TestLargeStringIsNotKept(t *testing.T) {
	const size = store.MaxValue + 1
	got, err := parseReply("*2\r\n$" + strconv.Itoa(size) + "\r\n" + strings.Repeat("x", size) + "\r\n+next\r\n")
	if err != nil || len(got.items) != 2 || got.items[0].size != size || got.items[0].text != "" || got.items[1].text != "next" {
		t.Errorf("%d items, %v", len(got.items), err)
	}
}

// What is sent is read back by a reader of the same protocol.
func TestCommandsAreReplies(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		args := rapid.SliceOfN(rapid.String(), 1, 5).Draw(t, "args")
		got, err := parseReply(string(appendCommand(nil, args)))
		if err != nil || len(got.items) != len(args) {
			t.Fatalf("%+v, %v", got, err)
		}
		for i, a := range args {
			if got.items[i].text != a {
				t.Fatalf("%q is %q", a, got.items[i].text)
			}
		}
	})
}

func FuzzReply(f *testing.F) {
	for _, text := range []string{"+OK\r\n", "$3\r\nabc\r\n", "*2\r\n:1\r\n$-1\r\n", "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n", "-MOVED 1 a:1\r\n"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r := reader{r: bufio.NewReader(strings.NewReader(string(b)))}
		for {
			got, err := r.next()
			if err != nil {
				return
			}
			if r.items > maxItems || len(got.text) > len(b) {
				t.Fatalf("%+v", got)
			}
			_ = eventOf(got, len("__keyspace@0__:"))
		}
	})
}
