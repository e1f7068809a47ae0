import type { Specification } from "../api/types";
import { language } from "../state/preferences";
import { words } from "../words";
import type { Language, Setup } from "./mount";
import { describe, scriptOptions, spot } from "./script-options";
import { place } from "./toml-context";
import { explainAt, options } from "./toml-options";

/** What is known of the text that is written. */
export interface Known {
  syntax: Language;
  specs: Specification | undefined;
  keys?: readonly string[];
  scripts?: readonly string[];
}

/** assist completes and explains with what is known at that time. */
export function assist(known: () => Known): Pick<Setup, "complete" | "explain"> {
  return {
    complete(text, at, asked) {
      const { syntax, specs, keys = [], scripts = [] } = known();
      if (!specs) return undefined;
      if (syntax === "toml") {
        const p = place(text, at);
        if (p.at === "nothing") return undefined;
        // An empty line asks for nothing by itself: Enter would take the first option.
        if (!asked && p.at === "key" && p.from === at) return undefined;
        return { from: p.from, options: options(p, specs.inputs, words.value.editor, language.value) };
      }
      const s = spot(text, at);
      if (s.at === "nothing" || (!asked && s.at === "name" && s.from === at)) return undefined;
      const names = { functions: specs.functions, patterns: specs.patterns, keys, scripts };
      return { from: s.from, options: scriptOptions(s, text, names, language.value) };
    },
    explain(text, at, word) {
      const { syntax, specs } = known();
      if (!specs) return undefined;
      if (syntax === "toml")
        return explainAt(place(text, at), word, specs.inputs, words.value.editor, language.value);
      const f = specs.functions.find((x) => x.name === word);
      return f && spot(text, at).at === "name" ? describe(f, language.value) : undefined;
    },
  };
}
