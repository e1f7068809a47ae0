package main

import (
	"bytes"
	"fmt"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

func readBill(t *testing.T) *cdx.BOM {
	t.Helper()
	r := built(t)
	name := fmt.Sprintf("datakit-linux-%s-%s.cdx.json", runtime.GOARCH, r.version)
	bom := new(cdx.BOM)
	if err := cdx.NewBOMDecoder(bytes.NewReader(made(t, r, name)), cdx.BOMFileFormatJSON).Decode(bom); err != nil {
		t.Fatal(err)
	}
	return bom
}

// The bill names exactly what the shipped binary says it was linked from.
func TestBillNamesWhatIsInTheBinary(t *testing.T) {
	binary := filepath.Join(unpacked(t, built(t)), "datakit")
	out, err := exec.CommandContext(t.Context(), "go", "version", "-m", binary).Output()
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"std " + strings.TrimPrefix(runtime.Version(), "go")}
	for line := range strings.Lines(string(out)) {
		if f := strings.Fields(line); len(f) >= 3 && f[0] == "dep" {
			want = append(want, f[1]+" "+f[2])
		}
	}
	bom := readBill(t)
	var got []string
	for _, c := range *bom.Components {
		got = append(got, c.Name+" "+c.Version)
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) || len(got) < 20 {
		t.Errorf("it names %v, the binary %v", got, want)
	}
	self := bom.Metadata.Component
	if self.Name != "datakit" || self.Version != testVersion || bom.Metadata.Timestamp != "2023-11-14T22:13:20Z" || bom.SerialNumber != "" {
		t.Errorf("it is about %+v of %s", self, bom.Metadata.Timestamp)
	}
	if n := len(*(*bom.Dependencies)[0].Dependencies); n != len(got) {
		t.Errorf("%d dependencies for %d components", n, len(got))
	}
}

// What only builds or tests DataKit is not shipped in it.
func TestAgentHoldsNoToolOfOurs(t *testing.T) {
	for _, c := range *readBill(t).Components {
		for _, tool := range []string{
			"nfpm", "go-containerregistry", "cyclonedx", "go-md2man", "blackfriday", "x509roots", "golangci", "rapid", "go-cmp", "testify", "mmdbwriter",
		} {
			if strings.Contains(c.Name, tool) {
				t.Errorf("%s is linked into the agent", c.Name)
			}
		}
	}
}

// A package URL is what vulnerability scanners look a module up by.
func TestPackageURL(t *testing.T) {
	for want, in := range map[string][2]string{
		"pkg:golang/golang.org/x/net@v0.62.0":          {"golang.org/x/net", "v0.62.0"},
		"pkg:golang/example.com/a%20b@v2.0.0%2Bmeta.1": {"example.com/a b", "v2.0.0+meta.1"},
	} {
		if c := component(cdx.ComponentTypeLibrary, in[0], in[1]); c.PackageURL != want || c.BOMRef != want {
			t.Errorf("%v: %s, expected %s", in, c.PackageURL, want)
		}
	}
}
