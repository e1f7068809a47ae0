package vault

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"datakit.dev/internal/store"
)

// A mount is the key-value engine that holds our root.
type mount struct {
	path     string // with its trailing slash: "secret/"
	accessor string // names this mount; another one at the same path has another
	version  int    // of the engine
	folder   string // the root below path: "datakit"; "" where it is the whole mount
}

// at returns the path, for a request, of key below our root. what is the part of
// the protocol of version 2: "data", "metadata" or "delete".
func (m mount) at(what, key string) string {
	path := strings.Trim(m.folder+"/"+key, "/")
	if m.version == 1 {
		return strings.TrimSuffix(escape(m.path+path), "/")
	}
	return strings.TrimSuffix(escape(m.path+what+"/"+path), "/")
}

// locate asks which mount holds root. Vault answers that to whoever may do
// anything at all on that mount, whatever else the policies say.
func locate(ctx context.Context, server *session, root string) (mount, error) {
	a, err := server.call(ctx, request{path: "sys/internal/ui/mounts/" + escape(root)})
	switch {
	case err != nil:
		return mount{}, err
	case a.found():
		return mountOf(a, root)
	case a.status == http.StatusForbidden, a.status == http.StatusNotFound, a.status == http.StatusMethodNotAllowed:
		return probe(ctx, server, root)
	}
	return mount{}, fmt.Errorf("which mount holds %s: %w", root, a.refusal())
}

// mountOf reads the answer to locate.
func mountOf(a answer, root string) (mount, error) {
	var out struct {
		Data struct {
			Path     string            `json:"path"`
			Type     string            `json:"type"`
			Accessor string            `json:"accessor"`
			Options  map[string]string `json:"options"`
		} `json:"data"`
	}
	if err := a.decode(&out); err != nil {
		return mount{}, err
	}
	d := out.Data
	folder, ok := strings.CutPrefix(root+"/", d.Path)
	if !ok || d.Path == "" || !strings.HasSuffix(d.Path, "/") {
		return mount{}, fmt.Errorf("%w: the mount of %s: %w", store.ErrUnavailable, root, errAnswer)
	}
	m := mount{path: d.Path, accessor: d.Accessor, version: 1, folder: strings.TrimSuffix(folder, "/")}
	if !slices.Contains([]string{"kv", "generic"}, d.Type) {
		return mount{}, fmt.Errorf("%w: the mount %.100q is a %.40q engine, and no key-value one", store.ErrUnavailable, d.Path, d.Type)
	}
	switch v := d.Options["version"]; v {
	case "2":
		m.version = 2
	case "", "1":
	default:
		return mount{}, fmt.Errorf("%w: the mount %.100q has version %.20q of the key-value engine; 1 and 2 are known", store.ErrUnavailable, d.Path, v)
	}
	return m, nil
}

// probe finds out by trying, where Vault does not tell. It takes the first part
// of root for the mount.
func probe(ctx context.Context, server *session, root string) (mount, error) {
	first, folder, _ := strings.Cut(root, "/")
	one := mount{path: first + "/", version: 1, folder: folder}
	two := one
	two.version = 2
	second, err := server.call(ctx, request{path: two.at("metadata", ""), list: true})
	if err != nil {
		return mount{}, err
	}
	if second.found() {
		return two, nil
	}
	plain, err := server.call(ctx, request{path: one.at("", ""), list: true})
	if err != nil {
		return mount{}, err
	}
	switch {
	case plain.found():
		return one, nil
	case plain.status == http.StatusNotFound && slices.ContainsFunc(plain.said.Warnings, isVersioned):
		return two, nil
	case second.nothing() && plain.status == http.StatusForbidden:
		return two, nil
	case plain.nothing() && (second.nothing() || second.status == http.StatusForbidden):
		return one, nil
	}
	return mount{}, noMount(root, first, plain)
}

// isVersioned recognises how version 2 warns of a path of version 1.
func isVersioned(warning string) bool { return strings.Contains(warning, "versioned K/V") }

func noMount(root, first string, a answer) error {
	kind := store.ErrUnavailable
	if a.status == http.StatusForbidden || missingToken(a) {
		kind = store.ErrDenied
	}
	return fmt.Errorf("%w: there is no key-value engine at %q, or the policies of the token let it see nothing below %q; "+
		"enable one, or set prefix to mount and folder, such as /secret/datakit: %s", kind, first+"/", root, a.text())
}
