import { signal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { words } from "../words";
import { parted, type Row, rowsOf, type Side } from "./difftext";
import { number } from "./format";

// Where there is little room the sides stand below one another.
const wide = signal(true);
const query = globalThis.matchMedia?.("(min-width: 56rem)");
if (query) {
  wide.value = query.matches;
  query.addEventListener("change", () => {
    wide.value = query.matches;
  });
}

/** Diff shows a unified difference: side by side, or stacked where it is narrow. */
export function Diff({ text, label }: { text: string; label: string }) {
  const rows = useMemo(() => rowsOf(text), [text]);
  return wide.value ? <SideBySide rows={rows} label={label} /> : <Stacked rows={rows} label={label} />;
}

interface Props {
  rows: readonly Row[];
  label: string;
}

function SideBySide({ rows, label }: Props) {
  const w = words.value.changes;
  return (
    <table class="diff" aria-label={label}>
      <colgroup>
        <col class="n" />
        <col />
        <col class="n" />
        <col />
      </colgroup>
      <thead>
        <tr>
          <th scope="col" colSpan={2}>
            {w.before}
          </th>
          <th scope="col" colSpan={2}>
            {w.after}
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map((r, i) =>
          r.kind === "gap" ? (
            <Gap key={i} row={r} span={4} />
          ) : (
            <tr key={i}>
              <Cell side={r.left} other={r.right} kind={r.kind} which="left" />
              <Cell side={r.right} other={r.left} kind={r.kind} which="right" />
            </tr>
          ),
        )}
      </tbody>
    </table>
  );
}

function Stacked({ rows, label }: Props) {
  return (
    <table class="diff stacked" aria-label={label}>
      <colgroup>
        <col class="n" />
        <col />
      </colgroup>
      <tbody>
        {rows.map((r, i) => {
          if (r.kind === "gap") return <Gap key={i} row={r} span={2} />;
          return (
            <>
              {(r.left || r.kind === "same") && r.kind !== "same" && (
                <tr key={`${i}l`}>
                  <Cell side={r.left} other={r.right} kind={r.kind} which="left" />
                </tr>
              )}
              {r.right && (
                <tr key={`${i}r`}>
                  <Cell side={r.right} other={r.left} kind={r.kind} which="right" />
                </tr>
              )}
            </>
          );
        })}
      </tbody>
    </table>
  );
}

function Gap({ row, span }: { row: Row; span: number }) {
  return (
    <tr class="gap">
      <td colSpan={span}>{words.value.changes.unchanged(number(row.skipped ?? 0))}</td>
    </tr>
  );
}

interface CellProps {
  side: Side | undefined;
  other: Side | undefined;
  kind: Row["kind"];
  which: "left" | "right";
}

function Cell({ side, other, kind, which }: CellProps) {
  if (!side) return <td colSpan={2} class="nothing" />;
  if (kind === "same") {
    return (
      <>
        <td class="n">{side.n}</td>
        <td>
          <code>{side.text}</code>
        </td>
      </>
    );
  }
  const Mark = which === "left" ? "del" : "ins";
  const p = kind === "change" && other ? parted(side.text, other.text) : undefined;
  return (
    <>
      <td class={`n ${which}`}>
        <span aria-hidden="true">{which === "left" ? "−" : "+"}</span>
        {side.n}
      </td>
      <td class={which}>
        <Mark>
          <code>
            {p ? (
              <>
                {p.head}
                <mark>{p.a}</mark>
                {p.tail}
              </>
            ) : (
              side.text
            )}
          </code>
        </Mark>
      </td>
    </>
  );
}
