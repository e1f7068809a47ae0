package main

import (
	"bytes"
	"cmp"
	"debug/buildinfo"
	"fmt"
	"net/url"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

// bill writes the software bill of materials of a binary and returns its name.
// It is made of what the binary says of itself, so that it cannot differ from
// what is shipped. The usual generator would ask the network for licences, and
// give another serial number each time; the library has the format.
func (r *release) bill(t target, binary string) (string, error) {
	built, err := buildinfo.ReadFile(binary)
	if err != nil {
		return "", fmt.Errorf("read what the binary is made of: %w", err)
	}
	var b bytes.Buffer
	enc := cdx.NewBOMEncoder(&b, cdx.BOMFileFormatJSON).SetPretty(true)
	if err := enc.EncodeVersion(r.bom(t, built), cdx.SpecVersion1_6); err != nil {
		return "", fmt.Errorf("write the bill of materials: %w", err)
	}
	name := fmt.Sprintf("datakit-%s-%s-%s.cdx.json", t.os, t.arch, r.version)
	return name, r.write(name, b.Bytes())
}

// bom lists the modules that built says were linked, and the standard library.
func (r *release) bom(t target, built *debug.BuildInfo) *cdx.BOM {
	self := component(cdx.ComponentTypeApplication, built.Main.Path, r.version)
	self.Name = "datakit"
	self.Licenses = &cdx.Licenses{{License: &cdx.License{ID: "MIT"}}}
	self.Properties = &[]cdx.Property{{Name: "os", Value: t.os}, {Name: "arch", Value: t.arch}}
	std := component(cdx.ComponentTypeLibrary, "std", strings.TrimPrefix(built.GoVersion, "go"))
	parts := []cdx.Component{std}
	for _, m := range built.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		parts = append(parts, component(cdx.ComponentTypeLibrary, m.Path, m.Version))
	}
	slices.SortFunc(parts, func(a, b cdx.Component) int { return cmp.Compare(a.BOMRef, b.BOMRef) })
	needs := []string{}
	for _, p := range parts {
		needs = append(needs, p.BOMRef)
	}
	bom := cdx.NewBOM()
	bom.Metadata = &cdx.Metadata{Timestamp: r.made.Format(time.RFC3339), Component: &self}
	bom.Components = &parts
	bom.Dependencies = &[]cdx.Dependency{{Ref: self.BOMRef, Dependencies: &needs}}
	return bom
}

// component describes a Go module. Its reference is its package URL, by which
// scanners look up what is known of it.
func component(kind cdx.ComponentType, module, version string) cdx.Component {
	segments := strings.Split(module, "/")
	for i, s := range segments {
		segments[i] = url.PathEscape(s)
	}
	ref := "pkg:golang/" + strings.Join(segments, "/") + "@" + url.QueryEscape(version)
	return cdx.Component{Type: kind, Name: module, Version: version, PackageURL: ref, BOMRef: ref}
}
