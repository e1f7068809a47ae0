import type { KeyValue } from "../../api/types";
import { Difference } from "../../change/difference-view";
import { lf } from "../../change/store";
import { Editor } from "../../editor/editor";
import { specs } from "../../state/specs";
import { words } from "../../words";
import { syntaxOf } from "./key-editor";

interface Props {
  value: KeyValue;
  onTake: (() => void) | undefined;
}

/** RunningValue is what runs of a key whose new value is refused. */
export function RunningValue({ value, onTake }: Props) {
  const w = words.value;
  const running = value.running;
  if (!running) return null;
  return (
    <section class="running">
      <h3>{running.revision ? w.keys.runningAt(running.revision) : w.keys.running}</h3>
      <Editor
        value={lf(running.value)}
        syntax={syntaxOf(value.key)}
        label={w.keys.running}
        readOnly
        specs={specs.value}
      />
      <details>
        <summary>{w.keys.runningToRefused}</summary>
        <Difference label={w.keys.runningToRefused} before={lf(running.value)} after={lf(value.value)} />
      </details>
      {onTake && (
        <div class="actions">
          <button type="button" onClick={onTake}>
            {w.keys.takeRunning}
          </button>
        </div>
      )}
    </section>
  );
}
