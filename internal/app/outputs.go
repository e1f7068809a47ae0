package app

import (
	"fmt"
	"time"

	"datakit.dev/internal/config"
	"datakit.dev/internal/flow"
	"datakit.dev/internal/output"
	"datakit.dev/internal/spec"
)

// datawayLinger is how long points gather before one request takes them.
const datawayLinger = time.Second

const mebibyte = 1 << 20

// setOutputs opens what [io] and [dataway] name. An agent with neither collects
// all the same: its points show in the status, and an output may come later.
func (a *agent) setOutputs(m config.Main) error {
	var outs []flow.Output
	add := func(name string, v spec.Values, linger time.Duration) error {
		o, err := a.openOutput(name, v)
		if err != nil {
			return err
		}
		outs = append(outs, flow.Output{Name: name, Output: o, Linger: linger, MaxBytes: int(m.IO.Int("max_queue")) * mebibyte})
		return nil
	}
	if m.IO.String("output_file") != "" {
		if err := add(fileOutput, m.IO, 0); err != nil {
			return err
		}
	}
	if len(m.Dataway.Strings("urls")) > 0 {
		if err := add(datawayOutput, m.Dataway, datawayLinger); err != nil {
			return err
		}
	}
	if len(outs) == 0 {
		a.log.Warn("points go nowhere: set [dataway] urls or [io] output_file in datakit.conf")
	}
	if err := a.flow.SetOutputs(outs...); err != nil {
		return fmt.Errorf("outputs: %w", err)
	}
	return nil
}

func (a *agent) openOutput(name string, v spec.Values) (output.Output, error) {
	p, ok := outputPlugin(name)
	if !ok {
		return nil, fmt.Errorf("this build has no output %s", name)
	}
	o, err := p.Open(output.Env{Log: a.log.With("output", name), Version: Version}, v)
	if err != nil {
		return nil, fmt.Errorf("output %s: %w", name, err)
	}
	return o, nil
}
