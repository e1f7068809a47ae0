package dynamodb

import (
	"context"
	"errors"
	"fmt"
	"time"

	"datakit.dev/internal/store"
	"datakit.dev/internal/store/awsapi"
)

// errFailed is the code of a condition that does not hold.
const errFailed = "ConditionalCheckFailedException"

type writeRequest struct {
	TableName                 string
	Key                       map[string]any
	UpdateExpression          string            `json:",omitempty"`
	ConditionExpression       string            `json:",omitempty"`
	ExpressionAttributeNames  map[string]string `json:",omitempty"`
	ExpressionAttributeValues map[string]any    `json:",omitempty"`
}

func (d *dynamo) request(key string) writeRequest {
	return writeRequest{
		TableName: d.table, Key: map[string]any{keyName: attributeOf(d.prefix + key)},
		ExpressionAttributeNames: map[string]string{}, ExpressionAttributeValues: map[string]any{},
	}
}

// Put implements [store.Writer]. It changes the value only: what else an item
// holds is its owner's.
func (d *dynamo) Put(ctx context.Context, key, value string, cond store.Cond) (store.Revision, error) {
	if err := d.check(key, value); err != nil {
		return "", fmt.Errorf("put: %w", err)
	}
	in := d.request(key)
	in.UpdateExpression = "SET #v = :new"
	in.ExpressionAttributeNames["#v"] = valueName
	in.ExpressionAttributeValues[":new"] = attributeOf(value)
	err := d.condition(ctx, &in, key, cond)
	if err == nil {
		err = d.send(ctx, "UpdateItem", in)
	}
	if err != nil {
		return "", fmt.Errorf("put %s: %w", key, err)
	}
	return store.RevisionOf(value), nil
}

// Delete implements [store.Writer].
func (d *dynamo) Delete(ctx context.Context, key string, cond store.Cond) error {
	if err := d.check(key, ""); err != nil {
		return fmt.Errorf("delete: %w", err)
	}
	err := d.remove(ctx, key, cond)
	if err != nil {
		return fmt.Errorf("delete %s: %w", key, err)
	}
	return nil
}

func (d *dynamo) remove(ctx context.Context, key string, cond store.Cond) error {
	in := d.request(key)
	in.ConditionExpression = "attribute_exists(#k)"
	in.ExpressionAttributeNames["#k"] = keyName
	if cond.Revision != "" {
		it, err := d.item(ctx, key)
		if err != nil {
			return err
		}
		if it == nil {
			return store.ErrNotFound
		}
		if err := d.same(&in, it, cond.Revision); err != nil {
			return err
		}
	}
	err := d.send(ctx, "DeleteItem", in)
	if cond.Revision == "" && errors.Is(err, store.ErrConflict) {
		return store.ErrNotFound
	}
	return err
}

// check refuses what the table cannot hold.
func (d *dynamo) check(key, value string) error {
	switch err := store.CheckPut(key, value); {
	case err != nil:
		return err
	case len(d.prefix)+len(key) > maxKey:
		return fmt.Errorf("key %q: with %s it has over %d bytes, which DynamoDB does not take", key, d.prefix, maxKey)
	case len(value) > maxValue:
		return fmt.Errorf("key %q: a value of %d bytes, DynamoDB takes %d", key, len(value), maxValue)
	}
	return nil
}

// condition adds cond to a request.
func (d *dynamo) condition(ctx context.Context, in *writeRequest, key string, cond store.Cond) error {
	switch {
	case cond.Absent:
		in.ConditionExpression = "attribute_not_exists(#k)"
		in.ExpressionAttributeNames["#k"] = keyName
		return nil
	case cond.Revision == "":
		return nil
	}
	it, err := d.item(ctx, key)
	if err != nil {
		return err
	}
	return d.same(in, it, cond.Revision)
}

// same lets a request hold only while the item is at the revision want. The table
// knows no revisions: the value that has it is compared as it was read, by the
// table itself.
func (d *dynamo) same(in *writeRequest, it item, want store.Revision) error {
	e, ok := entryOf(d.prefix, it)
	if !ok || e.Revision != want {
		return store.ErrConflict
	}
	in.ExpressionAttributeNames["#v"] = valueName
	old, ok := it[valueName]
	if !ok {
		in.ConditionExpression = "attribute_exists(#k) AND attribute_not_exists(#v)"
		in.ExpressionAttributeNames["#k"] = keyName
		return nil
	}
	delete(in.ExpressionAttributeNames, "#k") // a name that no expression uses is refused
	in.ConditionExpression = "#v = :old"
	in.ExpressionAttributeValues[":old"] = old
	return nil
}

// item returns the item of key, nil where there is none.
func (d *dynamo) item(ctx context.Context, key string) (item, error) {
	in := struct {
		TableName      string
		Key            map[string]any
		ConsistentRead bool
	}{d.table, map[string]any{keyName: attributeOf(d.prefix + key)}, true}
	var out struct{ Item item }
	if err := d.api.Read(ctx, "GetItem", in, &out); err != nil {
		return nil, d.explain(err)
	}
	return out.Item, nil
}

func (d *dynamo) send(ctx context.Context, operation string, in writeRequest) error {
	err := d.api.Write(ctx, operation, in, &struct{}{})
	if awsapi.Is(err, errFailed) {
		return store.ErrConflict
	}
	return d.explain(err)
}

// Create implements [store.Creator]: it makes the table, paid for by request,
// and returns once it can be written.
func (d *dynamo) Create(ctx context.Context) error {
	type pair map[string]string
	in := map[string]any{
		"TableName":            d.table,
		"AttributeDefinitions": []pair{{"AttributeName": keyName, "AttributeType": "S"}},
		"KeySchema":            []pair{{"AttributeName": keyName, "KeyType": "HASH"}},
		"BillingMode":          "PAY_PER_REQUEST",
	}
	err := d.api.Write(ctx, "CreateTable", in, &struct{}{})
	if err == nil || awsapi.Is(err, "ResourceInUseException") { // it is there
		err = d.active(ctx)
	}
	if err != nil {
		return fmt.Errorf("create table %s: %w", d.table, err)
	}
	return nil
}

// active returns once the table can be used, and an error where its key is not
// what we need.
func (d *dynamo) active(ctx context.Context) error {
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for {
		var out struct {
			Table struct {
				TableStatus string
				KeySchema   []struct{ AttributeName, KeyType string }
			}
		}
		if err := d.api.Read(ctx, "DescribeTable", map[string]string{"TableName": d.table}, &out); err != nil {
			return err
		}
		if keys := out.Table.KeySchema; len(keys) != 1 || keys[0].AttributeName != keyName {
			return fmt.Errorf("the table is there, but its primary key is not the attribute %q alone", keyName)
		}
		if out.Table.TableStatus == "ACTIVE" {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
