package etcdv3

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"datakit.dev/internal/store"
	"datakit.dev/internal/store/follow"
)

// errAgain marks a watch that ended for a reason that a new list cures.
var errAgain = errors.New("the watch has to start anew")

// denials are the errors that only an operator can cure, beside gRPC's own codes.
func denials() []error {
	return []error{rpctypes.ErrAuthFailed, rpctypes.ErrUserEmpty, rpctypes.ErrPermissionDenied, rpctypes.ErrInvalidAuthToken, rpctypes.ErrUserNotFound}
}

// classify gives an error of the client its place in the contract. ctx is the
// caller's: only when that one ended is a deadline the caller's own.
func classify(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, store.ErrUnavailable), errors.Is(err, errAgain), errors.Is(err, follow.ErrBound):
		return err
	}
	is := func(e error) bool {
		return errors.Is(rpctypes.Error(err), e) || strings.Contains(err.Error(), e.Error())
	}
	code := status.Code(err)
	if code == codes.PermissionDenied || code == codes.Unauthenticated || slices.ContainsFunc(denials(), is) {
		return fmt.Errorf("%w: %s", store.ErrDenied, message(err))
	}
	return fmt.Errorf("%w: %s", store.ErrUnavailable, message(err))
}

// message is what an error says without gRPC's wrapping.
func message(err error) string {
	if errors.Is(err, context.DeadlineExceeded) {
		return "no node answers in time"
	}
	if s, ok := status.FromError(err); ok && s.Code() != codes.OK {
		if s.Code() == codes.DeadlineExceeded && s.Message() == context.DeadlineExceeded.Error() {
			return "no node answers in time"
		}
		return plain(s.Message())
	}
	return err.Error()
}

// plain takes the cause out of what gRPC says of a connection:
// connection error: desc = "transport: Error while dialing: dial tcp …".
func plain(text string) string {
	_, cause, ok := strings.Cut(text, `desc = "transport: `)
	if !ok {
		return text
	}
	return strings.TrimSuffix(strings.TrimPrefix(cause, "Error while dialing: "), `"`)
}
