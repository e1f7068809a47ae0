import type { Status, Tick } from "../api/types";

/** merge brings the counters of a tick into a status. What else they say stays. */
export function merge(status: Status, tick: Tick): Status {
  const units = new Map(tick.units.map((u) => [u.id, u]));
  return {
    ...status,
    units: status.units.map((u) => {
      const t = units.get(u.id);
      return t ? { ...u, ...t } : u;
    }),
    stores: status.stores.map((s, i) => {
      const t = tick.stores[i];
      return t && tick.stores.length === status.stores.length ? { ...s, read_at: t.read_at } : s;
    }),
    outputs: tick.outputs,
    ...(tick.recent ? { recent: tick.recent } : {}),
  };
}
