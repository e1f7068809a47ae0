package env

import "datakit.dev/internal/store"

// OpenIn opens the store on an environment of a size that no process has.
func OpenIn(root string, environ []string) (store.Store, error) {
	return open(store.Options{Root: root}, environ)
}
