import { call } from "../../api/client";
import type { Result } from "../../api/types";
import type { Series } from "../../ui/sparkline";

/** A Measurement is what may be drawn of it: fields that are numbers, and what they can be told apart by. */
export interface Measurement {
  fields: string[];
  tags: string[];
}

export interface Answer {
  series: Series[];
  /** How many lines were left out. */
  more: number;
}

const maxLines = 6;
const span = "[10m::10s]";

const text = (s: string) => `'${s.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
const quoted = (name: string) => (name.includes("`") ? `identifier(${text(name)})` : `\`${name}\``);

// What says the most of its measurement, where nobody has chosen.
const telling = [
  /^usage_total$/,
  /^used_percent$/,
  /^utilization/,
  /^load1$/,
  /bytes_recv$/,
  /total|percent|usage/,
];

/** first returns the field that is drawn until another is chosen. */
export function first(fields: readonly string[]): string {
  for (const t of telling) {
    const found = fields.find((f) => t.test(f));
    if (found) return found;
  }
  return fields[0] ?? "";
}

/** query is what a line asks, for the page of queries too. */
export function query(source: string, field: string, by: string): string {
  return `M::${quoted(source)}:(avg(${quoted(field)}) AS ${quoted(field)}) ${span}${by ? ` BY ${quoted(by)}` : ""}`;
}

async function ask(q: string, signal?: AbortSignal): Promise<Result> {
  const { content } = await call("POST /v1/query/raw", { body: { q }, ...(signal ? { signal } : {}) });
  const [first] = content;
  if (!first) throw new Error(q);
  return first;
}

// The answers of show_… are one column of names.
const column = (r: Result) => (r.series ?? []).flatMap((s) => (s.values ?? []).map((v) => String(v[0])));

/** measurements lists what an input of a kind collects: those of its name come first. */
export async function measurements(kind: string): Promise<string[]> {
  const all = column(await ask("show_measurement()"));
  const own = all.filter((m) => m === kind);
  const near = all.filter((m) => m !== kind && m.startsWith(kind));
  return own.length + near.length > 0 ? [...own, ...near] : all;
}

/** describe says what may be drawn of a measurement. */
export async function describe(source: string): Promise<Measurement> {
  const [fields, tags] = await Promise.all([
    ask(`show_field_key(from=[${text(source)}])`),
    ask(`show_tag_key(from=[${text(source)}])`),
  ]);
  return { fields: numeric(fields), tags: column(tags) };
}

/** numeric returns the fields of an answer that are numbers. */
export function numeric(r: Result): string[] {
  return (r.series ?? []).flatMap((s) => {
    const type = s.columns.indexOf("fieldType");
    return (s.values ?? [])
      .filter((v) => type < 0 || /^(int|float|uint|number)/.test(String(v[type])))
      .map((v) => String(v[0]));
  });
}

/** read returns the lines of a field. */
export async function read(source: string, field: string, by: string, signal: AbortSignal): Promise<Answer> {
  return linesOf(await ask(query(source, field, by), signal), field);
}

/** linesOf turns an answer into lines; a bucket without a value is left out. */
export function linesOf(r: Result, field: string): Answer {
  const all = (r.series ?? []).map((s): Series => {
    const name = Object.values(s.tags ?? {}).join(" ") || field;
    const points = (s.values ?? []).flatMap(([at, v]) =>
      typeof at === "number" && typeof v === "number" ? [[at, v] as const] : [],
    );
    return { name, points: points.sort((a, b) => a[0] - b[0]) };
  });
  const drawn = all.filter((s) => s.points.length > 0);
  return { series: drawn.slice(0, maxLines), more: Math.max(0, drawn.length - maxLines) };
}
