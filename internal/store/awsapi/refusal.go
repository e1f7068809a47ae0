package awsapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"datakit.dev/internal/store"
	"datakit.dev/internal/store/httpnodes"
)

// An Error is what a service answered in the place of a result.
type Error struct {
	Status    int    // of HTTP
	Code      string // "ResourceNotFoundException"
	Message   string // one line, without secrets
	Throttled bool   // it was too busy to begin

	expired bool  // with other credentials it may do
	kind    error // of package store, or nil
}

// Error implements error.
func (e *Error) Error() string {
	text := e.Code
	if e.Message != "" {
		text += ": " + e.Message
	}
	if e.kind != nil {
		text = e.kind.Error() + ": " + text
	}
	return text
}

// Unwrap returns the error of package store that e counts as, if any.
func (e *Error) Unwrap() error { return e.kind }

// Is reports whether err is an answer with one of the codes.
func Is(err error, codes ...string) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && slices.Contains(codes, e.Code)
}

// The codes that more than one service answers with.
func throttling() []string {
	return []string{
		"ThrottlingException", "Throttling", "ThrottledException", "TooManyRequestsException", "RequestLimitExceeded", "RequestThrottled",
		"RequestThrottledException", "ProvisionedThroughputExceededException", "PriorRequestNotComplete", "SlowDown", "TooManyUpdates",
	}
}

// unsigned are the codes of a signature that does not hold.
func unsigned() []string {
	return []string{"InvalidSignatureException", "SignatureDoesNotMatch", "RequestTimeTooSkewed", "RequestExpired", "IncompleteSignature", "IncompleteSignatureException"}
}

// expiries are the codes of credentials that may have been right before.
func expiries() []string {
	return []string{"ExpiredToken", "ExpiredTokenException", "UnrecognizedClientException", "InvalidClientTokenId", "InvalidAccessKeyId"}
}

func denials() []string {
	return []string{
		"AccessDeniedException", "AccessDenied", "UnauthorizedOperation", "NotAuthorized", "AuthFailure", "OptInRequired",
		"MissingAuthenticationToken", "MissingAuthenticationTokenException", "DecryptionFailure", "EncryptionFailure", "InvalidKeyId",
	}
}

// refusal makes an error of an answer. keys are taken out of what it says.
func (c *Client) refusal(resp httpnodes.Response, keys aws.Credentials) error {
	e := &Error{Status: resp.Status, Code: code(resp)}
	var said struct{ Message string }
	if json.Unmarshal(resp.Body, &said) == nil {
		e.Message = clean(said.Message, keys)
	}
	switch {
	case slices.Contains(throttling(), e.Code) || resp.Status == http.StatusTooManyRequests:
		e.Throttled, e.kind = true, store.ErrUnavailable
	case slices.Contains(unsigned(), e.Code):
		// The service repeats all that was signed, a session token included.
		e.kind, e.Message = store.ErrDenied, "the signature does not hold; is the secret key right?"+c.skew(resp.Header)
	case slices.Contains(expiries(), e.Code):
		e.kind, e.expired = store.ErrDenied, true
	case slices.Contains(denials(), e.Code), resp.Status == http.StatusUnauthorized, resp.Status == http.StatusForbidden:
		e.kind = store.ErrDenied
	case resp.Status >= http.StatusInternalServerError:
		e.kind = store.ErrUnavailable
	case e.Code == "":
		e.kind, e.Message = store.ErrUnavailable, "is it "+c.service.Host+" that answers there?"
	}
	if e.Code == "" {
		e.Code = fmt.Sprintf("status %d", resp.Status)
	}
	return e
}

// code finds the code of an error, of which there are several spellings:
// "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException",
// "ResourceNotFoundException:http://…".
func code(resp httpnodes.Response) string {
	var said struct {
		Type string `json:"__type"`
		Code string
	}
	name := resp.Header.Get("X-Amzn-Errortype")
	if json.Unmarshal(resp.Body, &said) == nil {
		switch {
		case said.Type != "":
			name = said.Type
		case name == "":
			name = said.Code
		}
	}
	if i := strings.LastIndex(name, "#"); i >= 0 {
		name = name[i+1:]
	}
	name, _, _ = strings.Cut(name, ":")
	return brief(name)
}

// clean takes out of a message what must not be told: our keys, and the value
// that a service did not like, which is somebody's configuration.
func clean(message string, keys aws.Credentials) string {
	for _, secret := range []string{keys.SecretAccessKey, keys.SessionToken, keys.AccessKeyID} {
		if len(secret) > 3 {
			message = strings.ReplaceAll(message, secret, "…")
		}
	}
	const before, after = "Value '", "' at '"
	first, last := strings.Index(message, before), strings.LastIndex(message, after)
	if first >= 0 && last > first {
		message = message[:first] + "the value at '" + message[last+len(after):]
	}
	return brief(message)
}

// skew says by how much the clock of this machine is off, where it is.
func (c *Client) skew(h http.Header) string {
	theirs, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return ""
	}
	switch off := c.now().Sub(theirs).Round(time.Minute); {
	case off >= time.Minute:
		return fmt.Sprintf(" The clock of this machine is %v ahead.", off)
	case off <= -time.Minute:
		return fmt.Sprintf(" The clock of this machine is %v behind.", -off)
	}
	return ""
}
