// Package token names the words of the script language: what the scanner
// hands to the parser.
package token

import "strings"

// A Pos is a byte offset in the source.
type Pos int

// A Token is one word of a script.
type Token struct {
	Kind Kind
	Pos  Pos
	Text string // as written; for Illegal, what is wrong
}

// A Kind says what a [Token] is.
type Kind uint8

// The kinds of token.
const (
	Illegal Kind = iota
	EOF
	EOL     // a newline: it ends a statement
	Comment // # to the end of the line; only a scanner that is asked for them returns comments

	Ident  // name, or `any name`
	Number // 12, 0x1f, 1.5e3, inf, nan
	String // "…" and '…'
	Raw    // """…""" and '''…'''

	Add
	Sub
	Mul
	Div
	Mod
	AddAssign
	SubAssign
	MulAssign
	DivAssign
	ModAssign
	Assign
	Equal
	NotEqual
	Less
	LessEqual
	Greater
	GreaterEqual
	And
	Or
	Not

	LeftParen
	RightParen
	LeftBracket
	RightBracket
	LeftBrace
	RightBrace
	Comma
	Colon
	Semicolon
	Dot

	If
	Elif
	Else
	For
	In
	Break
	Continue
	Nil
	True
	False
	Reserved // a word that no script may use as a name: while, return, int …
)

var spellings = [...]string{ //nolint:gochecknoglobals // names of an enum, never written
	Illegal: "illegal text", EOF: "the end of the script", EOL: "the end of the line", Comment: "a comment",
	Ident: "a name", Number: "a number", String: "a string", Raw: "a string",
	Add: "+", Sub: "-", Mul: "*", Div: "/", Mod: "%",
	AddAssign: "+=", SubAssign: "-=", MulAssign: "*=", DivAssign: "/=", ModAssign: "%=",
	Assign: "=", Equal: "==", NotEqual: "!=", Less: "<", LessEqual: "<=", Greater: ">", GreaterEqual: ">=",
	And: "&&", Or: "||", Not: "!",
	LeftParen: "(", RightParen: ")", LeftBracket: "[", RightBracket: "]", LeftBrace: "{", RightBrace: "}",
	Comma: ",", Colon: ":", Semicolon: ";", Dot: ".",
	If: "if", Elif: "elif", Else: "else", For: "for", In: "in", Break: "break", Continue: "continue",
	Nil: "nil", True: "true", False: "false", Reserved: "a reserved word",
}

// String returns the kind as it is spelled in a script, or what it is called.
func (k Kind) String() string { return spellings[k] }

// Lookup returns the kind of word: a keyword, whatever its case, a number that
// is written as a word, or an identifier.
func Lookup(word string) Kind {
	switch strings.ToLower(word) {
	case "if":
		return If
	case "elif":
		return Elif
	case "else":
		return Else
	case "for":
		return For
	case "in":
		return In
	case "break":
		return Break
	case "continue":
		return Continue
	case "nil", "null":
		return Nil
	case "true":
		return True
	case "false":
		return False
	case "inf", "nan":
		return Number
	case "identifier", "while", "return", "str", "bool", "int", "float", "list", "map":
		return Reserved
	}
	return Ident
}

// EndsOperand reports whether an operand can end with k: what follows is then a
// binary operator, an index or a call, and not the beginning of another operand.
func (k Kind) EndsOperand() bool {
	switch k { //nolint:exhaustive // only operands
	case Ident, Number, String, Raw, True, False, Nil, RightParen, RightBracket, RightBrace:
		return true
	}
	return false
}

// Precedence returns how tightly a binary operator binds, 1 the loosest, or 0
// where k is no binary operator. All of them group from the left.
func (k Kind) Precedence() int {
	switch k { //nolint:exhaustive // only operators bind
	case Or:
		return 1
	case And:
		return 2
	case In:
		return 3
	case Greater, GreaterEqual, Less, LessEqual, Equal, NotEqual:
		return 4
	case Add, Sub:
		return 5
	case Mul, Div, Mod:
		return 6
	}
	return 0
}

// Operator returns the operator that an assignment applies, Add for +=, and
// whether k is an assignment; plain = has none and gives Assign.
func (k Kind) Operator() (Kind, bool) {
	switch k { //nolint:exhaustive // only assignments
	case Assign:
		return Assign, true
	case AddAssign:
		return Add, true
	case SubAssign:
		return Sub, true
	case MulAssign:
		return Mul, true
	case DivAssign:
		return Div, true
	case ModAssign:
		return Mod, true
	}
	return Illegal, false
}
