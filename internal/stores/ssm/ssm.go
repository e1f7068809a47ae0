// Package ssm is a config store in the Parameter Store of AWS Systems Manager,
// where each parameter below /datakit is one key.
//
// A look lists the tree without decrypting it, which costs a request for every
// ten parameters, and decrypts only what changed since the last look: decryption
// is paid for by the call, and bounded for the whole account. The list that is
// told apart by versions alone, DescribeParameters, would be shorter, but runs
// behind, is throttled at a few calls a second for a whole account, and asks for
// a permission that cannot be limited to a path.
package ssm

import (
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strings"

	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
	"datakit.dev/internal/store/awsapi"
	"datakit.dev/internal/store/poll"
)

const (
	// maxValue is what an advanced parameter takes; a standard one takes half.
	maxValue  = 8 << 10
	maxName   = 1011 // with the ARN that AWS puts before it counted in: see room
	maxLevels = 15
	// room is what an ARN has before the name, at most.
	room = 70
)

// Backend returns the Parameter Store for the list of backends.
func Backend() store.Backend {
	return store.Backend{
		Name:   "ssm",
		Doc:    "Parameter Store of AWS Systems Manager: looked at every circle_interval; what changed is decrypted.",
		DocZH:  "AWS Systems Manager 的 Parameter Store：每隔 circle_interval 查看一次，只解密有变化的参数。",
		Spec:   spec.Schema{Name: "confds", Fields: store.Pick(awsapi.Options()...)},
		Traits: store.Traits{Writes: true, MaxValue: maxValue},
		Open:   func(o store.Options) (store.Store, error) { return open(o) },
	}
}

// parameters is the tree below a path.
type parameters struct {
	*poll.Store
	api   *awsapi.Client
	root  string
	known map[string]decrypted // by full name; only a look uses it
}

func open(o store.Options) (*parameters, error) {
	api, err := awsapi.New(awsapi.Service{Backend: "ssm", Host: "ssm", Target: "AmazonSSM", Version: "1.1"}, o.Values)
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
	p := &parameters{api: api, root: o.Root}
	p.Store = poll.New(poll.Options{Name: "ssm", Every: poll.Every(o.Values), Read: p.look, Log: log})
	return p, nil
}

// Close implements [store.Store].
func (p *parameters) Close() error {
	err := p.Store.Close()
	p.api.Close()
	return err
}

// checkName refuses a name that Parameter Store would refuse, with the reason.
func checkName(name string) error {
	first := strings.ToLower(strings.TrimPrefix(name, "/"))
	switch ok, _ := regexp.MatchString(`^(/[a-zA-Z0-9_.-]+)+$`, name); {
	case !ok:
		return fmt.Errorf("%q: Parameter Store takes letters, digits and _ . - / only", name)
	case strings.Count(name, "/") > maxLevels:
		return fmt.Errorf("%q: Parameter Store takes %d levels", name, maxLevels)
	case len(name) > maxName-room:
		return errors.New("the name is longer than Parameter Store takes")
	case strings.HasPrefix(first, "aws"), strings.HasPrefix(first, "ssm"):
		return fmt.Errorf("%q: Parameter Store keeps names that begin with aws or ssm for itself", name)
	}
	return nil
}
