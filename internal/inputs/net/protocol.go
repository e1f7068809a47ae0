package net

import (
	"context"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"datakit.dev/internal/input"
	"datakit.dev/internal/point"
)

// rated are the protocol counters that have a rate as well.
var rated = []string{"tcp_insegs", "tcp_outsegs", "udp_indatagrams", "udp_outdatagrams"} //nolint:gochecknoglobals // a list, never written

// counters returns what TCP and UDP count, under the names of the fields. It is
// empty where the system shows nothing.
func counters(ctx context.Context, log *slog.Logger, known map[string]bool) map[string]uint64 {
	text, err := os.ReadFile(input.ProcPath(ctx, "net", "snmp"))
	if err != nil {
		log.Debug("no protocol counters", "error", err)
		return nil
	}
	return parseSNMP(string(text), known)
}

// documented returns the names of all fields.
func documented() map[string]bool {
	known := map[string]bool{}
	for _, f := range fields() {
		known[f.Name] = true
	}
	return known
}

// parseSNMP reads pairs of lines: "Tcp: InSegs OutSegs" and "Tcp: 12 34". Only
// known fields are taken: a later kernel may count more.
func parseSNMP(text string, known map[string]bool) map[string]uint64 {
	out := map[string]uint64{}
	var names []string
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) == 0 || words[0] != "Tcp:" && words[0] != "Udp:" {
			continue
		}
		if len(names) != len(words) || names[0] != words[0] {
			names = words
			continue
		}
		prefix := strings.ToLower(strings.TrimSuffix(words[0], ":")) + "_"
		for i, word := range words[1:] {
			name := prefix + strings.ToLower(names[i+1])
			// MaxConn is -1 where there is no limit: nothing to show.
			if v, err := strconv.ParseUint(word, 10, 64); err == nil && known[name] {
				out[name] = v
			}
		}
		names = nil
	}
	return out
}

func protocolPoint(was, now map[string]uint64, elapsed time.Duration) point.Point {
	p := point.New(measurement, len(now)+len(rated))
	p.Tags = []point.Tag{{Key: "interface", Value: "all"}}
	for _, name := range slices.Sorted(maps.Keys(now)) {
		before, ok := was[name]
		if ok && slices.Contains(rated, name) {
			counter(&p, name, before, now[name], elapsed)
			continue
		}
		p.Add(name, point.IntOf(int64(now[name])))
	}
	return p
}
