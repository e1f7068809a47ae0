package fn

import (
	"context"
	"time"

	"datakit.dev/internal/point"
)

// Services are what functions need of the agent besides the point. A nil one is
// not configured: its functions then do nothing, and say so in their
// documentation. Each MUST be safe for any number of goroutines.
type Services struct {
	Places Places
	Tables Tables
	HTTP   HTTP
}

// Places tells where IP addresses are.
type Places interface {
	// Place returns what is known of an address. A part that is not known, or all
	// of them where ip is no address, is "unknown".
	Place(ip string) Place
}

// A Place is where an IP address is, in English, and whose network it is in.
type Place struct{ Country, Province, City, ISP string }

// Tables are the refer tables, which scripts look rows up in.
type Tables interface {
	// Row returns the first row of a table that holds each of values in the column
	// of the same place in columns, the kind included: 1 is not 1.0.
	Row(table string, columns []string, values []point.Value) (Row, bool)
}

// A Row is a row of a refer table: the value of each column. It MUST NOT be
// changed.
type Row struct {
	Columns []string
	Values  []point.Value
}

// HTTP sends requests for scripts.
type HTTP interface {
	Do(ctx context.Context, req HTTPRequest) (HTTPResponse, error)
}

// An HTTPRequest is one that a script makes.
type HTTPRequest struct {
	Method, URL string
	Header      map[string]string
	Body        string
}

// An HTTPResponse is what came back.
type HTTPResponse struct {
	Status int
	Body   string
}

// outsideSteps is what it costs to ask something outside: a loop of it ends,
// however fast the answers are.
const outsideSteps = 100_000

// Outside runs f, which waits for what is outside of the agent. That is not the
// script's time; it has a limit of its own, which ctx carries.
func (r *Run) Outside(f func(ctx context.Context)) error {
	if err := r.Step(outsideSteps); err != nil {
		return err
	}
	left := r.Env.Limits.orDefault().Wait - r.waited
	if left <= 0 {
		return ErrWait
	}
	ctx, cancel := context.WithTimeout(context.Background(), left)
	defer cancel()
	start := time.Now()
	f(ctx)
	took := time.Since(start)
	r.waited += took
	if !r.began.IsZero() {
		r.began = r.began.Add(took)
	}
	return nil
}
