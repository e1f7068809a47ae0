package logging

import (
	"bytes"
	"fmt"
	"slices"
	"unicode/utf8"

	textencoding "golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/encoding/unicode"
)

// An encoding is how a file spells its text. The zero encoding is UTF-8.
type encoding struct {
	decoder *textencoding.Decoder // nil for UTF-8
	unit    int                   // bytes of a line end: 2 in UTF-16, else 0 or 1
	little  bool
}

// encodingNames are those that character_encoding takes. In all of them but
// UTF-16 the byte of a line end means nothing else, so that lines are found
// before they are decoded.
func encodingNames() []string {
	return []string{
		"", "utf-8", "utf-16le", "utf-16be", "gbk", "gb18030", "gb2312", "big5", "shift_jis", "euc-jp", "euc-kr", "iso-8859-1", "windows-1252",
	}
}

func encodingOf(name string) (encoding, error) {
	switch name {
	case "", "utf-8":
		return encoding{unit: 1}, nil
	case "utf-16le":
		return encoding{unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM).NewDecoder(), 2, true}, nil
	case "utf-16be":
		return encoding{unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM).NewDecoder(), 2, false}, nil
	case "gbk", "gb2312":
		return wide(simplifiedchinese.GBK), nil
	case "gb18030":
		return wide(simplifiedchinese.GB18030), nil
	case "big5":
		return wide(traditionalchinese.Big5), nil
	case "shift_jis":
		return wide(japanese.ShiftJIS), nil
	case "euc-jp":
		return wide(japanese.EUCJP), nil
	case "euc-kr":
		return wide(korean.EUCKR), nil
	case "iso-8859-1":
		return wide(charmap.ISO8859_1), nil
	case "windows-1252":
		return wide(charmap.Windows1252), nil
	}
	return encoding{}, fmt.Errorf("character_encoding: %q is not one of %q", name, encodingNames()[1:])
}

func wide(e textencoding.Encoding) encoding { return encoding{decoder: e.NewDecoder(), unit: 1} }

// plain reports that the bytes of the file are the text.
func (e encoding) plain() bool { return e.decoder == nil }

// lineEnd returns where the next line end in b begins, -1 where there is none.
func (e encoding) lineEnd(b []byte) int {
	if e.unit < 2 {
		return bytes.IndexByte(b, '\n')
	}
	at := 1
	if e.little {
		at = 0
	}
	for i := 0; i < len(b); {
		j := bytes.IndexByte(b[i:], '\n')
		if j < 0 {
			return -1
		}
		j += i
		if j%2 == at && j^1 < len(b) && b[j^1] == 0 {
			return j &^ 1
		}
		i = j + 1
	}
	return -1
}

// whole returns how many bytes of b, at most n, may be cut off without cutting a
// character in two, as far as b shows it.
func (e encoding) whole(b []byte, n int) int {
	n = min(n, len(b))
	if e.unit == 2 {
		return n &^ 1
	}
	if !e.plain() || n == len(b) {
		return n
	}
	for i := n; i > max(0, n-utf8.UTFMax); i-- {
		if utf8.RuneStart(b[i]) {
			return i
		}
	}
	return n
}

// text decodes the bytes of one record. The result may share b.
func (e encoding) text(b []byte) []byte {
	if e.plain() {
		return b
	}
	out, err := e.decoder.Bytes(b)
	if err != nil { // the decoders answer what they do not know with U+FFFD
		return bytes.ToValidUTF8(slices.Clone(b), []byte("\uFFFD"))
	}
	return out
}
