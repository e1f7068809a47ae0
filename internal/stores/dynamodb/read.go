package dynamodb

import (
	"context"
	"errors"
	"fmt"

	"datakit.dev/internal/store"
	"datakit.dev/internal/store/awsapi"
)

// maxPages bounds a scan, a megabyte a page: who points us at the table of their
// customers hears so, and does not pay for reading it each minute.
const maxPages = 2000

type scanRequest struct {
	TableName                 string
	ConsistentRead            bool
	FilterExpression          string
	ProjectionExpression      string
	ExpressionAttributeNames  map[string]string
	ExpressionAttributeValues map[string]any
	ExclusiveStartKey         item `json:",omitempty"`
}

type scanAnswer struct {
	Items            []item
	LastEvaluatedKey item
}

// names are the attributes in expressions: both are words of the language.
func names() map[string]string { return map[string]string{"#k": keyName, "#v": valueName} }

// scan reads the whole tree.
func (d *dynamo) scan(ctx context.Context) ([]store.Entry, error) {
	in := scanRequest{
		TableName: d.table, ConsistentRead: true,
		FilterExpression: "begins_with(#k, :prefix)", ProjectionExpression: "#k, #v",
		ExpressionAttributeNames:  names(),
		ExpressionAttributeValues: map[string]any{":prefix": attributeOf(d.prefix)},
	}
	var entries []store.Entry
	size := 0
	for range maxPages {
		var out scanAnswer
		if err := d.api.Read(ctx, "Scan", in, &out); err != nil {
			return nil, d.explain(err)
		}
		for _, it := range out.Items {
			if e, ok := entryOf(d.prefix, it); ok {
				entries = append(entries, e)
				size += len(e.Key) + len(e.Value)
			}
		}
		switch {
		case len(entries) > store.MaxEntries || size > store.MaxTree:
			return nil, fmt.Errorf("the table holds over %d keys or %d bytes below %s", store.MaxEntries, store.MaxTree, d.prefix)
		case len(out.LastEvaluatedKey) == 0:
			return entries, nil
		}
		in.ExclusiveStartKey = out.LastEvaluatedKey
	}
	return nil, errors.New("the table is over 2 GB: give the agents one of their own")
}

// explain says what to do about a table that is not there.
func (d *dynamo) explain(err error) error {
	if awsapi.Is(err, "ResourceNotFoundException") {
		return fmt.Errorf("%w: there is no table %q in this region and account; `datakit confd put --create` makes one", store.ErrUnavailable, d.table)
	}
	return err
}
