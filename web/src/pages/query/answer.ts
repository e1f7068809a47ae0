// The answer to a query as one table: whatever its groups have in common stands
// in one column.

/** A Cell is one value. Times are in milliseconds since 1970. */
export type Cell = string | number | boolean | null;

/** A Series is the rows of one group, as the agent answers. */
export interface Series {
  name?: string;
  tags?: Record<string, string>;
  columns: string[];
  values: Cell[][];
}

/** A Result is the answer to one query. */
export interface Result {
  series: Series[];
  cost: string;
  raw_query: string;
}

/** What a column holds decides how it is written and sorted. */
export type Kind = "time" | "name" | "tag" | "value";

export interface Column {
  name: string;
  kind: Kind;
}

export interface Table {
  columns: Column[];
  rows: Cell[][];
}

/** toTable lays all groups below each other. */
export function toTable(result: Result): Table {
  const columns = columnsOf(result.series);
  const rows: Cell[][] = [];
  for (const series of result.series) {
    const at = columns.map((column) => series.columns.indexOf(column.name));
    for (const values of series.values) {
      rows.push(columns.map((column, i) => cellOf(series, values, column, at[i] ?? -1)));
    }
  }
  return { columns, rows };
}

function cellOf(series: Series, values: Cell[], column: Column, at: number): Cell {
  if (column.kind === "name") return series.name ?? null;
  if (column.kind === "tag") return series.tags?.[column.name] ?? null;
  return values[at] ?? null;
}

function columnsOf(list: Series[]): Column[] {
  const names = new Set(list.map((s) => s.name ?? ""));
  const tags = new Set(list.flatMap((s) => Object.keys(s.tags ?? {})));
  const values = new Set(list.flatMap((s) => s.columns));
  const hasTime =
    values.delete("time") && list.some((s) => s.values.some((row) => row[s.columns.indexOf("time")] != null));
  const columns: Column[] = hasTime ? [{ name: "time", kind: "time" }] : [];
  if (names.size > 1) columns.push({ name: "measurement", kind: "name" });
  for (const name of [...tags].sort()) columns.push({ name, kind: "tag" });
  for (const name of values) columns.push({ name, kind: "value" });
  return columns;
}

/** isNumeric reports whether a column holds numbers and nothing else. */
export function isNumeric(table: Table, column: number): boolean {
  let some = false;
  for (const row of table.rows) {
    const cell = row[column] ?? null;
    if (cell !== null && typeof cell !== "number") return false;
    some ||= cell !== null;
  }
  return some;
}

/** timeText writes a time as the agent's other faces do: in UTC, to the millisecond. */
export function timeText(ms: number): string {
  const when = new Date(ms);
  return Number.isNaN(when.getTime()) ? String(ms) : when.toISOString().replace("T", " ").replace("Z", "");
}

/** toCSV writes a table as RFC 4180 has it, with times that other programs read. */
export function toCSV(table: Table): string {
  const lines = [table.columns.map((c) => quoted(c.name))];
  for (const row of table.rows) {
    lines.push(
      row.map((cell, i) =>
        table.columns[i]?.kind === "time" && typeof cell === "number" ? isoTime(cell) : quoted(cell),
      ),
    );
  }
  return lines.map((line) => `${line.join(",")}\r\n`).join("");
}

function isoTime(ms: number): string {
  const when = new Date(ms);
  return Number.isNaN(when.getTime()) ? String(ms) : when.toISOString();
}

function quoted(cell: Cell): string {
  const text = cell === null ? "" : String(cell);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** What a group holds where its query does not say. */
export const defaultLimit = 1000;

/** limitReached returns how many rows of a group there are where there may be more, 0 where that is all. */
export function limitReached(result: Result): number {
  const written = /\blimit\s+(\d+)/i.exec(result.raw_query);
  const limit = written ? Number(written[1]) : defaultLimit;
  return limit > 1 && result.series.some((s) => s.values.length === limit) ? limit : 0;
}

/** costText writes how long an answer took, as the agent says it, in three digits. */
export function costText(cost: string): string {
  return cost.replace(
    /^([\d.]+)(\D+)$/,
    (_, n: string, unit: string) => `${Number(Number(n).toPrecision(3))} ${unit}`,
  );
}
