// Package grok matches text against grok patterns: regular expressions in
// which %{NAME} stands for a named pattern and %{NAME:key:type} captures what
// it matched under a key.
//
// A [Set] holds the patterns by name: the built-in ones, those of pattern
// files and, in a [Set.Scope], those that a script adds. [Compile] turns one
// expression into a [Pattern], which many goroutines may match with at once.
//
// A match gives what package regexp would give, leftmost-first and unanchored,
// but comes from a matcher of our own: regexp leaves its fast path at a few
// hundred instructions, which one %{IPORHOST} exceeds. Ours backtracks over
// nodes that look one byte ahead, within a budget of steps; where the budget
// or the matcher ends, regexp answers instead, so that time stays linear in
// the length of the text whatever the pattern.
package grok
