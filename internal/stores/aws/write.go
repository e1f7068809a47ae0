package aws

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"unicode/utf8"

	"datakit.dev/internal/store"
	"datakit.dev/internal/store/awsapi"
)

// recoveryDays is how long a deleted secret can be brought back, the least there
// is. Its name stays taken so long, which is why a put restores it.
const recoveryDays = 7

const (
	notFound = "ResourceNotFoundException"
	exists   = "ResourceExistsException"
	marked   = "InvalidRequestException" // the secret waits to be deleted
)

type putRequest struct {
	Name               string `json:",omitempty"` // of a new one
	SecretID           string `json:"SecretId,omitempty"`
	ClientRequestToken string
	SecretString       string `json:",omitempty"`
	SecretBinary       []byte `json:",omitempty"`
}

// Put implements [store.Writer]. A secret that waits to be deleted is restored
// and gets the value. That a key is absent is checked by the service itself where
// the name is free; all else is compared before the write, for there is no other
// way.
func (s *secrets) Put(ctx context.Context, key, value string, cond store.Cond) (store.Revision, error) {
	if err := s.check(key, value); err != nil {
		return "", fmt.Errorf("put: %w", err)
	}
	rev, err := s.put(ctx, s.prefix+key, value, cond)
	if err != nil {
		return "", fmt.Errorf("put %s: %w", key, err)
	}
	return rev, nil
}

func (s *secrets) put(ctx context.Context, name, value string, cond store.Cond) (store.Revision, error) {
	// The token becomes the name of the version, and lets the service know a
	// request that it has already carried out.
	in := putRequest{SecretID: name, ClientRequestToken: token()}
	if utf8.ValidString(value) {
		in.SecretString = value
	} else {
		in.SecretBinary = []byte(value)
	}
	now, err := s.describe(ctx, name)
	switch {
	case err != nil:
		return "", err
	case now.there() && cond.Absent, cond.Revision != "" && (!now.there() || string(cond.Revision) != now.version()):
		return "", store.ErrConflict
	}
	operation := "PutSecretValue"
	switch {
	case now == nil:
		operation, in.Name, in.SecretID = "CreateSecret", name, ""
	case now.gone():
		if err := s.api.Write(ctx, "RestoreSecret", map[string]string{"SecretId": name}, &struct{}{}); err != nil {
			return "", err
		}
	}
	var out struct {
		VersionID string `json:"VersionId"`
	}
	err = s.api.Write(ctx, operation, in, &out)
	if awsapi.Is(err, exists, notFound, marked) {
		return "", store.ErrConflict // somebody made or deleted it since we looked
	}
	return store.Revision(out.VersionID), err
}

// there reports whether a secret exists and has a value.
func (l *listed) there() bool { return l != nil && !l.gone() && l.version() != "" }

// describe returns what there is of a secret, nil for nothing.
func (s *secrets) describe(ctx context.Context, name string) (*listed, error) {
	var out struct {
		listed
		VersionIdsToStages map[string][]string //nolint:revive // as the service spells it
	}
	err := s.api.Read(ctx, "DescribeSecret", map[string]string{"SecretId": name}, &out)
	if awsapi.Is(err, notFound) {
		return nil, nil //nolint:nilnil // no such secret is an answer
	}
	out.SecretVersionsToStages = out.VersionIdsToStages
	return &out.listed, err
}

// Delete implements [store.Writer]. The secret can be restored for a week.
func (s *secrets) Delete(ctx context.Context, key string, cond store.Cond) error {
	if err := s.check(key, "-"); err != nil {
		return fmt.Errorf("delete: %w", err)
	}
	if err := s.remove(ctx, s.prefix+key, cond); err != nil {
		return fmt.Errorf("delete %s: %w", key, err)
	}
	return nil
}

func (s *secrets) remove(ctx context.Context, name string, cond store.Cond) error {
	now, err := s.describe(ctx, name)
	switch {
	case err != nil:
		return err
	case !now.there():
		return store.ErrNotFound
	case cond.Revision != "" && string(cond.Revision) != now.version():
		return store.ErrConflict
	}
	in := struct {
		SecretID             string `json:"SecretId"`
		RecoveryWindowInDays int
	}{name, recoveryDays}
	err = s.api.Write(ctx, "DeleteSecret", in, &struct{}{})
	if awsapi.Is(err, notFound, marked) {
		return store.ErrNotFound
	}
	return err
}

// check refuses what a secret cannot hold.
func (s *secrets) check(key, value string) error {
	if err := store.CheckPut(key, value); err != nil {
		return err
	}
	if err := checkName(s.prefix + key); err != nil {
		return err
	}
	switch {
	case value == "":
		return fmt.Errorf("key %q: Secrets Manager takes no empty value; delete the key instead", key)
	case len(value) > maxValue:
		return fmt.Errorf("key %q: a value of %d bytes, Secrets Manager takes %d", key, len(value), maxValue)
	}
	return nil
}

// token returns a name for a version, in the form of a UUID.
func token() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // it never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
