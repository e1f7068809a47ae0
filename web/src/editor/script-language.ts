import { StreamLanguage, type StreamParser, type StringStream } from "@codemirror/language";
import { atoms, control, reserved } from "./script-words";

/** A State is what is open at the end of a line. */
export interface State {
  /** The quotes of the text that is open, "" where none is. */
  quotes: string;
  /** How many brackets are open. */
  depth: number;
}

const name = /^[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*/;
const number = /^(?:0[xX][\da-fA-F]+|\d+(?:\.\d*)?(?:[eE][+-]?\d+)?)/;
const operator = /^(?:[=!<>+\-*/%]=|&&|\|\||[=!<>+\-*/%])/;

function text(stream: StringStream, state: State): string {
  const raw = state.quotes.length === 3;
  while (!stream.eol()) {
    // The patterns of grok stand out of the text that they are in.
    if (stream.match(/^%\{[^}\s]*\}/, false)) {
      if (stream.current() !== "") return "string";
      stream.match(/^%\{[^}\s]*\}/);
      return "string.special";
    }
    if (stream.match(state.quotes)) {
      state.quotes = "";
      return "string";
    }
    if (!raw && stream.match(/^\\./, false)) {
      if (stream.current() !== "") return "string";
      stream.match(/^\\./);
      return "escape";
    }
    stream.next();
  }
  if (!raw) state.quotes = ""; // a text of one line ends with it, whatever is missing
  return "string";
}

/** scriptParser tells the tokens of the Pipeline language. */
export const scriptParser: StreamParser<State> = {
  name: "pipeline",
  startState: () => ({ quotes: "", depth: 0 }),
  token(stream, state) {
    if (state.quotes !== "") return text(stream, state);
    if (stream.eatSpace()) return null;
    if (stream.match(/^#.*/)) return "comment";
    const open = stream.match(/^(?:"""|'''|"|')/);
    if (open) {
      state.quotes = stream.current();
      return stream.eol() && state.quotes.length === 1 ? text(stream, state) : "string";
    }
    if (stream.match(/^`[^`]*`?/)) return "variableName.special";
    if (stream.match(number)) return "number";
    if (stream.match(name)) return word(stream);
    if (stream.match(operator)) return "operator";
    if (stream.match(/^[([{]/)) {
      state.depth++;
      return "bracket";
    }
    if (stream.match(/^[)\]}]/)) {
      state.depth = Math.max(0, state.depth - 1);
      return "bracket";
    }
    stream.next();
    return stream.current().match(/[,;:.]/) ? "punctuation" : "invalid";
  },
  languageData: {
    commentTokens: { line: "#" },
    closeBrackets: { brackets: ["(", "[", "{", '"', "'", "`"] },
    indentOnInput: /^\s*\}$/,
  },
  indent(state, textAfter, { unit }) {
    if (state.quotes !== "") return null;
    return unit * Math.max(0, state.depth - (/^[})\]]/.test(textAfter) ? 1 : 0));
  },
};

function word(stream: StringStream): string {
  const w = stream.current().toLowerCase();
  const atom = atoms[w];
  if (atom) return atom;
  if (control.has(w)) return "controlKeyword";
  if (reserved.has(w)) return "invalid";
  if (stream.match(/^\s*\(/, false)) return "variableName.function";
  return stream.current() === "_" ? "variableName.special" : "variableName";
}

export const scriptLanguage = StreamLanguage.define(scriptParser);
