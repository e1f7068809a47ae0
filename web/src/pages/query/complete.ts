// What may be written where the caret stands.

/** Spot says what is expected at the caret. */
export interface Spot {
  expects: "source" | "name" | "word";
  /** The namespace, in upper case, and the sources that stand before. */
  namespace: string;
  sources: string[];
  /** Whether only tags fit. */
  tagsOnly: boolean;
  /** What is written of it already, and where that begins. */
  prefix: string;
  from: number;
  /** Whether it was begun with a backtick. */
  quoted: boolean;
}

export interface Choice {
  text: string;
  kind: "measurement" | "field" | "tag" | "function" | "keyword";
  /** A type, or what the function does with its arguments. */
  note?: string;
}

const functions =
  "avg bottom ceil abs count count_distinct derivative difference distinct fill first float floor histogram int irate last max median min mode " +
  "non_negative_derivative non_negative_difference percentile rate round spread stddev sum top";
const keywords = ["BY ", "LIMIT ", "ORDER BY ", "OFFSET ", "SLIMIT ", "SOFFSET "];
const showing = [
  "show_measurement()",
  "show_tag_key(from=['",
  "show_tag_value(from=['",
  "show_field_key(from=['",
  "show_logging_source()",
];
const namespaces = ["M::", "L::", "O::", "CO::", "E::", "T::", "R::", "S::", "N::", "P::", "D::"];

/** spotAt reads text before the caret. Within quotes, nothing is completed. */
export function spotAt(text: string, caret: number): Spot | undefined {
  const before = text.slice(0, caret).replace(/#[^\n]*$/gm, (comment) => " ".repeat(comment.length));
  if (/'[^']*$/.test(before.replace(/'[^']*'/g, "")) || /"[^"]*$/.test(before.replace(/"[^"]*"/g, "")))
    return undefined;
  const quoted = (before.split("`").length - 1) % 2 === 1;
  const prefix = (quoted ? /`([^`]*)$/ : /([\p{L}\p{N}_]*)$/u).exec(before)?.[1] ?? "";
  const from = caret - prefix.length - (quoted ? 1 : 0);
  const head = before.slice(0, from);
  const spot = { prefix, from, quoted, tagsOnly: false, ...placed(head) };
  if (/^\s*$/.test(head) || /^\s*([a-z_]+\s*::\s*)?([^:({[]*,)?\s*$/i.test(head))
    return { ...spot, expects: "source" };
  if (/\bby\s+([^\s()]+\s*,\s*)*$/i.test(head))
    return { ...spot, expects: "name", tagsOnly: !/\border\s+by\s+[^()]*$/i.test(head) };
  return { ...spot, expects: depth(head) > 0 ? "name" : "word" };
}

/** placed returns the namespace and the sources that head begins with. */
function placed(head: string): { namespace: string; sources: string[] } {
  const start = /^\s*(?:([a-z_]+)\s*::)?/i.exec(head);
  const source = /\s*(?:`([^`]*)`|([\p{L}\p{N}_]+))\s*(,?)/uy;
  source.lastIndex = start?.[0].length ?? 0;
  const sources: string[] = [];
  for (let m = source.exec(head); m; m = m[3] ? source.exec(head) : null) sources.push(m[1] ?? m[2] ?? "");
  return { namespace: (start?.[1] ?? "M").toUpperCase(), sources };
}

/** depth is how many brackets stand open. */
function depth(text: string): number {
  let n = 0;
  for (const c of text.replace(/'[^']*'|"[^"]*"|`[^`]*`/g, ""))
    n += "([{".includes(c) ? 1 : ")]}".includes(c) ? -1 : 0;
  return n;
}

/** asking returns the queries whose answers name what fits at spot. */
export function asking(spot: Spot): string[] {
  const metric = spot.namespace === "M" || spot.namespace === "METRIC";
  const kind = kinds[spot.namespace] ?? "";
  if (spot.expects === "source")
    return metric ? ["show_measurement()"] : kind ? [`show_${kind}_source()`] : [];
  if (spot.expects !== "name" || spot.sources.length === 0) return [];
  const from = spot.sources.map(textText).join(", ");
  if (metric)
    return spot.tagsOnly
      ? [`show_tag_key(from=[${from}])`]
      : [`show_field_key(from=[${from}])`, `show_tag_key(from=[${from}])`];
  return kind ? spot.sources.map((s) => `show_${kind}_field(${textText(s)})`) : [];
}

const kinds: Record<string, string> = {
  L: "logging",
  LOGGING: "logging",
  O: "object",
  OBJECT: "object",
  CO: "custom_object",
  CUSTOM_OBJECT: "custom_object",
  E: "event",
  EVENT: "event",
  T: "tracing",
  TRACING: "tracing",
  R: "rum",
  RUM: "rum",
  S: "security",
  SECURITY: "security",
  N: "network",
  NETWORK: "network",
  P: "profiling",
  PROFILING: "profiling",
  D: "dialtesting",
  DIALTESTING: "dialtesting",
};

/** fitting returns what begins as the spot does, of names that the agent knows and words of the language. */
export function fitting(spot: Spot, known: Choice[]): Choice[] {
  const all = [...known];
  const word = (text: string): Choice => ({ text, kind: "keyword" });
  if (spot.expects === "word") all.push(...keywords.map(word));
  if (spot.expects === "source" && spot.from === 0) all.push(...namespaces.map(word), ...showing.map(word));
  if (spot.expects === "name" && !spot.tagsOnly && !spot.quoted) {
    all.push(...functions.split(" ").map((name): Choice => ({ text: `${name}(`, kind: "function" })));
  }
  const prefix = spot.prefix.toLowerCase();
  const seen = new Set<string>();
  return all.filter((c) => {
    const fits = c.text.toLowerCase().startsWith(prefix) && c.text !== spot.prefix && !seen.has(c.text);
    seen.add(c.text);
    return fits;
  });
}

/** put returns the text with choice in the place of what was begun, and where the caret stands then. */
export function put(
  text: string,
  caret: number,
  spot: Spot,
  choice: Choice,
): { text: string; caret: number } {
  const isName = choice.kind === "measurement" || choice.kind === "field" || choice.kind === "tag";
  const written =
    isName && (spot.quoted || !/^[\p{L}\p{N}_]+$/u.test(choice.text)) ? nameText(choice.text) : choice.text;
  const rest = text.slice(caret).replace(spot.quoted ? /^`/ : /^$/, "");
  return { text: text.slice(0, spot.from) + written + rest, caret: spot.from + written.length };
}

/** nameText writes a name that the language would not take plain. */
function nameText(name: string): string {
  return name.includes("`") ? `identifier(${textText(name)})` : `\`${name}\``;
}

/** textText writes a text of the language. */
function textText(text: string): string {
  return `'${text.replace(/[\\']/g, "\\$&")}'`;
}
