import { useState } from "preact/hooks";
import type { DebugPoint, TryProblem, TryResult } from "../../api/types";
import { Problems } from "../../change/plan-view";
import { Badge } from "../../ui/badge";
import { words } from "../../words";
import { type Cell, compare, show } from "./points";

interface Props {
  results: readonly TryResult[];
  onProblem: (p: TryProblem) => void;
}

/** Results shows points before and after a script, side by side. */
export function Results({ results, onProblem }: Props) {
  const w = words.value.scripts;
  const [all, setAll] = useState(false);
  if (results.length === 0) return null;
  return (
    <>
      <label class="check">
        <input type="checkbox" checked={all} onChange={(e) => setAll(e.currentTarget.checked)} /> {w.showSame}
      </label>
      <ol class="results">
        {results.map((r, i) => (
          <li key={i} class="panel">
            <One result={r} all={all} onProblem={onProblem} />
          </li>
        ))}
      </ol>
    </>
  );
}

interface OneProps {
  result: TryResult;
  all: boolean;
  onProblem: (p: TryProblem) => void;
}

function One({ result: r, all, onProblem }: OneProps) {
  const w = words.value.scripts;
  const cells = compare(r.before, r.after);
  const shown = all ? cells : cells.filter((c) => c.change !== "same");
  const untouched =
    !r.error && !r.dropped && r.created.length === 0 && cells.every((c) => c.change === "same");
  return (
    <>
      <h4>
        <span class="mono">{r.before.name}</span> <span class="faint small">{timeOf(r.before)}</span>
        {r.dropped && <Badge tone="warn" text={w.dropped} />}
        {r.error && <Badge tone="bad" text={w.aborted} />}
        {untouched && <span class="faint small">{w.untouched}</span>}
      </h4>
      {r.error && <Problems problems={[r.error]} onGo={() => r.error && onProblem(r.error)} />}
      {shown.length > 0 && <Cells cells={shown} />}
      {!all && !untouched && cells.length > shown.length && (
        <p class="faint small">{w.sameHidden(String(cells.length - shown.length))}</p>
      )}
      {r.created.map((p, i) => (
        <Created key={i} point={p} />
      ))}
    </>
  );
}

const signs = { same: "", changed: "~", new: "+", gone: "−" } as const;

function Cells({ cells }: { cells: readonly Cell[] }) {
  const w = words.value.scripts;
  return (
    <table class="cells" role="table">
      <thead role="rowgroup">
        <tr role="row">
          {[w.keyOf, w.before, w.after].map((head) => (
            <th key={head} scope="col" role="columnheader">
              {head}
            </th>
          ))}
        </tr>
      </thead>
      <tbody role="rowgroup">
        {cells.map((c) => (
          <tr key={`${c.kind} ${c.key}`} role="row" class={c.change}>
            <th scope="row" role="rowheader">
              <span class="sign" aria-hidden="true">
                {signs[c.change]}
              </span>
              {c.change !== "same" && <span class="hidden">{w.changes[c.change]}</span>}{" "}
              <span class="mono">{c.key || w.measurement}</span>{" "}
              {c.kind === "tag" && <span class="faint small">{w.tag}</span>}
            </th>
            <td role="cell" class="mono" data-label={w.before}>
              {c.before}
            </td>
            <td role="cell" class="mono" data-label={w.after}>
              {c.after}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Created({ point: p }: { point: DebugPoint }) {
  const w = words.value.scripts;
  const entries = [...Object.entries(p.tags), ...Object.entries(p.fields)];
  return (
    <p class="created">
      <Badge tone="good" text={w.created} /> <span class="mono">{p.name}</span>{" "}
      {p.category && <span class="faint small">{p.category}</span>}{" "}
      <span class="mono small">{entries.map(([k, v]) => `${k}=${show(v)}`).join(" ")}</span>
    </p>
  );
}

const timeOf = (p: DebugPoint) =>
  p.time === 0 && p.time_ns === 0
    ? ""
    : new Date(p.time * 1000 + p.time_ns / 1e6).toISOString().replace("T", " ").replace("Z", "");
