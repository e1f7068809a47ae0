package config

import (
	"slices"
	"strconv"
	"strings"

	"datakit.dev/internal/plan"
	"datakit.dev/internal/spec"
	"datakit.dev/internal/status"
)

// claimLocal makes units of a local file's instances where no store has their
// kind.
func (c *compiler) claimLocal(o *outcome) {
	if len(o.instances) == 0 {
		return
	}
	var open []*Desired
	var aside status.KeyState
	for _, in := range o.instances {
		if why := c.stepsAside(in.Plugin.Name); why != "" {
			aside = status.Shadowed
			o.because(why)
			continue
		}
		open = append(open, in)
	}
	if len(open) == 0 {
		if o.state == status.Applied {
			o.state = aside
		}
		o.instances = nil
		return
	}
	o.instances = open
	c.claim(o)
}

// stepsAside says why a local input of this kind does not run, or "".
func (c *compiler) stepsAside(kind string) string {
	on, off := c.defaultKinds()
	switch {
	case c.kinds[kind]:
		return "a store has " + kind
	case slices.Contains(off, kind):
		return "default_enabled_inputs says -" + kind
	case c.req.Authoritative && !slices.Contains(on, kind):
		return "confd.authoritative is set, and no store has " + kind
	}
	return ""
}

// claimDefaults makes units of the default-enabled kinds that neither a store
// nor a local file configures, and returns those that could not be initialised.
func (c *compiler) claimDefaults(local []outcome) (failed []status.Key) {
	configured := map[string]bool{}
	for _, o := range local {
		for _, in := range o.instances {
			configured[in.Plugin.Name] = true
		}
	}
	on, _ := c.defaultKinds()
	for _, name := range on {
		k := c.req.Catalog.plugins[name]
		if c.kinds[name] || configured[name] {
			continue
		}
		ref := Ref{defaultSource, name}
		if refusal, refused := c.req.Refused[ref]; refused {
			failed = append(failed, status.Key{Store: defaultSource, Key: name, State: status.Rejected, Error: refusal.Err.Error()})
			continue
		}
		c.place(&Desired{Instance: newInstance(k, spec.Defaults(k.schema.Fields)), Ref: ref, id: "input/" + name + "/" + defaultSource}, defaultSource)
	}
	return failed
}

// defaultKinds returns the kinds that default_enabled_inputs asks for, and those
// that it takes away.
func (c *compiler) defaultKinds() (on, off []string) {
	for _, name := range c.req.Defaults {
		bare, minus := strings.CutPrefix(strings.TrimSpace(name), "-")
		k, ok := c.req.Catalog.plugins[bare]
		switch {
		case !ok:
		case minus:
			off = append(off, k.plugin.Name)
		case !slices.Contains(on, k.plugin.Name):
			on = append(on, k.plugin.Name)
		}
	}
	on = slices.DeleteFunc(on, func(n string) bool { return slices.Contains(off, n) })
	return on, off
}

// result names the units and gathers what became of every key.
func (c *compiler) result(outcomes []outcome) Result {
	r := Result{Units: name(c.units), Scripts: c.out, Keys: make([]status.Key, 0, len(outcomes)), Refs: make([]Ref, 0, len(outcomes)), Goods: make([]Good, 0, len(outcomes))}
	for i := range outcomes {
		o := &outcomes[i]
		r.Refs = append(r.Refs, o.ref)
		r.Pending = r.Pending || o.state == status.Kept || o.state == status.Rejected
		r.Keys = append(r.Keys, status.Key{
			Store: o.source.Backend, Key: o.key(), Revision: string(o.entry.Revision),
			State: o.state, Error: strings.Join(o.reasons, "; "),
		})
		if o.good != nil && o.source.ID != LocalSource && (len(o.good.instances) > 0 || o.good.script != nil) {
			r.Goods = append(r.Goods, Good{
				Source: o.source.ID, Backend: o.source.Backend, Key: o.key(), Short: o.entry.Key,
				Revision: o.good.entry.Revision, Value: o.good.entry.Value, Script: o.good.script != nil,
			})
		}
	}
	return r
}

// name gives every unit its ID: "input/cpu" for the only one of a kind; else the
// last part of its key is added, so that an ID stays over edits of other keys.
func name(units []plan.Unit) map[string]plan.Unit {
	kinds, used := map[string]int{}, map[string]int{}
	for _, u := range units {
		kinds[u.Kind]++
	}
	out := make(map[string]plan.Unit, len(units))
	for _, u := range units {
		if kinds[u.Kind] > 1 {
			u.ID = u.Body.(*Desired).id //nolint:forcetypeassert // place has put it there
		} else {
			u.ID = "input/" + u.Kind
		}
		// Counting what was used keeps thousands of tables under one label from
		// costing a search each.
		base := u.ID
		for {
			if _, ok := out[u.ID]; !ok {
				break
			}
			used[base]++
			u.ID = base + "#" + strconv.Itoa(used[base]+1)
		}
		out[u.ID] = u
	}
	return out
}

func label(key string) string {
	return strings.TrimSuffix(key[strings.LastIndexByte(key, '/')+1:], ".conf")
}
