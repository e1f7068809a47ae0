package app

import (
	"errors"
	"fmt"
	"maps"
	"strconv"
	"time"

	"datakit.dev/internal/config"
	"datakit.dev/internal/flow"
	"datakit.dev/internal/output"
	"datakit.dev/internal/spec"
)

const mebibyte = 1 << 20

// setOutputs opens what [io] and [dataway] name. An agent with neither collects
// all the same: its points show in the status, and an output may come later.
func (a *agent) setOutputs(m config.Main) (err error) {
	var outs []flow.Output
	defer func() {
		if err != nil { // the flow took none of them
			for _, o := range outs {
				err = errors.Join(err, o.Output.Close())
			}
		}
	}()
	for _, w := range wanted(m) {
		o, err := a.openOutput(w.plugin, w.values)
		if err != nil {
			return err
		}
		outs = append(outs, flow.Output{Name: w.name, Output: o, Linger: w.linger, MaxBytes: int(m.IO.Int("max_queue")) * mebibyte})
	}
	if len(outs) == 0 {
		a.log.Warn("points go nowhere: set [dataway] urls or [io] output_file in datakit.conf")
	}
	if err := a.flow.SetOutputs(outs...); err != nil {
		return fmt.Errorf("outputs: %w", err)
	}
	return nil
}

// target is one output that datakit.conf asks for.
type target struct {
	name, plugin string
	values       spec.Values
	linger       time.Duration
}

// wanted returns the outputs of m. Each URL of the data gateway gets a queue of
// its own, so that a dead one holds back no other.
func wanted(m config.Main) []target {
	var out []target
	if m.IO.String("output_file") != "" {
		out = append(out, target{fileOutput, fileOutput, m.IO, 0})
	}
	for i, url := range m.Dataway.Strings("urls") {
		v := maps.Clone(m.Dataway)
		v["urls"] = []string{url}
		name := datawayOutput
		if i > 0 {
			name += "-" + strconv.Itoa(i+1)
		}
		out = append(out, target{name, datawayOutput, v, m.IO.Duration("flush_interval")})
	}
	return out
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
