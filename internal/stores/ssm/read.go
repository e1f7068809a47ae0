package ssm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"datakit.dev/internal/store"
	"datakit.dev/internal/store/awsapi"
)

const (
	// page is how many parameters a call lists or decrypts, the most there may be.
	page = 10
	// maxPages bounds a list that has no end; pages may be empty.
	maxPages = 4 * store.MaxEntries / page

	secure = "SecureString"
)

// A parameter is what the service says of one.
type parameter struct {
	Name    string
	Type    string
	Value   string
	Version int64
	// LastModifiedDate tells a parameter from another one of the same name and
	// version that was made after it was deleted.
	LastModifiedDate json.RawMessage
}

// revision names a version and, as versions begin anew with a parameter that is
// made again, its content.
func revision(version int64, value string) store.Revision {
	return store.Revision(strconv.FormatInt(version, 10)+".") + store.RevisionOf(value)
}

func (p *parameters) entry(it parameter) store.Entry {
	return store.Entry{
		Key:   strings.TrimPrefix(it.Name, p.root+"/"),
		Value: it.Value, Revision: revision(it.Version, it.Value),
	}
}

// decrypted is a secret as it was listed, with its value.
type decrypted struct {
	seen  string // identity of what was listed
	entry store.Entry
}

// identity tells a listed secret from any other version of it.
func (it parameter) identity() string {
	return fmt.Sprintf("%d %s %s", it.Version, it.LastModifiedDate, it.Value)
}

// look reads the whole tree.
func (p *parameters) look(ctx context.Context) ([]store.Entry, error) {
	listed, err := p.list(ctx)
	if err != nil {
		return nil, err
	}
	var entries []store.Entry
	var changed []string
	known, seen := map[string]decrypted{}, map[string]string{}
	for _, it := range listed {
		switch old, ok := p.known[it.Name]; {
		case it.Type != secure:
			entries = append(entries, p.entry(it))
		case ok && old.seen == it.identity():
			known[it.Name] = old
		default:
			if _, twice := seen[it.Name]; !twice {
				changed = append(changed, it.Name)
			}
			seen[it.Name] = it.identity()
		}
	}
	versions := map[string]int64{}
	for _, it := range listed {
		versions[it.Name] = it.Version
	}
	for names := range slices.Chunk(changed, page) {
		values, err := p.decrypt(ctx, names)
		if err != nil {
			return nil, err
		}
		for _, it := range values {
			d := decrypted{seen: seen[it.Name], entry: p.entry(it)}
			if it.Version != versions[it.Name] {
				d.seen = "" // it changed since it was listed: the next look decides
			}
			known[it.Name] = d
		}
	}
	for _, d := range known {
		entries = append(entries, d.entry)
	}
	p.known = known
	return entries, nil
}

// list returns every parameter below the root, secrets as they are stored.
func (p *parameters) list(ctx context.Context) ([]parameter, error) {
	in := struct {
		Path           string
		Recursive      bool
		WithDecryption bool
		MaxResults     int
		NextToken      string `json:",omitempty"`
	}{Path: p.root, Recursive: true, MaxResults: page}
	var listed []parameter
	for range maxPages {
		var out struct {
			Parameters []parameter
			NextToken  string
		}
		if err := p.api.Read(ctx, "GetParametersByPath", in, &out); err != nil {
			return nil, err
		}
		for _, it := range out.Parameters {
			if strings.HasPrefix(it.Name, p.root+"/") && it.Name != p.root+"/" {
				listed = append(listed, it)
			}
		}
		switch {
		case len(listed) > store.MaxEntries:
			return nil, fmt.Errorf("over %d parameters below %s", store.MaxEntries, p.root)
		case out.NextToken == "":
			return listed, nil
		}
		in.NextToken = out.NextToken
	}
	return nil, errors.New("the list of parameters has no end")
}

// decrypt returns the named parameters with their values; one that has gone
// meanwhile is missing.
func (p *parameters) decrypt(ctx context.Context, names []string) ([]parameter, error) {
	in := struct {
		Names          []string
		WithDecryption bool
	}{names, true}
	var out struct{ Parameters []parameter }
	if err := p.api.Read(ctx, "GetParameters", in, &out); err != nil {
		return nil, err
	}
	wanted := func(it parameter) bool { return !slices.Contains(names, it.Name) }
	return slices.DeleteFunc(out.Parameters, wanted), nil
}

// get returns one parameter with its value, nil where there is none.
func (p *parameters) get(ctx context.Context, name string) (*parameter, error) {
	in := struct {
		Name           string
		WithDecryption bool
	}{name, true}
	var out struct{ Parameter parameter }
	err := p.api.Read(ctx, "GetParameter", in, &out)
	if awsapi.Is(err, "ParameterNotFound") {
		return nil, nil //nolint:nilnil // no such parameter is an answer
	}
	return &out.Parameter, err
}
