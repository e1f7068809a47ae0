package aws

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"datakit.dev/internal/diag"
	"datakit.dev/internal/store"
)

const (
	listPage  = 100 // the most there may be
	fetchPage = 20
	// maxPages bounds a list that has no end; pages may be empty.
	maxPages = 4 * store.MaxEntries / listPage

	current = "AWSCURRENT" // the stage of the version that counts
)

// listed is what a list says of one secret.
type listed struct {
	Name                   string
	DeletedDate            json.RawMessage
	SecretVersionsToStages map[string][]string
}

// version returns the version that is current, "" where the secret has none: one
// that never had a value, or whose rotation is under way for the first time.
func (l listed) version() string {
	for id, stages := range l.SecretVersionsToStages {
		if slices.Contains(stages, current) {
			return id
		}
	}
	return ""
}

// gone reports whether the secret waits to be deleted.
func (l listed) gone() bool { return len(l.DeletedDate) > 0 && string(l.DeletedDate) != "null" }

// fetched is the value of one version of a secret.
type fetched struct {
	Name         string
	VersionID    string `json:"VersionId"`
	SecretString *string
	SecretBinary []byte
}

func (f fetched) entry(prefix string) store.Entry {
	e := store.Entry{Key: strings.TrimPrefix(f.Name, prefix), Value: string(f.SecretBinary), Revision: store.Revision(f.VersionID)}
	if f.SecretString != nil {
		e.Value = *f.SecretString
	}
	return e
}

// look reads the whole tree.
func (s *secrets) look(ctx context.Context) ([]store.Entry, error) {
	versions, err := s.list(ctx)
	if err != nil {
		return nil, err
	}
	known := map[string]fetched{}
	var changed []string
	for name, version := range versions {
		if old, ok := s.known[name]; ok && old.VersionID == version {
			known[name] = old
		} else {
			changed = append(changed, name)
		}
	}
	slices.Sort(changed) // so that the same request is made again after a failure
	for names := range slices.Chunk(changed, fetchPage) {
		if err := s.fetch(ctx, names, known); err != nil {
			return nil, err
		}
	}
	s.known = known
	entries := make([]store.Entry, 0, len(known))
	for _, f := range known {
		entries = append(entries, f.entry(s.prefix))
	}
	return entries, nil
}

// list returns the current version of every secret below the prefix.
func (s *secrets) list(ctx context.Context) (map[string]string, error) {
	type filter struct {
		Key    string
		Values []string
	}
	in := struct {
		Filters    []filter
		MaxResults int
		NextToken  string `json:",omitempty"`
	}{Filters: []filter{{"name", []string{s.prefix}}}, MaxResults: listPage}
	versions := map[string]string{}
	for range maxPages {
		var out struct {
			SecretList []listed
			NextToken  string
		}
		if err := s.api.Read(ctx, "ListSecrets", in, &out); err != nil {
			return nil, err
		}
		for _, l := range out.SecretList {
			// The filter of the service finds names that differ in case, too.
			if v := l.version(); strings.HasPrefix(l.Name, s.prefix) && l.Name != s.prefix && !l.gone() && v != "" {
				versions[l.Name] = v
			}
		}
		switch {
		case len(versions) > store.MaxEntries:
			return nil, fmt.Errorf("over %d secrets below %s", store.MaxEntries, s.prefix)
		case out.NextToken == "":
			return versions, nil
		}
		in.NextToken = out.NextToken
	}
	return nil, errors.New("the list of secrets has no end")
}

// fetch adds the current values of the named secrets to into. One that has gone
// meanwhile is left out; one that we may not read fails the whole, for it must
// not look deleted.
func (s *secrets) fetch(ctx context.Context, names []string, into map[string]fetched) error {
	in := struct {
		SecretIDList []string `json:"SecretIdList"`
		NextToken    string   `json:",omitempty"`
	}{SecretIDList: names}
	for range maxPages {
		var out struct {
			SecretValues []fetched
			Errors       []struct {
				SecretID  string `json:"SecretId"`
				ErrorCode string
			}
			NextToken string
		}
		if err := s.api.Read(ctx, "BatchGetSecretValue", in, &out); err != nil {
			return err
		}
		for _, e := range out.Errors {
			switch e.ErrorCode {
			case "ResourceNotFoundException", "InvalidRequestException": // deleted, or about to be
			case "AccessDeniedException", "AccessDenied", "DecryptionFailure":
				return fmt.Errorf("%w: the secret %s: %s", store.ErrDenied, diag.OneLine(e.SecretID), diag.OneLine(e.ErrorCode))
			default:
				return fmt.Errorf("%w: the secret %s: %s", store.ErrUnavailable, diag.OneLine(e.SecretID), diag.OneLine(e.ErrorCode))
			}
		}
		for _, f := range out.SecretValues {
			if slices.Contains(names, f.Name) {
				into[f.Name] = f
			}
		}
		if out.NextToken == "" {
			return nil
		}
		in.NextToken = out.NextToken
	}
	return errors.New("the list of secrets has no end")
}
