package ssm

import (
	"context"
	"fmt"
	"unicode/utf8"

	"datakit.dev/internal/store"
	"datakit.dev/internal/store/awsapi"
)

// Put implements [store.Writer]. A new parameter is a SecureString under the
// account's own key, of the standard tier while it fits; one that is there keeps
// its type, which the service would not let us change.
//
// That a key is absent is checked by the service itself; a revision is compared
// before the write, for there is no other way.
func (p *parameters) Put(ctx context.Context, key, value string, cond store.Cond) (store.Revision, error) {
	if err := p.check(key, value); err != nil {
		return "", fmt.Errorf("put: %w", err)
	}
	version, err := p.put(ctx, p.root+"/"+key, value, cond)
	if err != nil {
		return "", fmt.Errorf("put %s: %w", key, err)
	}
	return revision(version, value), nil
}

type putRequest struct {
	Name, Value, Type string
	Overwrite         bool
	Tier              string
}

func (p *parameters) put(ctx context.Context, name, value string, cond store.Cond) (int64, error) {
	in := putRequest{Name: name, Value: value, Type: secure, Tier: "Intelligent-Tiering"}
	if !cond.Absent {
		old, err := p.get(ctx, name)
		if err != nil {
			return 0, err
		}
		if err := compare(old, cond); err != nil {
			return 0, err
		}
		if old != nil {
			in.Overwrite, in.Type = true, old.Type
		}
	}
	var out struct{ Version int64 }
	err := p.api.Write(ctx, "PutParameter", in, &out)
	if awsapi.Is(err, "ParameterAlreadyExists") {
		return 0, store.ErrConflict
	}
	return out.Version, err
}

// compare reports a parameter that is not at the revision of cond.
func compare(old *parameter, cond store.Cond) error {
	if cond.Revision != "" && (old == nil || revision(old.Version, old.Value) != cond.Revision) {
		return store.ErrConflict
	}
	return nil
}

// Delete implements [store.Writer].
func (p *parameters) Delete(ctx context.Context, key string, cond store.Cond) error {
	if err := p.check(key, "-"); err != nil {
		return fmt.Errorf("delete: %w", err)
	}
	if err := p.remove(ctx, p.root+"/"+key, cond); err != nil {
		return fmt.Errorf("delete %s: %w", key, err)
	}
	return nil
}

func (p *parameters) remove(ctx context.Context, name string, cond store.Cond) error {
	if cond.Revision != "" {
		old, err := p.get(ctx, name)
		switch {
		case err != nil:
			return err
		case old == nil:
			return store.ErrNotFound
		}
		if err := compare(old, cond); err != nil {
			return err
		}
	}
	err := p.api.Write(ctx, "DeleteParameter", map[string]string{"Name": name}, &struct{}{})
	if awsapi.Is(err, "ParameterNotFound") {
		return store.ErrNotFound
	}
	return err
}

// check refuses what a parameter cannot hold.
func (p *parameters) check(key, value string) error {
	if err := store.CheckPut(key, value); err != nil {
		return err
	}
	if err := checkName(p.root + "/" + key); err != nil {
		return err
	}
	switch {
	case value == "":
		return fmt.Errorf("key %q: Parameter Store takes no empty value; delete the key instead", key)
	case len(value) > maxValue:
		return fmt.Errorf("key %q: a value of %d bytes, Parameter Store takes %d", key, len(value), maxValue)
	case !utf8.ValidString(value):
		return fmt.Errorf("key %q: Parameter Store takes text only, and this is no UTF-8", key)
	}
	return nil
}
