import type { ChangeEntry, Step } from "../../api/types";
import { to } from "../../state/location";
import { changeLink, type PlacedStore } from "../../state/places";
import { keyTone, type Tone } from "../../state/tones";
import { Badge } from "../../ui/badge";
import { Diff } from "../../ui/diff";
import { number, took } from "../../ui/format";
import { At } from "../../ui/time";
import { words } from "../../words";
import { stepVerb } from "./line";

interface Props {
  change: ChangeEntry;
  stores: readonly PlacedStore[];
  fresh: boolean;
  chosen: boolean;
}

// A difference of more lines is opened by who wants to see it.
const openLines = 30;

/** ChangeCard is all of one change. */
export function ChangeCard({ change: c, stores, fresh, chosen }: Props) {
  const w = words.value.changes;
  const state = words.value.state;
  const href = changeLink(c.store, c.key, stores);
  const name = `${c.store}:${c.key}`;
  return (
    <li
      class={fresh ? "change changed" : "change"}
      id={`change-${c.id}`}
      aria-current={chosen ? "true" : undefined}
    >
      <div class="change-when">
        <At time={c.time} />
      </div>
      <div class={`change-dot tone-${keyTone(c.state)}`} aria-hidden="true" />
      <article class="change-body" aria-label={name}>
        <div class="change-head">
          <Badge tone={keyTone(c.state)} text={state.key[c.state]} title={state.keyMeans[c.state]} />
          <span class="change-key">
            <a class="faint" href={to("/changes", { store: c.store })}>
              {c.store}
            </a>
            {href && c.state !== "removed" ? (
              <a class="mono" href={href}>
                {c.key}
              </a>
            ) : (
              <span class="mono">{c.key}</span>
            )}
          </span>
          <span class="faint small">
            {c.revision && `${w.revision} ${c.revision} · `}
            {w.generation} {number(c.generation)}
            {c.was !== "" && c.was !== c.state && ` · ${w.was(state.key[c.was])}`}
          </span>
        </div>
        {c.error && <p class={`change-error mono tone-${keyTone(c.state)}`}>{c.error}</p>}
        <Steps steps={c.steps} />
        {c.diff ? (
          <details class="change-diff" open={c.diff.split("\n").length <= openLines}>
            <summary>{w.difference}</summary>
            <Diff text={c.diff} label={w.differenceOf(name)} />
          </details>
        ) : null}
        {c.cut && <p class="faint small">{w.cut}</p>}
      </article>
    </li>
  );
}

const verbTones: Record<string, Tone> = {
  start: "good",
  stop: "off",
  restart: "warn",
  update: "good",
  keep: "plain",
};

function Steps({ steps }: { steps: readonly Step[] }) {
  const w = words.value.changes;
  if (steps.length === 0) return <p class="faint small">{w.noSteps}</p>;
  return (
    <ul class="steps" aria-label={w.steps}>
      {steps.map((s) => (
        <li key={`${s.verb} ${s.unit}`}>
          <Badge tone={s.error ? "bad" : (verbTones[s.verb] ?? "plain")} text={stepVerb(s.verb)} />
          {s.unit.startsWith("input/") ? (
            <a class="mono" href={to("/units", { id: s.unit })}>
              {s.unit}
            </a>
          ) : (
            <span class="mono">{s.unit}</span>
          )}
          <span class="took" title={w.handOver}>
            <span class="hidden">{w.handOver} </span>
            {took(s.ns)}
          </span>
          {s.error && <span class="error">{s.error}</span>}
        </li>
      ))}
    </ul>
  );
}
