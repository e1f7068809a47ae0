import type { FuncDescription } from "../api/types";
import { keywords } from "./script-words";
import type { Lang, Option } from "./toml-options";

/** What a script can name. */
export interface Names {
  functions: readonly FuncDescription[];
  patterns: readonly string[];
  /** Keys of the points that it is tried on. */
  keys: readonly string[];
  /** Scripts that it may use. */
  scripts: readonly string[];
}

/** A Spot is what is being written at an offset of a script. */
export type Spot =
  | { at: "name"; from: number }
  | { at: "pattern"; from: number }
  | { at: "script"; from: number }
  | { at: "nothing" };

/** spot says what is being written at an offset: a name, or a grok pattern in a text. */
export function spot(text: string, at: number): Spot {
  let quotes = "";
  let opened = 0;
  for (let i = 0; i < at; ) {
    const c = text[i] ?? "";
    if (quotes !== "") {
      if (text.startsWith(quotes, i)) {
        i += quotes.length;
        quotes = "";
      } else if (quotes.length === 1 && c === "\n") {
        quotes = "";
        i++;
      } else i += quotes.length === 1 && c === "\\" ? 2 : 1;
      continue;
    }
    if (c === "#") {
      const end = text.indexOf("\n", i);
      if (end < 0 || end >= at) return { at: "nothing" };
      i = end + 1;
      continue;
    }
    if (c === '"' || c === "'" || c === "`") {
      quotes = c !== "`" && text.startsWith(c.repeat(3), i) ? c.repeat(3) : c;
      i += quotes.length;
      opened = i;
      continue;
    }
    i++;
  }
  const before = text.slice(0, at);
  if (quotes !== "") {
    const pattern = /%\{(\w*)$/.exec(before.slice(opened));
    if (pattern) return { at: "pattern", from: at - (pattern[1]?.length ?? 0) };
    if (/\buse\(\s*["']$/.test(text.slice(0, opened))) return { at: "script", from: opened };
    return { at: "nothing" };
  }
  const word = /[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*$/.exec(before);
  if (word) return { at: "name", from: at - word[0].length };
  return /[\d.]$/.test(before) ? { at: "nothing" } : { at: "name", from: at };
}

/** scriptOptions returns what may stand at a spot of a script. */
export function scriptOptions(s: Spot, text: string, names: Names, lang: Lang): Option[] {
  switch (s.at) {
    case "pattern":
      return names.patterns.map((p) => ({
        label: p,
        insert: `${p}:}`,
        back: 1,
        detail: "",
        kind: "constant",
        info: [],
      }));
    case "script":
      return names.scripts.map((n) => ({ label: n, detail: "", kind: "constant", info: [] }));
    case "nothing":
      return [];
    case "name":
  }
  const known = new Set<string>([...names.functions.map((f) => f.name), ...keywords]);
  const own = new Set(
    [...text.matchAll(/(?<![\w"'.])([A-Za-z_]\w*)(?=\s*(?:=(?!=)|in\b))/g)]
      .map((m) => m[1] ?? "")
      .filter((n) => !known.has(n)),
  );
  return [
    ...names.functions.map((f) => call(f, lang)),
    ...keywords.map((k): Option => ({ label: k, detail: "", kind: "keyword", info: [], boost: -10 })),
    ...[...own].map((n): Option => ({ label: n, detail: "", kind: "variable", info: [], boost: 10 })),
    ...names.keys
      .filter((k) => !own.has(k) && /^[A-Za-z_]\w*$/.test(k))
      .map((k): Option => ({ label: k, detail: "", kind: "property", info: [], boost: 5 })),
  ];
}

function call(f: FuncDescription, lang: Lang): Option {
  return {
    label: f.name,
    insert: `${f.name}()`,
    back: f.params.length > 0 ? 1 : 0,
    detail: f.signature.slice(f.name.length),
    kind: "function",
    info: describe(f, lang),
  };
}

/** describe explains a function, in paragraphs. */
export function describe(f: FuncDescription, lang: Lang): string[] {
  const out = [f.result ? `${f.signature} → ${f.result}` : f.signature, lang === "zh" ? f.doc_zh : f.doc];
  if (f.examples[0]) out.push(f.examples[0].trimEnd());
  return out;
}
