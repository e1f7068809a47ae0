package install

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"datakit.dev/internal/config"
	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
)

// Merge returns text, a datakit.conf, with s in it, and the keys that changed.
// Every other key, every comment and the layout are as before; settings that the
// text already has change nothing. An error is that the text, or what would come
// of it, is no datakit.conf that an agent could run with.
func Merge(text string, s Settings, p config.Parts) (merged string, changed []string, err error) {
	body, mark := strings.CutPrefix(text, "\ufeff")
	before, bad := spec.Parse(body)
	if bad == nil {
		_, bad, _ = config.ParseMain(body, nil, p)
	}
	if bad != nil {
		return "", nil, fmt.Errorf("datakit.conf has errors, correct them first: %w", bad.In("", ""))
	}
	e := &editor{text: body}
	wanted := s.plain()
	for _, one := range wanted {
		e.set(one)
	}
	if s.Backend != "" {
		n := storeOf(before, s, p.Backends)
		store := s.store(before, n)
		if n < stores(before) {
			e.setStore(n, store)
		} else {
			e.addStore(store)
		}
		for _, one := range store {
			wanted = append(wanted, setting{slices.Concat([]string{"confds", strconv.Itoa(n)}, one.path), one.literal})
		}
	}
	if changed, err = verify(before, e.text, wanted); err != nil {
		return "", nil, err
	}
	if _, bad, _ := config.ParseMain(e.text, nil, p); bad != nil {
		return "", nil, fmt.Errorf("datakit.conf would not be usable: %w", bad.In("", ""))
	}
	if mark {
		e.text = "\ufeff" + e.text
	}
	return e.text, changed, nil
}

// stores returns how many tables [[confds]] has.
func stores(root *spec.Node) int {
	if k, ok := root.Get("confds"); ok {
		return len(k.Node.Items)
	}
	return 0
}

// storeOf returns which table of [[confds]] the settings are about: the one of
// their backend with their nodes, or else the first of their backend. Where there
// is none it is the number of tables.
func storeOf(root *spec.Node, s Settings, backends []store.Backend) int {
	n := stores(root)
	best := n
	wanted, err := store.Find(backends, s.Backend)
	if err != nil {
		return n // ParseMain says so
	}
	for i := n - 1; i >= 0; i-- {
		k, _ := root.Get("confds")
		table := &k.Node.Items[i]
		name, ok := table.Get("backend")
		if text, isText := scalar(name, ok).(string); !isText || !wanted.Is(text) {
			continue
		}
		best = i
	}
	for i := range n {
		k, _ := root.Get("confds")
		table := &k.Node.Items[i]
		name, ok := table.Get("backend")
		if text, isText := scalar(name, ok).(string); isText && wanted.Is(text) && s.sameNodes(table) {
			return i
		}
	}
	return best
}

func scalar(k *spec.Key, ok bool) any {
	if !ok {
		return nil
	}
	return k.Node.Scalar
}

// errDamage is that an edit would have changed more than it should.
var errDamage = errors.New("datakit.conf is written in a way that cannot be changed here without touching other keys")

// verify holds the edited text against the tree before it: every setting has its
// value, and nothing else is different.
func verify(before *spec.Node, text string, wanted []setting) (changed []string, err error) {
	after, bad := spec.Parse(text)
	if bad != nil {
		return nil, fmt.Errorf("%w: add %s by hand", errDamage, names(wanted))
	}
	old, now := flat(before), flat(after)
	for _, s := range wanted {
		value, bad := spec.Parse("x = " + s.literal)
		if bad != nil {
			return nil, fmt.Errorf("%s: not a value: %w", join(s.path), bad.In("", ""))
		}
		was, is := take(old, s.path), take(now, s.path)
		if !maps.Equal(is, take(flat(value), []string{"x"})) {
			return nil, fmt.Errorf("%w: set %s by hand", errDamage, join(s.path))
		}
		if !maps.Equal(was, is) {
			changed = append(changed, join(s.path))
		}
	}
	// The number of stores is what a further one changes.
	take(old, []string{"confds", ""})
	take(now, []string{"confds", ""})
	if !maps.Equal(old, now) {
		return nil, fmt.Errorf("%w: add %s by hand", errDamage, names(wanted))
	}
	return changed, nil
}

func names(wanted []setting) string {
	out := make([]string, len(wanted))
	for i, s := range wanted {
		out[i] = join(s.path)
	}
	return strings.Join(out, ", ")
}

// equal reports whether two TOML values say the same.
func equal(a, b string) bool {
	x, badX := spec.Parse("x = " + a)
	y, badY := spec.Parse("x = " + b)
	return badX == nil && badY == nil && maps.Equal(flat(x), flat(y))
}

const separator = "\x00"

// flat returns every value of a tree by its path.
func flat(root *spec.Node) map[string]string {
	out := map[string]string{}
	flatten(root, "", out)
	return out
}

func flatten(n *spec.Node, path string, out map[string]string) {
	switch {
	case n.IsTable():
		for _, k := range n.Keys {
			flatten(k.Node, path+separator+k.Name, out)
		}
	case n.IsArray():
		out[path+separator] = "list" // so that an empty one counts, too
		for i := range n.Items {
			flatten(&n.Items[i], path+separator+strconv.Itoa(i), out)
		}
	default:
		out[path] = fmt.Sprintf("%T %v", n.Scalar, n.Scalar)
	}
}

// take removes what is at path and below it and returns that, by the rest of its
// path.
func take(values map[string]string, path []string) map[string]string {
	head := separator + strings.Join(path, separator)
	out := map[string]string{}
	for k, v := range values {
		if rest, ok := strings.CutPrefix(k, head); ok && (rest == "" || strings.HasPrefix(rest, separator)) {
			out[rest] = v
			delete(values, k)
		}
	}
	return out
}
