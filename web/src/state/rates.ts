import { signal } from "@preact/signals";
import type { Tick } from "../api/types";

/** A Rate is how much came in one second, at a time in milliseconds. */
export interface Rate {
  at: number;
  points: number;
  written: number;
  dropped: number;
}

/** The rates of the last minutes, oldest first. */
export const rates = signal<Rate[]>([]);

/** The points a second of each unit, between the last two ticks. */
export const unitRates = signal<Map<string, number>>(new Map());

const maxRates = 150; // five minutes of ticks

interface Seen {
  at: number;
  points: number;
  /** How long it took until the points grew, the last time. */
  gap: number;
}

let before: Tick | undefined;
let seen = new Map<string, Seen>();

/** take counts what a tick says since the one before. */
export function take(tick: Tick) {
  const at = Date.parse(tick.time);
  const seconds = before ? (at - Date.parse(before.time)) / 1000 : 0;
  if (before && seconds > 0) {
    const rate = {
      at,
      points: grown(before.points, tick.points, seconds),
      written: grown(before.written, tick.written, seconds),
      dropped: grown(before.dropped, tick.dropped, seconds),
    };
    rates.value = [...rates.value, rate].slice(-maxRates);
  }
  if (!before || seconds > 0) before = tick;
  takeUnits(tick, at);
}

// A tick names only units that did something: what others did last still counts,
// until they are silent for much longer than they were before.
function takeUnits(tick: Tick, at: number) {
  const next = new Map(unitRates.value);
  for (const u of tick.units) {
    const last = seen.get(u.id);
    if (last && u.points === last.points) continue;
    const gap = last ? at - last.at : 0;
    if (last && gap > 0) next.set(u.id, grown(last.points, u.points, gap / 1000));
    seen.set(u.id, { at, points: u.points, gap });
  }
  for (const [id, s] of seen) if (s.gap > 0 && at - s.at > 3 * s.gap) next.set(id, 0);
  unitRates.value = next;
}

// A counter that went back is of an agent that was restarted.
const grown = (from: number, to: number, seconds: number) => Math.max(0, to - from) / seconds;

/** forget begins anew, as after a restart. */
export function forget() {
  before = undefined;
  seen = new Map();
  rates.value = [];
  unitRates.value = new Map();
}
