package api

import (
	"reflect"

	"datakit.dev/internal/plan"
	"datakit.dev/internal/status"
	"datakit.dev/internal/status/changes"
)

// valuesOf returns the values of a type that has a fixed set of them; nil where it
// has none.
func valuesOf(t reflect.Type) []string {
	switch t {
	case reflect.TypeFor[status.StoreState]():
		return texts(status.Connecting, status.Watching, status.Polling, status.Stale, status.Held, status.Denied, status.Disabled)
	case reflect.TypeFor[status.KeyState]():
		return texts("", status.Applied, status.Kept, status.Rejected, status.Duplicate, status.Shadowed, status.Singleton, status.Empty, status.Ignored, changes.Removed)
	case reflect.TypeFor[status.UnitState]():
		return texts(status.Starting, status.Running, status.Failed, status.Stopping)
	case reflect.TypeFor[plan.Verb]():
		return texts(plan.Stop, plan.Restart, plan.Update, plan.Start, plan.Keep)
	}
	return nil
}

func texts[T ~string](values ...T) []string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = string(v)
	}
	return out
}
