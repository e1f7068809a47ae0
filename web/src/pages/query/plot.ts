import type { Cell, Result, Series } from "./answer";

// The answer to a query as lines over time: one for each group and number.

/** The most lines that eyes, and colours, can tell apart. */
export const mostLines = 12;

export interface Line {
  label: string;
  values: (number | null)[];
}

export interface Plot {
  /** In seconds since 1970, rising. */
  times: number[];
  lines: Line[];
  /** How many lines were left out. */
  more: number;
}

/** toPlot returns undefined where there is nothing to draw: no times, no numbers, or one moment alone. */
export function toPlot(result: Result): Plot | undefined {
  const drawn = result.series.flatMap((s) => linesOf(s, result.series.length > 1 || s.tags !== undefined));
  const list = drawn.slice(0, mostLines);
  const times = timesOf(list);
  if (list.length === 0 || new Set(times).size < 2) return undefined;
  return {
    times,
    lines: list.map((l) => ({ label: l.label, values: along(times, l.points) })),
    more: drawn.length - list.length,
  };
}

interface Drawn {
  label: string;
  points: [time: number, value: number][];
}

function linesOf(series: Series, named: boolean): Drawn[] {
  const at = series.columns.indexOf("time");
  if (at < 0) return [];
  const lines: Drawn[] = [];
  series.columns.forEach((column, i) => {
    if (i === at || !series.values.some((row) => typeof row[i] === "number")) return;
    const points = series.values.flatMap((row) => pointOf(row[at] ?? null, row[i] ?? null));
    if (points.length > 0)
      lines.push({ label: named ? `${column} ${groupOf(series)}`.trim() : column, points });
  });
  return lines;
}

function pointOf(time: Cell, value: Cell): [number, number][] {
  return typeof time === "number" && typeof value === "number" ? [[time / 1000, value]] : [];
}

function groupOf(series: Series): string {
  const tags = Object.entries(series.tags ?? {}).map(([k, v]) => `${k}=${v}`);
  return tags.length > 0 ? tags.join(" ") : (series.name ?? "");
}

/** timesOf returns every time, as often as the line has it that has it most often: two points of one moment are both drawn. */
function timesOf(list: Drawn[]): number[] {
  const most = new Map<number, number>();
  for (const line of list) {
    const here = new Map<number, number>();
    for (const [t] of line.points) here.set(t, (here.get(t) ?? 0) + 1);
    for (const [t, n] of here) most.set(t, Math.max(n, most.get(t) ?? 0));
  }
  return [...most.keys()].sort((a, b) => a - b).flatMap((t) => Array<number>(most.get(t) ?? 1).fill(t));
}

/** along returns the values of points at times, null where there is none. */
function along(times: number[], points: [number, number][]): (number | null)[] {
  const waiting = new Map<number, number[]>();
  for (const [t, v] of points) waiting.set(t, [...(waiting.get(t) ?? []), v]);
  return times.map((t) => waiting.get(t)?.shift() ?? null);
}

/** The least and the greatest value of a line. */
export function bounds(line: Line): [number, number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const v of line.values) {
    if (v !== null) [low, high] = [Math.min(low, v), Math.max(high, v)];
  }
  return [low, high];
}
