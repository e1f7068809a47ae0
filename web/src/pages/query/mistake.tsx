import type { RefObject } from "preact";
import { Refusal } from "../../api/client";
import type { Problem } from "../../api/types";
import { words } from "../../words";

interface Props {
  id: string;
  error: unknown;
  text: string;
  /** The form that the text was written in. */
  form: RefObject<HTMLFormElement | null>;
}

/** Mistake says what is wrong with a query, and shows where. */
export function Mistake({ id, error, text, form }: Props) {
  const t = words.value.query;
  const places = error instanceof Refusal ? error.errors : [];
  const why = error instanceof Refusal && error.status === 404 ? t.off : String((error as Error).message);
  const go = (p: Problem) => {
    const area = form.current?.querySelector("textarea");
    const at = offsetOf(text, p);
    area?.focus();
    area?.setSelectionRange(at, at);
  };
  return (
    <div id={id} role="alert" class="query-mistake notice bad">
      {places.length === 0 && <p>{why}</p>}
      {places.map((p) => (
        <div key={`${p.line}:${p.column}`}>
          <p>
            {t.at(p.line, p.column)}: {p.message}{" "}
            <button type="button" onClick={() => go(p)}>
              {t.goThere}
            </button>
          </p>
          <pre aria-hidden="true">{marked(text, p)}</pre>
        </div>
      ))}
    </div>
  );
}

/** marked is the line of a problem with a caret below its place. Columns count characters, not UTF-16 units. */
export function marked(text: string, { line, column }: Problem): string {
  const characters = [...(text.split("\n")[line - 1] ?? "")].slice(0, 1000);
  const indent = characters.slice(0, column - 1).map((c) => (c === "\t" ? "\t" : isWide(c) ? "　" : " "));
  return `${characters.join("")}\n${indent.join("")}^`;
}

/** offsetOf returns where a problem is in text. */
export function offsetOf(text: string, { line, column }: Problem): number {
  const lines = text.split("\n");
  const before = lines.slice(0, line - 1).reduce((n, l) => n + l.length + 1, 0);
  return before + [...(lines[line - 1] ?? "")].slice(0, column - 1).join("").length;
}

/** isWide reports whether a character takes two columns, as those of Chinese do. */
const isWide = (c: string) =>
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/.test(c);
