package grok

import "regexp/syntax"

// maxInstructions bounds what an expression compiles to: x{1000} is short to
// write. The largest built-in pattern takes 5,000.
const maxInstructions = 50_000

// instructions estimates the size of the program that package regexp makes of a
// tree. It stops counting soon after the limit.
func instructions(tree *syntax.Regexp) int {
	count := 1
	for _, sub := range tree.Sub {
		if count > maxInstructions {
			break
		}
		count += instructions(sub)
	}
	if tree.Op == syntax.OpLiteral {
		count += len(tree.Rune)
	}
	if tree.Op == syntax.OpRepeat {
		count *= max(tree.Min, tree.Max, 1)
	}
	return min(count, maxInstructions+1)
}
