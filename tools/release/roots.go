package main

import (
	"bytes"
	"encoding/pem"

	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// authorities returns the certificate authorities that Mozilla trusts, as PEM.
// They come from a module whose version is pinned, and not from this machine, so
// that every machine builds the same image; and they are a file in it, not a part
// of the agent, so that a site can put its own in the place. Authorities that
// are trusted with a condition are left out: PEM cannot say the condition.
func authorities() []byte {
	var b bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint != nil {
			continue
		}
		_ = pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}) // a buffer takes everything
	}
	return b.Bytes()
}
