package api_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"datakit.dev/internal/api"
)

// The answer that the manual shows is one that the agent may send, and the routes
// that it names are there.
func TestTheManualOfTheConsoleIsOurs(t *testing.T) {
	url, _, _ := consoleOf(t, &fake{})
	d := describe(t, url)
	schema, err := d.check.Compile("file:///openapi.json#/components/schemas/ChangeListAnswer")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"../../docs/console.md", "../../docs/zh/console.md"} {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		example := regexp.MustCompile("(?s)```json\n(.*?)```").FindSubmatch(text)
		if example == nil {
			t.Fatalf("%s shows no answer", path)
		}
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(string(example[1])))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(value); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		for _, r := range api.Routes() {
			if p, _, _ := strings.Cut(r.Path, "/{"); r.Access == api.Console && !strings.Contains(string(text), p) {
				t.Errorf("%s says nothing of %s", path, r.Path)
			}
		}
	}
}
