package dql

// A kind says what a token is.
type kind uint8

const (
	tokEOF kind = iota
	tokName
	tokString
	tokRegex
	tokInt
	tokFloat
	tokDuration
	tokOp   // an operator or a bracket: text says which
	tokDate // within [ ] only
)

// A token is one word of a query.
type token struct {
	kind   kind
	text   string // what it means: a string without its quotes
	quoted bool   // a name in backticks: never a keyword
	pos    int    // byte offsets in the query
	end    int
}

// describe names a token for an error.
func (t token) describe() string {
	switch t.kind {
	case tokEOF:
		return "the end"
	case tokString:
		return "a string"
	case tokRegex:
		return "a regular expression"
	case tokName, tokInt, tokFloat, tokDuration, tokOp, tokDate:
	}
	return quote(t.text)
}

// quote bounds a text that an error repeats.
func quote(s string) string {
	const most = 40
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "…"
	}
	return "\"" + s + "\""
}

// keywords are the words that a name must not be without backticks.
func keywords() []string {
	return []string{
		"and", "as", "asc", "auto", "by", "desc", "false", "filter", "limit", "linear", "link", "nil",
		"offset", "or", "previous", "slimit", "soffset", "true", "with",
	}
}
