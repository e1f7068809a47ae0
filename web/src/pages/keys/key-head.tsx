import type { KeyValue } from "../../api/types";
import { status } from "../../state/live";
import { to } from "../../state/location";
import { keyTone, unitTone } from "../../state/tones";
import { Badge } from "../../ui/badge";
import { bytes } from "../../ui/format";
import { words } from "../../words";

/** KeyHead says what became of a key, and what it runs. */
export function KeyHead({ value }: { value: KeyValue }) {
  const w = words.value;
  const units = status.value?.units.filter((u) => u.origin === value.origin) ?? [];
  const script = /^pipeline\/([^/]+)\/([^/]+)$/.exec(value.key);
  return (
    <header class="key-head">
      <h2 class="mono">{value.key}</h2>
      <dl class="key-facts">
        <div>
          <dt>{w.keys.state}</dt>
          <dd>
            {value.state === "" ? (
              <span class="faint">{w.keys.notSeen}</span>
            ) : (
              <Badge
                tone={keyTone(value.state)}
                text={w.state.key[value.state]}
                title={w.state.keyMeans[value.state]}
              />
            )}
          </dd>
        </div>
        <div>
          <dt>{w.keys.store}</dt>
          <dd class="mono">{value.store}</dd>
        </div>
        {value.revision && (
          <div>
            <dt>{w.keys.revision}</dt>
            <dd class="mono">{value.revision}</dd>
          </div>
        )}
        <div>
          <dt>{w.keys.size}</dt>
          <dd>{bytes(value.size)}</dd>
        </div>
        {units.length > 0 && (
          <div>
            <dt>{w.keys.runs}</dt>
            <dd>
              <ul class="inline">
                {units.map((u) => (
                  <li key={u.id}>
                    <a class="mono" href={to("/units", { id: u.id })}>
                      {u.id}
                    </a>{" "}
                    <Badge tone={unitTone(u.state)} text={w.state.unit[u.state]} />
                  </li>
                ))}
              </ul>
            </dd>
          </div>
        )}
        {script && (
          <div>
            <dt>{w.keys.script}</dt>
            <dd>
              <a href={to("/scripts", { script: `${script[1]}/${script[2]}`, store: value.store })}>
                {w.keys.tryIt}
              </a>
            </dd>
          </div>
        )}
      </dl>
      {value.error && value.problems.length === 0 && (
        <p class={value.state === "kept" || value.state === "rejected" ? "notice bad" : "notice"}>
          {value.error}
        </p>
      )}
    </header>
  );
}
