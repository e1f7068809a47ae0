package aws_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
	"datakit.dev/internal/stores/aws"
)

// Whatever a server answers, there is a tree of keys below the root, or an error
// that has its place.
func FuzzAnswer(f *testing.F) {
	for _, s := range []string{
		`{"SecretList":[{"Name":"/datakit/confd/a","SecretVersionsToStages":{"v":["AWSCURRENT"]}}],"SecretValues":[{"Name":"/datakit/confd/a","VersionId":"v","SecretString":"1"}]}`,
		`{"SecretList":[{"Name":"/datakit/a","SecretVersionsToStages":{"v":["AWSCURRENT"]}}],"SecretValues":[{"Name":"/other","SecretBinary":"AA=="}],"Errors":[{"ErrorCode":"x"}]}`,
		`{"SecretList":[{"Name":"/datakit/"},{"DeletedDate":1}]}`, `{"SecretList":null}`, `{"__type":"x#AccessDeniedException"}`,
	} {
		f.Add(http.StatusOK, s)
		f.Add(http.StatusBadRequest, s)
	}
	type answer struct {
		status int
		body   string
	}
	var now atomic.Pointer[answer]
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		a := now.Load()
		w.WriteHeader(a.status)
		_, _ = w.Write([]byte(a.body))
	}))
	f.Cleanup(srv.Close)
	f.Fuzz(func(t *testing.T, status int, body string) {
		if status < 200 || status >= 500 || status == http.StatusTooManyRequests || strings.Contains(body, "NextToken") || strings.Contains(body, "Thrott") {
			return // these are asked again, for a while
		}
		now.Store(&answer{status, body})
		st, err := aws.Backend().Open(store.Options{Root: root, Values: spec.Values{
			"nodes": []string{srv.URL}, "region": "us-east-1", "access_key": "AKIDEXAMPLE", "secret_key": "the-secret-key",
		}})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = st.Close() }()
		snap, err := st.Read(t.Context())
		if err != nil && !errors.Is(err, store.ErrUnavailable) && !errors.Is(err, store.ErrDenied) {
			t.Errorf("%v", err)
		}
		for _, e := range snap.Entries {
			if e.Key == "" || strings.HasPrefix(e.Key, root) && !strings.Contains(body, root+"/"+root) {
				t.Errorf("%s gives %v", body, e)
			}
		}
	})
}
