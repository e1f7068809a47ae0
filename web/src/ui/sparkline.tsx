import { useMemo, useRef, useState } from "preact/hooks";
import { words } from "../words";
import { compact, number, when } from "./format";

/** A Series is one line: its name, and points of milliseconds and value, in order. */
export interface Series {
  name: string;
  points: readonly (readonly [at: number, value: number])[];
}

interface Props {
  label: string;
  series: readonly Series[];
  height?: number;
  /** What stands behind a value. */
  unit?: string;
}

const width = 600; // of the drawing; it is stretched to what there is
const pad = 3;

/** Sparkline draws a few lines over time, and says their values where it is pointed at. */
export function Sparkline({ label, series, height = 72, unit = "" }: Props) {
  const [at, setAt] = useState<number>();
  const box = useRef<HTMLDivElement>(null);
  const scale = useMemo(() => scaleOf(series, height), [series, height]);
  if (!scale) return null;
  const point = (e: PointerEvent) => {
    const r = box.current?.getBoundingClientRect();
    if (r && r.width > 0) setAt(scale.from + ((e.clientX - r.left) / r.width) * (scale.to - scale.from));
  };
  const shown = at ?? scale.to;
  return (
    <figure class="sparkline">
      <div class="sparkline-scale" aria-hidden="true">
        <span>{compact(scale.high)}</span>
        <span>{compact(scale.low)}</span>
      </div>
      <div
        class="sparkline-box"
        ref={box}
        onPointerMove={point}
        onPointerLeave={() => setAt(undefined)}
        role="img"
        aria-label={`${label}: ${series.map((s) => summary(s, unit)).join("; ")}`}
      >
        <svg
          viewBox={`0 0 ${width} ${height}`}
          preserveAspectRatio="none"
          style={{ height: `${height}px` }}
          aria-hidden="true"
        >
          {series.map((s, i) => (
            <path key={s.name} class={`line line-${i % 6}`} d={scale.path(s)} />
          ))}
          {at !== undefined && <line class="cursor" x1={scale.x(at)} x2={scale.x(at)} y1={0} y2={height} />}
        </svg>
      </div>
      <figcaption>
        {series.map((s, i) => {
          const p = nearest(s, shown);
          return (
            <span key={s.name} class="legend">
              <i class={`swatch swatch-${i % 6}`} />
              {s.name} <strong>{p ? number(p[1]) : "–"}</strong>
              {unit && ` ${unit}`}
            </span>
          );
        })}
        {at !== undefined && <time class="faint">{when(new Date(shown).toISOString(), shown)}</time>}
      </figcaption>
    </figure>
  );
}

function summary(s: Series, unit: string): string {
  const values = s.points.map((p) => p[1]);
  const last = values.at(-1);
  const w = words.value.units;
  if (last === undefined) return `${s.name} –`;
  return `${s.name} ${number(last)} ${unit} (${w.lowest} ${number(Math.min(...values))}, ${w.highest} ${number(Math.max(...values))})`;
}

function nearest(s: Series, at: number) {
  let best = s.points[0];
  for (const p of s.points) if (best && Math.abs(p[0] - at) <= Math.abs(best[0] - at)) best = p;
  return best;
}

/** scaleOf fits lines into the drawing; a flat line lies in its middle. */
export function scaleOf(series: readonly Series[], height: number) {
  const all = series.flatMap((s) => s.points);
  if (all.length === 0) return undefined;
  let [from, to, low, high] = [Infinity, -Infinity, Infinity, -Infinity];
  for (const [t, v] of all) {
    from = Math.min(from, t);
    to = Math.max(to, t);
    low = Math.min(low, v);
    high = Math.max(high, v);
  }
  const x = (t: number) => round(to > from ? ((t - from) / (to - from)) * width : width / 2);
  const y = (v: number) =>
    round(high > low ? pad + (1 - (v - low) / (high - low)) * (height - 2 * pad) : height / 2);
  const path = (s: Series) => {
    const first = s.points[0];
    if (s.points.length === 1 && first) return `M0 ${y(first[1])}H${width}`;
    return s.points.map((p, i) => `${i === 0 ? "M" : "L"}${x(p[0])} ${y(p[1])}`).join("");
  };
  return { from, to, low, high, x, path };
}

const round = (n: number) => Math.round(n * 10) / 10;
