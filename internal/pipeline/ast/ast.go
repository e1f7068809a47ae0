// Package ast is a script as a tree. A node is made once by the parser and
// never changed after.
package ast

import "datakit.dev/internal/pipeline/token"

// A Node is a part of a script that has a place in it.
type Node interface{ Pos() token.Pos }

// An Expr is a node that has a value.
type Expr interface {
	Node
	expr()
}

// A Stmt is a node that does something.
type Stmt interface {
	Node
	stmt()
}

// The expressions.
type (
	// An Ident is a name: a variable, or a key of the point.
	Ident struct {
		At   token.Pos
		Name string
	}
	// A StringLit is a string, its quotes and escapes resolved.
	StringLit struct {
		At    token.Pos
		Value string
	}
	// An IntLit is an integer.
	IntLit struct {
		At    token.Pos
		Value int64
	}
	// A FloatLit is a number with a fraction, or too large for an integer.
	FloatLit struct {
		At    token.Pos
		Value float64
	}
	// A BoolLit is true or false.
	BoolLit struct {
		At    token.Pos
		Value bool
	}
	// A NilLit is nil or null.
	NilLit struct{ At token.Pos }
	// A ListLit is [a, b].
	ListLit struct {
		At    token.Pos
		Elems []Expr
	}
	// A MapLit is {k: v}; Keys and Values go together.
	MapLit struct {
		At           token.Pos
		Keys, Values []Expr
	}
	// A Paren is an expression in parentheses.
	Paren struct {
		At token.Pos
		X  Expr
	}
	// A Unary is an operator before its operand: - + !.
	Unary struct {
		At token.Pos
		Op token.Kind
		X  Expr
	}
	// A Binary is an operator between its operands; At is the operator.
	Binary struct {
		At   token.Pos
		Op   token.Kind
		X, Y Expr
	}
	// A Call is name(args).
	Call struct {
		At   token.Pos
		Name string
		Args []Expr
	}
	// A NamedArg is name=value, only among the arguments of a call.
	NamedArg struct {
		At    token.Pos
		Name  string
		Value Expr
	}
	// An Attr is x.name or x.name[0]: a path. It has no value; functions take
	// it for the key, or the path, that it spells.
	Attr struct {
		At     token.Pos
		X, Sel Expr
	}
	// An Index is name[i][j]. Obj is nil for the path .[i].
	Index struct {
		At  token.Pos
		Obj *Ident
		By  []Expr
	}
	// A Slice is x[low:high:step]; each of the three may be nil.
	Slice struct {
		At              token.Pos
		X               Expr
		Low, High, Step Expr
	}
)

// The statements.
type (
	// An ExprStmt is an expression whose value is not used.
	ExprStmt struct{ X Expr }
	// An Assign is left op= right; Op is token.Assign for plain =.
	Assign struct {
		At    token.Pos
		Left  Expr
		Op    token.Kind
		Right Expr
	}
	// An If is if/elif/else; Else may be nil.
	If struct {
		Clauses []Clause
		Else    *Block
	}
	// A For is for init; cond; step {}; each of the three may be nil.
	For struct {
		At   token.Pos
		Init Stmt
		Cond Expr
		Step Stmt
		Body *Block
	}
	// A ForIn is for name in x {}.
	ForIn struct {
		At   token.Pos
		Name *Ident
		X    Expr
		Body *Block
	}
	// A Break leaves the loop.
	Break struct{ At token.Pos }
	// A Continue goes to the loop's next turn.
	Continue struct{ At token.Pos }
)

// A Clause is the condition and the body of an if or elif.
type Clause struct {
	At   token.Pos
	Cond Expr
	Body *Block
}

// A Block is statements in braces.
type Block struct {
	At    token.Pos
	Stmts []Stmt
}

// Pos returns where the node stands.
func (n *Ident) Pos() token.Pos { return n.At }

// Pos returns where the node stands.
func (n *StringLit) Pos() token.Pos { return n.At }

// Pos returns where the node stands.
func (n *IntLit) Pos() token.Pos { return n.At }

// Pos returns where the node stands.
func (n *FloatLit) Pos() token.Pos { return n.At }

// Pos returns where the node stands.
func (n *BoolLit) Pos() token.Pos { return n.At }

// Pos returns where the node stands.
func (n *NilLit) Pos() token.Pos { return n.At }

// Pos returns where the node stands.
func (n *ListLit) Pos() token.Pos { return n.At }

// Pos returns where the node stands.
func (n *MapLit) Pos() token.Pos { return n.At }

// Pos returns where the node stands.
func (n *Paren) Pos() token.Pos { return n.At }

// Pos returns where the node stands.
func (n *Unary) Pos() token.Pos { return n.At }

// Pos returns where the operator stands.
func (n *Binary) Pos() token.Pos { return n.At }

// Pos returns where the name stands.
func (n *Call) Pos() token.Pos { return n.At }

// Pos returns where the name stands.
func (n *NamedArg) Pos() token.Pos { return n.At }

// Pos returns where the path begins.
func (n *Attr) Pos() token.Pos { return n.At }

// Pos returns where the name stands.
func (n *Index) Pos() token.Pos { return n.At }

// Pos returns where the sliced expression stands.
func (n *Slice) Pos() token.Pos { return n.At }

// Pos returns where the expression stands.
func (n *ExprStmt) Pos() token.Pos { return n.X.Pos() }

// Pos returns where the operator stands.
func (n *Assign) Pos() token.Pos { return n.At }

// Pos returns where the first condition's keyword stands.
func (n *If) Pos() token.Pos { return n.Clauses[0].At }

// Pos returns where the keyword stands.
func (n *For) Pos() token.Pos { return n.At }

// Pos returns where the keyword stands.
func (n *ForIn) Pos() token.Pos { return n.At }

// Pos returns where the keyword stands.
func (n *Break) Pos() token.Pos { return n.At }

// Pos returns where the keyword stands.
func (n *Continue) Pos() token.Pos { return n.At }

// Pos returns where the opening brace stands.
func (n *Block) Pos() token.Pos { return n.At }

func (*Ident) expr()     {}
func (*StringLit) expr() {}
func (*IntLit) expr()    {}
func (*FloatLit) expr()  {}
func (*BoolLit) expr()   {}
func (*NilLit) expr()    {}
func (*ListLit) expr()   {}
func (*MapLit) expr()    {}
func (*Paren) expr()     {}
func (*Unary) expr()     {}
func (*Binary) expr()    {}
func (*Call) expr()      {}
func (*NamedArg) expr()  {}
func (*Attr) expr()      {}
func (*Index) expr()     {}
func (*Slice) expr()     {}

func (*ExprStmt) stmt() {}
func (*Assign) stmt()   {}
func (*If) stmt()       {}
func (*For) stmt()      {}
func (*ForIn) stmt()    {}
func (*Break) stmt()    {}
func (*Continue) stmt() {}
