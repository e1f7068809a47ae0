package spec

import (
	"testing"
)

func TestPhraseKeepsNames(t *testing.T) {
	for doc, want := range map[string]string{
		"Root of the keys.":           "root of the keys",
		"AWS region.":                 "AWS region",
		"DynamoDB table; of another.": "DynamoDB table; of another",
		"Nacos namespace. And more.":  "Nacos namespace. And more",
		"How `auth_type` logs in.":    "how 'auth_type' logs in",
		"A":                           "a",
		"":                            "",
	} {
		if got := (Field{Doc: doc}).Phrase(); got != want {
			t.Errorf("%q gives %q, want %q", doc, got, want)
		}
	}
}
