import {
  autocompletion,
  type Completion,
  type CompletionContext,
  type CompletionResult,
  closeBrackets,
  closeBracketsKeymap,
  completionKeymap,
} from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { bracketMatching, indentOnInput, indentUnit, StreamLanguage } from "@codemirror/language";
import { toml } from "@codemirror/legacy-modes/mode/toml";
import { lintGutter, lintKeymap, setDiagnostics } from "@codemirror/lint";
import { highlightSelectionMatches, search, searchKeymap } from "@codemirror/search";
import { Compartment, EditorState, type Extension } from "@codemirror/state";
import {
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  hoverTooltip,
  keymap,
  lineNumbers,
} from "@codemirror/view";
import type { Problem } from "../api/types";
import { marks, offset } from "./position";
import { scriptLanguage } from "./script-language";
import { appearance } from "./theme";
import type { Option } from "./toml-options";

export type Language = "toml" | "script";

/** What an editor shows and tells. */
export interface Setup {
  value: string;
  language: Language;
  readOnly: boolean;
  /** The name and the description of the editor, for those who listen. */
  label: string;
  description: string;
  /** The editor's own words in the language of the page. */
  phrases: Record<string, string>;
  complete: (text: string, at: number, asked: boolean) => { from: number; options: Option[] } | undefined;
  explain: (text: string, at: number, word: string) => string[] | undefined;
  onChange: (text: string) => void;
  onSave: () => void;
}

/** A Mounted is an editor that is there. */
export interface Mounted {
  /** setValue puts another text in place; onChange is not told of it. */
  setValue(text: string): void;
  setProblems(problems: readonly Problem[]): void;
  set(change: Partial<Pick<Setup, "readOnly" | "label" | "description" | "phrases">>): void;
  goTo(line: number, column: number): void;
  focus(): void;
  destroy(): void;
}

const tomlLanguage = StreamLanguage.define({ ...toml, name: "toml" });

/**
 * mount puts an editor into host. It lives in a shadow tree: there its styles are
 * style sheets that the script makes, which the policy of the page allows, and not
 * a style element, which it does not.
 */
export function mount(host: HTMLElement, setup: Setup): Mounted {
  const shadow = host.shadowRoot ?? host.attachShadow({ mode: "open" });
  shadow.replaceChildren();
  const place = document.createElement("div");
  shadow.append(place);
  const variable = new Compartment();
  let given = false; // the text that is put in comes from the page
  let own = {
    readOnly: setup.readOnly,
    label: setup.label,
    description: setup.description,
    phrases: setup.phrases,
  };
  const state = EditorState.create({
    doc: setup.value,
    extensions: [
      variable.of(changing(own)),
      ...fixed,
      setup.language === "toml" ? tomlLanguage : scriptLanguage,
      indentUnit.of("  "),
      autocompletion({ override: [source(setup)], icons: false, maxRenderedOptions: 60 }),
      hoverTooltip((view, pos) => hover(view, pos, setup)),
      keymap.of([
        {
          key: "Mod-s",
          preventDefault: true,
          run: () => {
            setup.onSave();
            return true;
          },
        },
        ...closeBracketsKeymap,
        ...completionKeymap,
        ...lintKeymap,
        ...searchKeymap,
        ...historyKeymap,
        ...defaultKeymap,
        indentWithTab, // Escape before it lets Tab leave: the description says so
      ]),
      EditorView.updateListener.of((u) => {
        if (u.docChanged && !given) setup.onChange(u.state.doc.toString());
      }),
    ],
  });
  const view = new EditorView({ state, parent: place, root: shadow });
  return {
    setValue(text) {
      if (text === view.state.doc.toString()) return;
      given = true;
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
      given = false;
    },
    setProblems(problems) {
      const list = marks(view.state.doc.toString(), problems).map((m) => ({
        ...m,
        severity: "error" as const,
      }));
      view.dispatch(setDiagnostics(view.state, list));
    },
    set(change) {
      own = { ...own, ...change };
      view.dispatch({ effects: variable.reconfigure(changing(own)) });
    },
    goTo(line, column) {
      const at = offset(view.state.doc.toString(), line, column);
      view.dispatch({ selection: { anchor: at }, effects: EditorView.scrollIntoView(at, { y: "center" }) });
      view.focus();
    },
    focus: () => view.focus(),
    destroy: () => view.destroy(),
  };
}

const fixed: Extension[] = [
  lineNumbers(),
  lintGutter(),
  highlightActiveLine(),
  highlightActiveLineGutter(),
  highlightSelectionMatches(),
  history(),
  drawSelection(),
  search({ top: true }),
  bracketMatching(),
  closeBrackets(),
  indentOnInput(),
  EditorView.lineWrapping,
  appearance,
];

// What may change while the editor is there.
function changing(s: Pick<Setup, "readOnly" | "label" | "description" | "phrases">): Extension {
  return [
    EditorState.readOnly.of(s.readOnly),
    EditorState.phrases.of(s.phrases),
    EditorView.contentAttributes.of({
      "aria-label": s.label,
      "aria-description": s.description,
      spellcheck: "false",
      autocapitalize: "off",
      ...(s.readOnly ? { "aria-readonly": "true" } : {}),
    }),
  ];
}

function source(setup: Setup) {
  return (c: CompletionContext): CompletionResult | null => {
    const found = setup.complete(c.state.doc.toString(), c.pos, c.explicit);
    if (!found || found.options.length === 0) return null;
    return { from: found.from, options: found.options.map(completion), validFor: /^["'[\].\w-]*$/ };
  };
}

function completion(o: Option): Completion {
  const out: Completion = { label: o.label, type: o.kind };
  if (o.detail) out.detail = o.detail;
  if (o.boost) out.boost = o.boost;
  if (o.info.length > 0) out.info = () => paragraphs(o.info);
  const insert = o.insert;
  if (insert !== undefined) {
    out.apply = (view, _, from, to) => {
      const end = from + insert.length - (o.back ?? 0);
      view.dispatch({ changes: { from, to: behind(view, to, insert), insert }, selection: { anchor: end } });
    };
  }
  return out;
}

// What closes by itself while one types is not written twice.
function behind(view: EditorView, to: number, insert: string): number {
  const rest = view.state.sliceDoc(to, to + 2);
  const closes = /^[\])}"']{1,2}/.exec(rest)?.[0] ?? "";
  let n = closes.length;
  while (n > 0 && !insert.trimEnd().split("\n")[0]?.endsWith(closes.slice(0, n))) n--;
  return to + n;
}

function hover(view: EditorView, pos: number, setup: Setup) {
  const line = view.state.doc.lineAt(pos);
  const at = pos - line.from;
  for (const m of line.text.matchAll(/[\w.-]+/g)) {
    if (m.index > at || m.index + m[0].length < at) continue;
    const info = setup.explain(view.state.doc.toString(), line.from + m.index + m[0].length, m[0]);
    if (!info) return null;
    const from = line.from + m.index;
    return { pos: from, end: from + m[0].length, above: true, create: () => ({ dom: paragraphs(info) }) };
  }
  return null;
}

/** paragraphs shows an explanation; what has several lines, or is a signature, as code. */
function paragraphs(texts: readonly string[]): HTMLElement {
  const box = document.createElement("div");
  box.className = "cm-doc";
  for (const text of texts) {
    const code = text.includes("\n") || /^\w+\(.*\)(?: → .*)?$/.test(text);
    const part = document.createElement(code ? "pre" : "p");
    part.textContent = text;
    box.append(part);
  }
  return box;
}
