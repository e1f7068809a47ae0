// Package dynamodb is a config store in a table of DynamoDB, where each item is
// one key: the attribute key, /datakit/confd/cpu, and the attribute value.
//
// DynamoDB has no cheap way to ask what changed: its streams hold a day, and
// ask for a shard to be followed by each agent. So the table is scanned every
// circle_interval, with consistent reads: an eventual one may show a key as gone
// that was just written anew.
package dynamodb

import (
	"errors"
	"log/slog"

	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
	"datakit.dev/internal/store/awsapi"
	"datakit.dev/internal/store/poll"
)

const (
	// maxItem is what DynamoDB takes of one item, names of attributes included.
	maxItem = 400 << 10
	// maxKey is what it takes of a key.
	maxKey = 2048
	// maxValue leaves room for the longest key.
	maxValue = maxItem - maxKey - len(keyName) - len(valueName)

	keyName, valueName = "key", "value"
)

// Backend returns the DynamoDB store for the list of backends.
func Backend() store.Backend {
	return store.Backend{
		Name:   "dynamodb",
		Doc:    "A table of Amazon DynamoDB with the attributes key and value: scanned every circle_interval.",
		DocZH:  "Amazon DynamoDB 的表（属性 key 和 value）：每隔 circle_interval 扫描一次。",
		Spec:   spec.Schema{Name: "confds", Fields: store.Pick(append(awsapi.Options(), "table")...)},
		Traits: store.Traits{Writes: true, CompareAndSet: true, MaxValue: maxValue},
		Open:   func(o store.Options) (store.Store, error) { return open(o) },
	}
}

// dynamo is a table.
type dynamo struct {
	*poll.Store
	api    *awsapi.Client
	table  string
	prefix string // of every key, with its trailing slash
}

func open(o store.Options) (*dynamo, error) {
	api, err := awsapi.New(awsapi.Service{Backend: "dynamodb", Host: "dynamodb", Target: "DynamoDB_20120810", Version: "1.0"}, o.Values)
	if err != nil {
		return nil, err
	}
	d := &dynamo{api: api, table: o.Values.String("table"), prefix: o.Root + "/"}
	if d.table == "" {
		return nil, errors.New(`backend "dynamodb" needs table`)
	}
	log := o.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	d.Store = poll.New(poll.Options{Name: "dynamodb", Every: poll.Every(o.Values), Read: d.scan, Log: log})
	return d, nil
}

// Close implements [store.Store].
func (d *dynamo) Close() error {
	err := d.Store.Close()
	d.api.Close()
	return err
}
