package grok_test

import (
	"fmt"
	"os"

	"datakit.dev/internal/pipeline/grok"
)

func Example() {
	set, err := grok.NewSet(nil)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	script := set.Scope()
	if err := script.Add("level", "[A-Z]+"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	p, err := grok.Compile(`%{IP:client} %{level:status}(?: took %{INT:ms:int})?`, script)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	text := "10.0.0.7 WARN took 12 ms"
	spans, ok := p.Match(text, nil)
	if !ok {
		return
	}
	for i, c := range p.Captures() {
		fmt.Println(c.Name, c.Type, spans[i].Of(text))
	}
	// Output:
	// client str 10.0.0.7
	// status str WARN
	// ms int 12
}
