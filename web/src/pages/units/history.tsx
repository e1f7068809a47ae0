import type { ChangeEntry, Entry } from "../../api/types";
import { useHistory } from "../../state/history";
import { changes } from "../../state/live";
import { At } from "../../ui/time";
import { words } from "../../words";
import { ChangeLine } from "../changes/line";
import { UnitBadge } from "./parts";

/** UnitHistory is what happened to a unit: the changes that touched it, and its states. */
export function UnitHistory({ id }: { id: string }) {
  const w = words.value.units;
  const states = useHistory("unit", id);
  const touched = changes.value.filter((c) => c.steps.some((s) => s.unit === id));
  const all: (Entry | ChangeEntry)[] = [...states, ...touched].sort((a, b) => b.id - a.id);
  return (
    <section class="panel" aria-labelledby="history">
      <h2 id="history">{w.history}</h2>
      {all.length === 0 && <p class="faint">{w.noHistory}</p>}
      <ol class="change-lines">
        {all.map((e) =>
          "kind" in e ? (
            <li key={e.id} class="change-line">
              <At time={e.time} />
              {e.unit && <UnitBadge state={e.unit.state} />}
              {e.unit?.error && <span class="why">{e.unit.error}</span>}
            </li>
          ) : (
            <ChangeLine key={e.id} change={e} />
          ),
        )}
      </ol>
    </section>
  );
}
