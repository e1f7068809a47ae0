package awsapi

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"datakit.dev/internal/store"
)

// mint is a container's endpoint that gives other keys each time, for an hour.
type mint struct {
	url  string
	away atomic.Bool
	n    atomic.Int64
}

func newMint(t *testing.T, end time.Time) *mint {
	t.Helper()
	m := &mint{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if m.away.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		n := m.n.Add(1)
		fmt.Fprintf(w, `{"AccessKeyId":"KEY%d","SecretAccessKey":"secret%d","Token":"token%d","Expiration":%q}`,
			n, n, n, end.Add(time.Duration(n-1)*time.Hour).Format(time.RFC3339))
	}))
	t.Cleanup(srv.Close)
	m.url = srv.URL
	return m
}

func (m *mint) env() map[string]string {
	return map[string]string{"AWS_CONTAINER_CREDENTIALS_FULL_URI": m.url}
}

func TestKeysAreRenewedBeforeTheyEnd(t *testing.T) {
	t.Parallel()
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	m := newMint(t, now.Add(time.Hour))
	f := in(t, m.env())
	f.now = func() time.Time { return now }
	k := newKeyring(nil, f)
	get := func() string {
		t.Helper()
		got, err := k.get(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return got.AccessKeyID
	}
	for range 3 {
		if got := get(); got != "KEY1" || m.n.Load() != 1 {
			t.Errorf("keys that hold are %s, asked for %d times", got, m.n.Load())
		}
	}
	now = now.Add(56 * time.Minute)
	m.away.Store(true)
	if got := get(); got != "KEY1" {
		t.Errorf("while their place is away keys that still hold are %s", got)
	}
	now = now.Add(5 * time.Minute)
	if got, err := k.get(t.Context()); !errors.Is(err, store.ErrUnavailable) || got.AccessKeyID != "" {
		t.Errorf("after their end: %v", err)
	}
	m.away.Store(false)
	if got := get(); got != "KEY2" {
		t.Errorf("the new keys are %s", got)
	}
}

func TestRefusedKeysAreForgottenOnce(t *testing.T) {
	t.Parallel()
	m := newMint(t, time.Now().Add(time.Hour))
	k := newKeyring(nil, in(t, m.env()))
	one, err := k.get(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !k.drop(one) {
		t.Error("there may be other keys, and it says no")
	}
	two, err := k.get(t.Context())
	if err != nil || two.AccessKeyID != "KEY2" {
		t.Fatalf("%s, %v", two.AccessKeyID, err)
	}
	k.drop(one) // another call that had the old ones
	if three, err := k.get(t.Context()); err != nil || three.AccessKeyID != "KEY2" {
		t.Errorf("the new keys were forgotten with the old: %s, %v", three.AccessKeyID, err)
	}
	if newKeyring(&aws.Credentials{AccessKeyID: "A", SecretAccessKey: "S"}, in(t, nil)).drop(one) {
		t.Error("the keys of the options are said to have others")
	}
}
