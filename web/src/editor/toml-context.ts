import type { FieldDescription, InputDescription } from "../api/types";

/** A Place is what is being written at an offset of a configuration. */
export type Place =
  /** The header of a table: what stands behind its brackets. */
  | { at: "header"; from: number; list: boolean }
  /** The name of a field of a table. */
  | { at: "key"; from: number; table: string[]; used: ReadonlySet<string> }
  /** The value of a field; quote is the one that is open, items whether a list is. */
  | { at: "value"; from: number; table: string[]; key: string; quote: string; items: boolean }
  /** A comment, or the middle of a long text. */
  | { at: "nothing" };

const header = /^\s*(\[\[?)\s*([^\]#]*?)\s*\]\]?\s*(?:#.*)?$/;
const assignment = /^\s*([\w-]+|"[^"]*"|'[^']*')\s*=\s*/;

/** parts splits the name of a table at its dots, its quotes taken off. */
export function parts(name: string): string[] {
  return (name.match(/"[^"]*"|'[^']*'|[^.\s]+/g) ?? []).map((p) => p.replace(/^["']|["']$/g, ""));
}

/** A Line is one line with what is open before it. */
interface Line {
  start: number;
  text: string;
  /** The triple quotes that are open, or "". */
  quotes: string;
  /** How many brackets of a list are open. */
  depth: number;
  /** The field that they are of. */
  key: string;
}

/** lines reads a text as far as one must to know what stands where. */
function lines(text: string): Line[] {
  const out: Line[] = [];
  let start = 0;
  let quotes = "";
  let depth = 0;
  let key = "";
  for (const line of text.split("\n")) {
    out.push({ start, text: line, quotes, depth, key });
    const found = quotes === "" && depth === 0 ? assignment.exec(line) : null;
    if (found) key = (found[1] ?? "").replace(/^["']|["']$/g, "");
    if (quotes !== "" || depth > 0 || found) {
      const state = scan(found ? line.slice(found[0].length) : line, quotes, depth);
      quotes = state.quotes;
      depth = state.depth;
    }
    start += line.length + 1;
  }
  return out;
}

/** scan goes over the text of a value: what is open behind it? */
export function scan(
  text: string,
  quotes: string,
  depth: number,
): { quotes: string; depth: number; open: string; from: number } {
  let open = "";
  let from = 0;
  for (let i = 0; i < text.length; ) {
    if (quotes !== "") {
      const end = text.indexOf(quotes, i);
      if (end < 0) return { quotes, depth, open: quotes, from: i };
      i = end + 3;
      quotes = "";
      continue;
    }
    const c = text[i] ?? "";
    if (c === "#") return { quotes, depth, open: "#", from: i };
    if (c === '"' || c === "'") {
      if (text.startsWith(c.repeat(3), i)) {
        quotes = c.repeat(3);
        i += 3;
        continue;
      }
      let end = i + 1;
      while (end < text.length && text[end] !== c) end += c === '"' && text[end] === "\\" ? 2 : 1;
      if (end >= text.length) {
        open = c;
        from = i;
      }
      i = end + 1;
      continue;
    }
    if (c === "[" || c === "{") depth++;
    if (c === "]" || c === "}") depth = Math.max(0, depth - 1);
    i++;
  }
  return { quotes, depth, open, from };
}

/** place says what is being written at an offset. */
export function place(text: string, at: number): Place {
  const all = lines(text);
  const i = all.findLastIndex((l) => l.start <= at);
  const line = all[i];
  if (line?.quotes !== "") return { at: "nothing" };
  const before = line.text.slice(0, at - line.start);
  let table: string[] = [];
  let top = 0;
  for (let j = i - 1; j >= 0; j--) {
    const l = all[j];
    const found = l && l.quotes === "" && l.depth === 0 ? header.exec(l.text) : null;
    if (!found) continue;
    table = parts(found[2] ?? "");
    top = j + 1;
    break;
  }
  if (line.depth > 0) return value(before, 0, table, line.key, line.start, line.depth);
  const open = /^(\s*)(\[\[?)\s*([\w.\-"']*)$/.exec(before);
  if (open) {
    return { at: "header", from: line.start + (open[1]?.length ?? 0), list: open[2] === "[[" };
  }
  const assigned = assignment.exec(before);
  if (assigned) {
    const key = (assigned[1] ?? "").replace(/^["']|["']$/g, "");
    return value(before, assigned[0].length, table, key, line.start, 0);
  }
  const word = /^(\s*)([\w-]*)$/.exec(before);
  if (!word) return { at: "nothing" };
  return { at: "key", from: at - (word[2]?.length ?? 0), table, used: used(all, top, i) };
}

function value(
  before: string,
  skip: number,
  table: string[],
  key: string,
  start: number,
  depth: number,
): Place {
  const state = scan(before.slice(skip), "", depth);
  if (state.open === "#" || state.quotes !== "") return { at: "nothing" };
  const items = state.depth > 0;
  if (state.open !== "")
    return { at: "value", from: start + skip + state.from, table, key, quote: state.open, items };
  const bare = /[\w.+-]*$/.exec(before)?.[0] ?? "";
  return { at: "value", from: start + before.length - bare.length, table, key, quote: "", items };
}

/** used returns the fields that a table has already, but for the line that is written. */
function used(all: Line[], top: number, current: number): Set<string> {
  const out = new Set<string>();
  for (let j = top; j < all.length; j++) {
    const l = all[j];
    if (!l || j === current || l.quotes !== "" || l.depth > 0) continue;
    if (header.test(l.text)) break;
    const found = assignment.exec(l.text);
    if (found?.[1]) out.add(found[1].replace(/^["']|["']$/g, ""));
  }
  return out;
}

/** inputOf returns the input that a table is of, by its name or an alias. */
export function inputOf(
  inputs: readonly InputDescription[],
  table: readonly string[],
): InputDescription | undefined {
  if (table[0] !== "inputs") return undefined;
  return inputs.find((d) => d.name === table[1] || d.aliases?.includes(table[1] ?? ""));
}

/** fieldsOf returns the fields of a table, none where it is unknown. */
export function fieldsOf(
  inputs: readonly InputDescription[],
  table: readonly string[],
): readonly FieldDescription[] {
  let fields = inputOf(inputs, table)?.fields ?? [];
  for (const name of table.slice(2)) fields = fields.find((f) => f.name === name)?.fields ?? [];
  return fields;
}
