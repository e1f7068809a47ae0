import type { ChangeEntry, Key, Status, Store, Tick, Unit } from "../src/api/types";

/** What the tests say of an agent; the rest is as of one that has just begun. */
export const unit = (over: Partial<Unit> = {}): Unit => ({
  id: "input/cpu",
  kind: "cpu",
  origin: "etcdv3:/datakit/confd/cpu",
  state: "running",
  since: "2026-01-01T00:00:00Z",
  starts: 1,
  updates: 0,
  gathers: 0,
  last_gather: "",
  next_gather: "",
  missed: 0,
  points: 0,
  errors: 0,
  last_error: "",
  ...over,
});

export const store = (over: Partial<Store> = {}): Store => ({
  backend: "etcdv3",
  nodes: [],
  state: "watching",
  revision: "1",
  read_at: "2026-01-01T00:00:00Z",
  error: "",
  keys: 1,
  ...over,
});

export const key = (over: Partial<Key> = {}): Key => ({
  store: "etcdv3",
  key: "/datakit/confd/cpu",
  revision: "1",
  state: "applied",
  error: "",
  ...over,
});

export const status = (over: Partial<Status> = {}): Status => ({
  version: "1",
  hostname: "h",
  started_at: "2026-01-01T00:00:00Z",
  generation: 1,
  converged: true,
  stores: [],
  keys: [],
  units: [],
  scripts: [],
  outputs: [],
  errors: [],
  ...over,
});

export const tick = (at: string, over: Partial<Tick> = {}): Tick => ({
  time: at,
  gathers: 0,
  points: 0,
  errors: 0,
  written: 0,
  dropped: 0,
  queue_points: 0,
  stores: [],
  units: [],
  outputs: [],
  recent: null,
  ...over,
});

export const change = (id: number, over: Partial<ChangeEntry> = {}): ChangeEntry => ({
  id,
  time: "2026-01-01T00:00:00Z",
  store: "etcdv3",
  key: "/datakit/confd/cpu",
  revision: "1",
  generation: 1,
  state: "applied",
  was: "",
  error: "",
  diff: "",
  cut: false,
  steps: [],
  ...over,
});
