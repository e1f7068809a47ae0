import type { FieldDescription, InputDescription } from "../api/types";
import { fieldsOf, inputOf, type Place } from "./toml-context";

/** An Option is one thing that can be completed, before it is an editor's. */
export interface Option {
  label: string;
  /** What is written instead of the label. */
  insert?: string;
  /** Where the cursor goes, counted back from the end of what is written. */
  back?: number;
  detail: string;
  kind: "class" | "property" | "enum" | "constant" | "function" | "keyword" | "variable";
  /** The explanation, by paragraphs. */
  info: string[];
  boost?: number;
}

export type Lang = "en" | "zh";

const docOf = (d: { doc: string; doc_zh: string }, lang: Lang) => (lang === "zh" ? d.doc_zh : d.doc);
const isTable = (f: FieldDescription) =>
  f.type === "table" || f.type === "list of tables" || f.type === "table of strings";

/** The words that explain a field. */
export interface FieldWords {
  required: string;
  live: string;
  secret: string;
  once: string;
  byDefault: (value: string) => string;
  between: (min: string, max: string) => string;
  unit: (unit: string) => string;
  example: (value: string) => string;
  types: Record<string, string>;
}

/** explain says what a field is, in paragraphs. */
export function explain(f: FieldDescription, w: FieldWords, lang: Lang): string[] {
  const facts: string[] = [w.types[f.type] ?? f.type];
  if (f.unit) facts.push(w.unit(f.unit));
  if (f.default) facts.push(w.byDefault(f.default));
  if (f.min || f.max) facts.push(w.between(f.min ?? "…", f.max ?? "…"));
  if (f.allowed) facts.push(f.allowed.join(" | "));
  if (f.required) facts.push(w.required);
  if (f.live) facts.push(w.live);
  if (f.secret) facts.push(w.secret);
  const out = [docOf(f, lang), facts.join(" · ")];
  if (f.example) out.push(w.example(f.example));
  return out;
}

/** options returns what may stand at a place of a configuration. */
export function options(p: Place, inputs: readonly InputDescription[], w: FieldWords, lang: Lang): Option[] {
  switch (p.at) {
    case "header":
      return headers(inputs, w, lang);
    case "key":
      if (p.table.length === 0) return headers(inputs, w, lang);
      return [
        ...fieldsOf(inputs, p.table)
          .filter((f) => !p.used.has(f.name))
          .map((f) => key(f, p.table, w, lang)),
        ...headers(inputs, w, lang).map((o) => ({ ...o, boost: -50 })),
      ];
    case "value":
      return values(p, inputs, w, lang);
    case "nothing":
      return [];
  }
}

function headers(inputs: readonly InputDescription[], w: FieldWords, lang: Lang): Option[] {
  return inputs.map((d) => ({
    label: `[[inputs.${d.name}]]`,
    insert: `[[inputs.${d.name}]]\n${required(d.fields)}`,
    detail: "",
    kind: "class" as const,
    info: d.singleton ? [docOf(d, lang), w.once] : [docOf(d, lang)],
  }));
}

/** required returns the lines that a new table cannot do without. */
function required(fields: readonly FieldDescription[]): string {
  return fields
    .filter((f) => f.required && !isTable(f))
    .map((f) => `  ${f.name} = ${f.example || blank(f)}\n`)
    .join("");
}

function key(f: FieldDescription, table: readonly string[], w: FieldWords, lang: Lang): Option {
  const info = explain(f, w, lang);
  const common = { label: f.name, detail: w.types[f.type] ?? f.type, kind: "property" as const, info };
  const path = [...table, f.name].join(".");
  if (f.type === "list of tables") return { ...common, insert: `[[${path}]]\n  ` };
  if (isTable(f)) return { ...common, insert: `[${path}]\n  ` };
  const written = f.default || blank(f);
  const back = /^(""|\[\])$/.test(written) ? 1 : 0;
  return { ...common, insert: `${f.name} = ${written}`, back, ...(f.required ? { boost: 50 } : {}) };
}

/** blank is the least that a field can hold. */
function blank(f: FieldDescription): string {
  switch (f.type) {
    case "bool":
      return "false";
    case "integer":
      return "0";
    case "float":
      return "0.0";
    case "list of strings":
      return "[]";
    default:
      return '""';
  }
}

function values(
  p: Place & { at: "value" },
  inputs: readonly InputDescription[],
  w: FieldWords,
  lang: Lang,
): Option[] {
  const f = fieldsOf(inputs, p.table).find((x) => x.name === p.key);
  if (!f) return [];
  const info = explain(f, w, lang);
  if (f.type === "bool")
    return ["true", "false"].map((label) => ({ label, detail: "", kind: "constant", info }));
  const quoted = f.type === "string" || f.type === "duration" || f.type === "list of strings";
  const texts: [label: string, detail: string][] = (f.allowed ?? []).map((v) => [
    quoted ? JSON.stringify(v) : v,
    "",
  ]);
  const single = f.type !== "list of strings" || !p.items;
  if (single && f.default && !texts.some(([v]) => v === f.default))
    texts.push([f.default, w.byDefault("").trim()]);
  if (single && f.example && !texts.some(([v]) => v === f.example))
    texts.push([f.example, w.example("").trim()]);
  return texts
    .filter(([v]) => p.quote === "" || v.startsWith('"'))
    .map(([label, detail], i) => ({ label, detail, kind: "enum", info, boost: -i }));
}

/** explainAt says what stands at a place: for a pointer that rests there. */
export function explainAt(
  p: Place,
  word: string,
  inputs: readonly InputDescription[],
  w: FieldWords,
  lang: Lang,
): string[] | undefined {
  if (p.at === "header") {
    const d = inputOf(inputs, ["inputs", word.replace(/^inputs\./, "")]);
    return d && [docOf(d, lang), ...(d.singleton ? [w.once] : [])];
  }
  if (p.at !== "key" && p.at !== "value") return undefined;
  const name = p.at === "key" ? word : p.key;
  const f = fieldsOf(inputs, p.table).find((x) => x.name === name);
  return f && explain(f, w, lang);
}
