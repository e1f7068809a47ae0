package etcdv3

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"

	"datakit.dev/internal/store"
)

const (
	// callTimeout bounds one call. A server that is paused or cut off takes
	// connections and answers nothing; the next try goes to the next node.
	callTimeout = 5 * time.Second
	// keepalive and its timeout are how long a connection that went dead without
	// a word is trusted. Servers refuse to be asked more often than each 5 s.
	keepalive        = 10 * time.Second
	keepaliveTimeout = 4 * time.Second
	// maxReceive bounds one answer in memory.
	maxReceive = 64 << 20
	maxSend    = 4 << 20
	retries    = 10
)

// dial returns a client. It does not wait for a server unless it has to log in.
// The certificate files are read here and not at Open, so that a file which
// comes later or is renewed is taken.
func (s settings) dial(ctx context.Context) (*clientv3.Client, error) {
	cfg := clientv3.Config{
		Context:              ctx,
		Endpoints:            s.endpoints,
		DialTimeout:          callTimeout,
		DialKeepAliveTime:    keepalive,
		DialKeepAliveTimeout: keepaliveTimeout,
		MaxCallRecvMsgSize:   maxReceive,
		MaxCallSendMsgSize:   maxSend,
		MaxUnaryRetries:      retries,
		Logger:               zap.NewNop(), // it writes to standard error; our errors say the same
		DialOptions: []grpc.DialOption{grpc.WithConnectParams(grpc.ConnectParams{
			// gRPC's own two minutes would be an outage of ours.
			Backoff:           backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 3 * time.Second},
			MinConnectTimeout: 3 * time.Second,
		}), grpc.WithChainUnaryInterceptor(failFast)},
	}
	if s.username != "" {
		cfg.Username, cfg.Password = s.username, s.password
	}
	if s.secure {
		c, err := s.tls.Load()
		if err != nil {
			return nil, fmt.Errorf("%w: %w", store.ErrUnavailable, err)
		}
		cfg.TLS = c
	}
	return clientv3.New(cfg)
}

// failFast has a call fail once no node can be reached. The client would wait
// out the timeout, and then not say why: refused, unknown host, bad certificate.
func failFast(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, o ...grpc.CallOption) error {
	err := invoke(ctx, method, req, reply, cc, append(o, grpc.WaitForReady(false))...)
	if known := rpctypes.Error(err); errors.Is(known, rpctypes.ErrInvalidAuthToken) || errors.Is(known, rpctypes.ErrAuthOldRevision) {
		return errToken
	}
	return err
}

// errToken says that the login has run out. The client would renew it by a call
// that carries the old token, which servers before 3.5 refuse for that very
// token, and so on until the time is up. A new client has none.
var errToken = errors.New("the login has run out")
