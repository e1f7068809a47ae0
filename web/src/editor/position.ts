import type { Problem } from "../api/types";

/** A Mark is a place in a text that something is wrong with, by offsets. */
export interface Mark {
  from: number;
  to: number;
  message: string;
}

/**
 * offset returns where a line and column of the agent are in a text. The agent
 * counts characters; an editor counts UTF-16 units.
 */
export function offset(text: string, line: number, column: number): number {
  let start = 0;
  for (let n = 1; n < line; n++) {
    const next = text.indexOf("\n", start);
    if (next < 0) return text.length;
    start = next + 1;
  }
  let end = text.indexOf("\n", start);
  if (end < 0) end = text.length;
  let at = start;
  for (let c = 1; c < column && at < end; c++) at += (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
  return at;
}

/** lineOf returns the line of an offset, from 1. */
export const lineOf = (text: string, at: number) => text.slice(0, at).split("\n").length;

// What is marked from a place on: a name, a number, a quoted text, or one sign.
const token = /^(?:[\p{L}\p{N}_.-]+|"[^"\n]*"?|'[^'\n]*'?|[^\s])/u;

/** marks returns the problems as ranges. One without a place is of the first line. */
export function marks(text: string, problems: readonly Problem[]): Mark[] {
  return problems.map(({ line, column, message }) => {
    if (line === 0) {
      const end = text.indexOf("\n");
      return { from: 0, to: end < 0 ? text.length : end, message };
    }
    const from = offset(text, line, Math.max(column, 1));
    const found = token.exec(text.slice(from, from + 200));
    let to = from + (found?.[0].length ?? 0);
    // At the end of a line there is nothing to underline but what stands before.
    if (to === from && from > 0 && text[from - 1] !== "\n") return { from: from - 1, to: from, message };
    to = Math.min(to, text.length);
    return { from, to, message };
  });
}
