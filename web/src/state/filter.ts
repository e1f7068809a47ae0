import type { ChangeEntry } from "../api/types";

/** What changes are looked for: each part that is empty fits all. */
export interface Wanted {
  text: string;
  store: string;
  state: string;
  unit: string;
}

/** fits reports whether a change is looked for. */
export function fits(c: ChangeEntry, w: Wanted): boolean {
  if (w.store && c.store !== w.store) return false;
  if (w.state && c.state !== w.state) return false;
  if (w.unit && !c.steps.some((s) => s.unit === w.unit)) return false;
  const text = w.text.trim().toLowerCase();
  if (!text) return true;
  const all = [c.store, c.key, c.revision, c.error, ...c.steps.map((s) => s.unit)].join(" ").toLowerCase();
  return text.split(/\s+/).every((word) => all.includes(word));
}
