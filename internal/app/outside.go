package app

import (
	"context"
	"fmt"
	"log/slog"

	"datakit.dev/internal/config"
	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/pipeline/geoip"
	"datakit.dev/internal/pipeline/outbound"
	"datakit.dev/internal/pipeline/refer"
)

// outside is what scripts use beyond their points, and how to let go of it.
type outside struct {
	services fn.Services
	release  []func() error
}

// openOutside opens what o names. A part that cannot be opened is told and left
// out: its functions then find nothing, and scripts run all the same.
func openOutside(o config.Outside, log *slog.Logger) (*outside, []error) {
	out := &outside{}
	var problems []error
	for _, open := range []func(config.Outside, *slog.Logger) error{out.places, out.tables, out.requests} {
		if err := open(o, log); err != nil {
			problems = append(problems, err)
		}
	}
	return out, problems
}

func (x *outside) places(o config.Outside, _ *slog.Logger) error {
	if o.City == "" && o.ISP == "" {
		return nil
	}
	db, err := geoip.Open(geoip.Options{City: o.City, ISP: o.ISP})
	if err != nil {
		return fmt.Errorf("pipeline.ipdb_city, ipdb_isp: %w", err)
	}
	x.services.Places = db
	return nil
}

func (x *outside) tables(o config.Outside, log *slog.Logger) error {
	if o.TablesURL == "" {
		return nil
	}
	t, err := refer.New(refer.Options{URL: o.TablesURL, Interval: o.TablesEvery, Log: log})
	if err != nil {
		return fmt.Errorf("pipeline.refer_table_url: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- t.Run(ctx) }()
	x.services.Tables = t
	x.release = append(x.release, func() error {
		cancel()
		return <-ended
	})
	return nil
}

func (x *outside) requests(o config.Outside, _ *slog.Logger) error {
	if !o.Requests {
		return nil
	}
	c, err := outbound.New(outbound.Options{Hosts: o.RequestHosts, Allow: o.AllowNetworks})
	if err != nil {
		return fmt.Errorf("pipeline.http_request_allow_networks: %w", err)
	}
	x.services.HTTP = c
	x.release = append(x.release, c.Close)
	return nil
}

func (x *outside) close(log *slog.Logger) {
	for _, release := range x.release {
		if err := release(); err != nil {
			log.Warn("letting go of what scripts used", "error", err)
		}
	}
}
