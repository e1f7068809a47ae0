import type { DebugPoint } from "../../api/types";

/** A Cell is one tag or field of a point, before and after a script. */
export interface Cell {
  kind: "tag" | "field" | "name";
  key: string;
  before: string;
  after: string;
  change: "same" | "changed" | "new" | "gone";
}

/** show writes a value as a script does: a text in quotes is told from a number. */
export function show(v: unknown): string {
  if (v === null || v === undefined) return "nil";
  return typeof v === "string" || typeof v === "object" ? JSON.stringify(v) : String(v);
}

/** compare returns what a script did to a point, tags first, each of them by name. */
export function compare(before: DebugPoint, after: DebugPoint): Cell[] {
  const cells: Cell[] = [];
  if (before.name !== after.name) {
    cells.push({ kind: "name", key: "", before: before.name, after: after.name, change: "changed" });
  }
  for (const kind of ["tag", "field"] as const) {
    const [was, is] = kind === "tag" ? [before.tags, after.tags] : [before.fields, after.fields];
    for (const key of [...new Set([...Object.keys(was), ...Object.keys(is)])].sort()) {
      const had = Object.hasOwn(was, key);
      const has = Object.hasOwn(is, key);
      const a = had ? show(was[key]) : "";
      const b = has ? show(is[key]) : "";
      cells.push({
        kind,
        key,
        before: a,
        after: b,
        change: !had ? "new" : !has ? "gone" : a === b ? "same" : "changed",
      });
    }
  }
  return cells;
}

/** keysOf returns the names of the tags and fields of points, to be completed. */
export function keysOf(points: readonly DebugPoint[]): string[] {
  return [...new Set(points.flatMap((p) => [...Object.keys(p.tags), ...Object.keys(p.fields)]))].sort();
}
