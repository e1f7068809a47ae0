import { useEffect, useState } from "preact/hooks";
import type { KeyValue } from "../../api/types";
import { useFlow } from "../../change/flow";
import { useGuard } from "../../change/guard";
import { Problems } from "../../change/plan-view";
import type { Version } from "../../change/store";
import { useValidation } from "../../change/use-validation";
import { Editor, type Jump } from "../../editor/editor";
import { go } from "../../state/location";
import { specs } from "../../state/specs";
import { Command } from "../../ui/copy";
import { words } from "../../words";
import { Removal } from "./removal";
import { RunningValue } from "./running-value";

interface Props {
  value: KeyValue;
  stored: Version;
}

/** syntaxOf returns the language of what a key holds. */
export const syntaxOf = (key: string) => (key.startsWith("pipeline/") ? "script" : "toml");

/** KeyEditor is the value of a key: to be read, and edited where that is allowed. */
export function KeyEditor({ value, stored }: Props) {
  const w = words.value;
  const target = { store: value.store, key: value.key };
  const [base, setBase] = useState(stored);
  const [text, setText] = useState(stored.text);
  const [jump, setJump] = useState<Jump>();
  const [note, setNote] = useState("");
  const [removing, setRemoving] = useState(false);
  const changed = text !== base.text;
  // What somebody else has written is taken over unless it would undo what is written here.
  const overtaken = stored.etag !== base.etag;
  useEffect(() => {
    if (!overtaken || changed) return;
    setBase(stored);
    setText(stored.text);
  }, [stored.etag, stored.text]);
  const editable = value.writable && !value.redacted;
  const flow = useFlow({
    onWritten: (d, etag) => {
      setBase({ text: d.text, etag });
      setNote(w.change.written(value.key));
    },
    onRebase: (b, t) => {
      setBase(b);
      setText(t);
    },
    onProblem: (p) => setJump({ line: p.line, column: p.column }),
  });
  const { problems, pending } = useValidation(value.key, text, editable && changed);
  const shown = changed ? problems : value.problems;
  useGuard(changed);
  const begin = () => changed && flow.begin({ target, base, text });
  return (
    <>
      {!editable && <HowToWrite value={value} />}
      {value.running && <h3>{w.keys.refusedValue}</h3>}
      {changed && overtaken && stored.etag !== "" && (
        <p class="notice">{w.keys.changedMeanwhile(value.revision)}</p>
      )}
      <Editor
        value={text}
        syntax={syntaxOf(value.key)}
        label={w.keys.valueOf(value.key)}
        readOnly={!editable}
        problems={shown}
        specs={specs.value}
        jump={jump}
        onChange={(t) => {
          setText(t);
          setNote("");
        }}
        onSave={begin}
      />
      <div class="editor-state" role="status">
        {note || (changed && (pending ? w.change.checking : shown.length === 0 ? w.change.valid : ""))}
      </div>
      <Problems problems={shown} onGo={(p) => setJump({ line: p.line, column: p.column })} />
      {editable && (
        <div class="actions">
          <button
            type="button"
            class="main"
            disabled={!changed || flow.busy}
            title={w.change.planHint}
            onClick={begin}
          >
            {w.change.plan}
          </button>
          <button type="button" disabled={!changed} onClick={() => setText(base.text)}>
            {w.change.revert}
          </button>
          <span class="space" />
          <button type="button" class="danger" onClick={() => setRemoving(true)}>
            {w.keys.remove}
          </button>
        </div>
      )}
      {value.running && (
        <RunningValue
          value={value}
          onTake={editable ? () => setText(value.running?.value ?? text) : undefined}
        />
      )}
      {flow.view}
      {removing && (
        <Removal
          target={target}
          base={base}
          onClose={() => setRemoving(false)}
          onRemoved={() => go("/keys")}
        />
      )}
    </>
  );
}

function HowToWrite({ value }: { value: KeyValue }) {
  const w = words.value.keys;
  if (value.store === "local") return <p class="notice">{w.localHow}</p>;
  if (value.redacted) {
    return (
      <details class="notice">
        <summary>{w.readOnly}</summary>
        <p>{w.readOnlyHow}</p>
        <pre class="mono">{"[console]\n  write = true"}</pre>
        <Command text={`curl -X POST ${globalThis.location.host}/v1/reload`} />
      </details>
    );
  }
  return <p class="notice">{w.storeReadOnly(value.store)}</p>;
}
