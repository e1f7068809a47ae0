import type { ChangeEntry } from "../../api/types";
import { to } from "../../state/location";
import { keyTone } from "../../state/tones";
import { Badge } from "../../ui/badge";
import { took } from "../../ui/format";
import { At } from "../../ui/time";
import { words } from "../../words";

/** ChangeLine is one change in one line, which leads to all of it. */
export function ChangeLine({ change: c }: { change: ChangeEntry }) {
  const w = words.value.state;
  const steps = c.steps.filter((s) => s.verb !== "keep");
  return (
    <li class="change-line">
      <At time={c.time} />
      <Badge tone={keyTone(c.state)} text={w.key[c.state]} title={w.keyMeans[c.state]} />
      <a class="mono" href={to("/changes", { id: String(c.id) })}>
        {c.store}:{c.key}
      </a>
      <span class="faint small">
        {steps.map((s) => `${stepVerb(s.verb)} ${s.unit} ${took(s.ns)}`).join(", ")}
      </span>
    </li>
  );
}

/** stepVerb is a verb of a step in the language that is chosen. */
export function stepVerb(verb: string): string {
  const verbs: Record<string, string> = words.value.state.verb;
  return verbs[verb] ?? verb;
}
