// Queries to begin with. Each is tried against the agent by a test.

/** The examples, the shortest first. */
export const examples = [
  "show_measurement()",
  "M::cpu:(usage_total) LIMIT 60",
  "M::`nvidia_smi`:((`tconsul`)) limit 20",
  "M::cpu:(avg(usage_total), max(usage_total)) [10m::10s] BY host",
  "M::disk:(last(used_percent)) BY device",
  "M::net:(sum(rate(bytes_recv))) [5m] BY interface",
  "L::*:(count(*)) [15m] BY source",
];
