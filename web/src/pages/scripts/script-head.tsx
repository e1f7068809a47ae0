import { scriptTone } from "../../state/tones";
import { Badge } from "../../ui/badge";
import { number, took } from "../../ui/format";
import { words } from "../../words";
import { cost, type Row } from "./rows";

/** stateOf returns the word for the state of a script, or of a key that is none of the agent's scripts. */
export function stateOf(r: Row): string {
  const w = words.value.state;
  return (
    (w.script as Record<string, string>)[r.state] ?? (w.key as Record<string, string>)[r.state] ?? r.state
  );
}

/** ScriptHead says where a script comes from, and what it has done. */
export function ScriptHead({ row }: { row: Row }) {
  const w = words.value;
  const facts: [name: string, value: string][] = [
    [w.scripts.runs, number(row.runs)],
    [w.scripts.drops, number(row.drops)],
    [w.scripts.errors, number(row.errors)],
    [w.scripts.cost, row.runs > 0 ? took(cost(row)) : "–"],
  ];
  return (
    <header class="key-head">
      <h2 class="mono">{`${row.category}/${row.name}`}</h2>
      <dl class="key-facts">
        <div>
          <dt>{w.keys.state}</dt>
          <dd>
            <Badge tone={scriptTone(row.state)} text={stateOf(row)} />
          </dd>
        </div>
        <div>
          <dt>{w.scripts.from}</dt>
          <dd>
            <span class="mono">{row.store || "–"}</span> <span class="faint small">{row.namespace}</span>
          </dd>
        </div>
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </header>
  );
}
