import { useState } from "preact/hooks";
import type { Status } from "../../api/types";
import type { Problem } from "../../state/problems";
import { Badge } from "../../ui/badge";
import { number } from "../../ui/format";
import { words } from "../../words";

const atFirst = 8;

/** Problems says of each what it is, why, and what to do. */
export function Problems({ status, list }: { status: Status; list: readonly Problem[] }) {
  const [all, setAll] = useState(false);
  const w = words.value.overview;
  const aside = status.keys.filter((k) => /^(duplicate|shadowed|singleton)$/.test(k.state)).length;
  const shown = all ? list : list.slice(0, atFirst);
  return (
    <section class="wrong" aria-labelledby="wrong">
      <h2 id="wrong">
        {w.wrong} {list.length > 0 && <span class="faint">{w.wrongCount(number(list.length))}</span>}
      </h2>
      {list.length === 0 && <p class="faint">{w.allWell}</p>}
      <ul>
        {shown.map((p) => (
          <Line key={p.id} problem={p} />
        ))}
      </ul>
      {list.length > shown.length && (
        <button type="button" onClick={() => setAll(true)}>
          {words.value.shell.more(number(list.length - shown.length))}
        </button>
      )}
      {aside > 0 && <p class="faint small">{w.setAside(number(aside))}</p>}
    </section>
  );
}

function Line({ problem: p }: { problem: Problem }) {
  const w = words.value.overview;
  const what = p.href?.startsWith("/stores") ? "store" : p.href?.startsWith("/units") ? "unit" : "key";
  return (
    <li class={`problem problem-${p.tone}`}>
      <div class="problem-head">
        <Badge tone={p.tone} text={w.problem[p.kind]} />
        {p.subject && <code>{p.subject}</code>}
      </div>
      {p.why && <p class="problem-why">{p.why}</p>}
      <p class="problem-todo">
        {w.todo[p.kind]} {p.href && <a href={p.href}>{w.open[what]}</a>}
      </p>
    </li>
  );
}
