// Package aws is a config store in AWS Secrets Manager, where each secret whose
// name begins with /datakit/ is one key.
//
// A look lists the names with the versions that are current, and fetches only
// the secrets whose version changed: a fetch is paid for by the call, and
// decrypts. The list may run some seconds, and by Amazon's word up to five
// minutes, behind a write.
package aws

import (
	"fmt"
	"log/slog"
	"regexp"

	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
	"datakit.dev/internal/store/awsapi"
	"datakit.dev/internal/store/poll"
)

const (
	maxValue = 64 << 10
	maxName  = 512
)

// Backend returns the Secrets Manager store for the list of backends.
func Backend() store.Backend {
	return store.Backend{
		Name:   "aws",
		Doc:    "AWS Secrets Manager, each secret a key: looked at every circle_interval; what changed is fetched.",
		DocZH:  "AWS Secrets Manager，每个密钥即一个键：每隔 circle_interval 查看一次，只读取有变化的密钥。",
		Spec:   spec.Schema{Name: "confds", Fields: store.Pick(awsapi.Options()...)},
		Traits: store.Traits{Writes: true, MaxValue: maxValue},
		Open:   func(o store.Options) (store.Store, error) { return open(o) },
	}
}

// secrets is those whose names begin with a prefix.
type secrets struct {
	*poll.Store
	api    *awsapi.Client
	prefix string             // of every name, with its trailing slash
	known  map[string]fetched // by name; only a look uses it
}

func open(o store.Options) (*secrets, error) {
	api, err := awsapi.New(awsapi.Service{Backend: "aws", Host: "secretsmanager", Target: "secretsmanager", Version: "1.1"}, o.Values)
	if err != nil {
		return nil, err
	}
	if err := checkName(o.Root); err != nil {
		return nil, fmt.Errorf("prefix: %w", err)
	}
	log := o.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	s := &secrets{api: api, prefix: o.Root + "/"}
	s.Store = poll.New(poll.Options{Name: "aws", Every: poll.Every(o.Values), Read: s.look, Log: log})
	return s, nil
}

// Close implements [store.Store].
func (s *secrets) Close() error {
	err := s.Store.Close()
	s.api.Close()
	return err
}

// checkName refuses a name that Secrets Manager would refuse, with the reason.
func checkName(name string) error {
	switch ok, _ := regexp.MatchString(`^[a-zA-Z0-9/_+=.@-]+$`, name); {
	case !ok:
		return fmt.Errorf("%q: Secrets Manager takes letters, digits and / _ + = . @ - only", name)
	case len(name) > maxName:
		return fmt.Errorf("the name is longer than the %d characters that Secrets Manager takes", maxName)
	}
	return nil
}
