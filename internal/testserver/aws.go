package testserver

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// region is the one of the emulators.
const awsRegion = "us-east-1"

// An AWS is an emulator of services of AWS.
type AWS struct {
	machine

	Endpoint string // URL
	// AccessKey and SecretKey are those of an operator who may do everything.
	AccessKey, SecretKey string

	client *http.Client
	launch func() *process
}

// newAWS starts what launch does, and ends it with the test.
func newAWS(tb testing.TB, endpoint string, ca *CA, launch func() *process) *AWS {
	tb.Helper()
	a := &AWS{Endpoint: endpoint, AccessKey: "AKIAOPERATOR00000000", SecretKey: "operator", launch: launch}
	// A kept connection may be one that a server closed when it was frozen.
	transport := &http.Transport{DisableKeepAlives: true}
	if ca != nil {
		transport.TLSClientConfig = ca.client()
	}
	a.client = &http.Client{Timeout: 30 * time.Second, Transport: transport}
	tb.Cleanup(func() { a.cmd.kill() })
	a.Start(tb)
	return a
}

// Host returns the address without its scheme.
func (a *AWS) Host() string {
	_, host, _ := strings.Cut(a.Endpoint, "://")
	return host
}

// Start starts the server, and waits until it answers at all.
func (a *AWS) Start(tb testing.TB) {
	tb.Helper()
	a.cmd = a.launch()
	a.cmd.ready(tb, startup, func(ctx context.Context) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.Endpoint+"/", nil)
		if err != nil {
			return err
		}
		resp, err := a.client.Do(req)
		if err != nil {
			return err
		}
		return resp.Body.Close()
	})
}

// Call sends one request of the JSON protocol, such as "AmazonSSM.PutParameter"
// to "ssm", and fails the test unless it succeeds.
func (a *AWS) Call(tb testing.TB, service, target string, in any) []byte {
	tb.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		tb.Fatal(err)
	}
	version := "1.1"
	if service == "dynamodb" {
		version = "1.0"
	}
	status, answer := a.send(tb, service, body, http.Header{
		"Content-Type": {"application/x-amz-json-" + version}, "X-Amz-Target": {target},
	})
	if status != http.StatusOK {
		tb.Errorf("%s: %d %s", target, status, answer)
	}
	return answer
}

func (a *AWS) send(tb testing.TB, service string, body []byte, header http.Header) (int, []byte) {
	tb.Helper()
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, a.Endpoint+"/", bytes.NewReader(body))
	if err != nil {
		tb.Fatal(err)
	}
	req.Header = header
	sum := sha256.Sum256(body)
	keys := aws.Credentials{AccessKeyID: a.AccessKey, SecretAccessKey: a.SecretKey}
	if err := v4.NewSigner().SignHTTP(req.Context(), keys, req, hex.EncodeToString(sum[:]), service, awsRegion, time.Now()); err != nil {
		tb.Fatal(err)
	}
	resp, err := a.client.Do(req)
	if err != nil {
		tb.Errorf("%s: %v", service, err)
		return 0, nil
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		tb.Error(err)
	}
	return resp.StatusCode, answer
}

// A Table is a table of an emulator of DynamoDB.
type Table struct {
	*AWS
	Name string
}

// NewTable makes a table whose primary key is the attribute key.
func (a *AWS) NewTable(tb testing.TB, name string) Table {
	tb.Helper()
	type pair map[string]string
	a.dynamo(tb, "CreateTable", map[string]any{
		"TableName": name, "BillingMode": "PAY_PER_REQUEST",
		"AttributeDefinitions": []pair{{"AttributeName": "key", "AttributeType": "S"}},
		"KeySchema":            []pair{{"AttributeName": "key", "KeyType": "HASH"}},
	})
	for !strings.Contains(string(a.dynamo(tb, "DescribeTable", map[string]any{"TableName": name})), `"ACTIVE"`) {
		if tb.Failed() {
			tb.FailNow()
		}
	}
	return Table{a, name}
}

func (a *AWS) dynamo(tb testing.TB, operation string, in any) []byte {
	tb.Helper()
	return a.Call(tb, "dynamodb", "DynamoDB_20120810."+operation, in)
}

// Put writes an item: a string, or bytes where value is none.
func (t Table) Put(tb testing.TB, key, value string) {
	tb.Helper()
	var v any = map[string]string{"S": value}
	if strings.ToValidUTF8(value, "") != value {
		v = map[string][]byte{"B": []byte(value)}
	}
	t.PutItem(tb, map[string]any{"key": map[string]string{"S": key}, "value": v})
}

// PutItem writes an item of any attributes.
func (t Table) PutItem(tb testing.TB, item map[string]any) {
	tb.Helper()
	t.dynamo(tb, "PutItem", map[string]any{"TableName": t.Name, "Item": item})
}

// Get returns the attributes of an item.
func (t Table) Get(tb testing.TB, key string) map[string]map[string]any {
	tb.Helper()
	var out struct{ Item map[string]map[string]any }
	answer := t.dynamo(tb, "GetItem", map[string]any{"TableName": t.Name, "Key": map[string]any{"key": map[string]string{"S": key}}, "ConsistentRead": true})
	if err := json.Unmarshal(answer, &out); err != nil {
		tb.Error(err)
	}
	return out.Item
}

// Delete removes an item.
func (t Table) Delete(tb testing.TB, key string) {
	tb.Helper()
	t.dynamo(tb, "DeleteItem", map[string]any{"TableName": t.Name, "Key": map[string]any{"key": map[string]string{"S": key}}})
}

// fail ends the test unless an operation that speaks XML succeeded.
func fail(tb testing.TB, what string, status int, answer []byte) {
	tb.Helper()
	if status != http.StatusOK {
		tb.Fatal(fmt.Errorf("%s: %d %s", what, status, answer))
	}
}
