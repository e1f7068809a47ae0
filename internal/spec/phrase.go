package spec

import (
	"slices"
	"strings"
	"unicode"
)

// names are the products that a Doc may begin with. They keep their capital.
func names() []string {
	return []string{"Consul", "Kubernetes", "Nacos", "Rancher", "Redis", "Vault"}
}

// Phrase returns the field's Doc as it stands within a sentence, such as the help of
// a flag: without its full stop, and without a capital that only the sentence gave
// it. "AWS region" and "Nacos namespace" keep theirs. Backticks, which name an
// argument in such a help, become quotes.
func (f Field) Phrase() string {
	doc := strings.ReplaceAll(strings.TrimSuffix(f.Doc, "."), "`", "'")
	if doc == "" {
		return ""
	}
	first, _, _ := strings.Cut(doc, " ")
	if slices.Contains(names(), first) || strings.IndexFunc(first[1:], unicode.IsUpper) >= 0 {
		return doc
	}
	return strings.ToLower(doc[:1]) + doc[1:]
}
