import { useEffect, useState } from "preact/hooks";
import type { KeyValue, Problem } from "../../api/types";
import { useFlow } from "../../change/flow";
import { useGuard } from "../../change/guard";
import { Problems } from "../../change/plan-view";
import { readVersion, said, type Version } from "../../change/store";
import { useValidation } from "../../change/use-validation";
import { Editor, type Jump } from "../../editor/editor";
import { go, to } from "../../state/location";
import { specs } from "../../state/specs";
import { trees } from "../../state/trees";
import { Select } from "../../ui/field";
import { words } from "../../words";
import { RunningValue } from "../keys/running-value";
import { Trial } from "./trial";

interface Props {
  category: string;
  name: string;
  /** What its key holds; undefined for a script that is to be. */
  value: KeyValue | undefined;
  stored: Version;
}

/**
 * ScriptEditor is the text of a script, which can be tried whether or not it can be
 * written. A file of the agent's machine is not written here: its text goes into a
 * store, whose script goes before it.
 */
export function ScriptEditor({ category, name, value, stored }: Props) {
  const w = words.value;
  const [base, setBase] = useState(stored);
  const [text, setText] = useState(stored.text);
  const [jump, setJump] = useState<Jump>();
  const [note, setNote] = useState("");
  const [keys, setKeys] = useState<readonly string[]>([]);
  const [wanted, setWanted] = useState("");
  const [written, setWritten] = useState("");
  const key = `pipeline/${category}/${name}`;
  const writable = trees.value?.filter((t) => t.writable) ?? [];
  const store = wanted || (value?.writable ? value.store : (writable[0]?.id ?? ""));
  const mayWrite = writable.length > 0 && !value?.redacted; // a text without its secrets is not to be written
  const changed = text !== base.text;
  useEffect(() => {
    if (changed || stored.etag === base.etag) return;
    setBase(stored);
    setText(stored.text);
  }, [stored.etag, stored.text]);
  const { problems, pending } = useValidation(key, text, changed);
  const shown = changed ? problems : (value?.problems ?? []);
  const show = (p: Problem) => setJump({ line: p.line, column: p.column });
  const flow = useFlow({
    onWritten: (d, etag) => {
      setNote(w.change.written(d.target.key));
      setBase({ text: d.text, etag });
      if (d.target.store !== value?.store) setWritten(d.target.store);
    },
    onRebase: (b, t) => {
      setBase(b);
      setText(t);
    },
    onProblem: show,
  });
  useGuard(changed && mayWrite && written === "");
  useEffect(() => {
    if (written !== "") go(to("/scripts", { script: `${category}/${name}`, store: written }));
  }, [written]);
  // What is written is compared with what that store has, wherever the text came from.
  const begin = async () => {
    const target = { store, key };
    try {
      const there = store === value?.store ? base : await readVersion(target);
      flow.begin({ target, base: there, text });
    } catch (error) {
      setNote(said(error));
    }
  };
  const canWrite = mayWrite && text.trim() !== "" && (changed || store !== value?.store);
  return (
    <>
      {value?.store === "local" && <p class="notice">{w.scripts.localHow}</p>}
      {!mayWrite && <p class="notice">{value?.redacted ? w.scripts.redactedHow : w.scripts.noStore}</p>}
      <Editor
        value={text}
        syntax="script"
        label={w.scripts.textOf(name)}
        problems={shown}
        specs={specs.value}
        keys={keys}
        scripts={others(category, name)}
        jump={jump}
        onChange={(t) => {
          setText(t);
          setNote("");
        }}
        onSave={() => canWrite && void begin()}
      />
      <div class="editor-state" role="status">
        {note || (changed && (pending ? w.change.checking : shown.length === 0 ? w.change.valid : ""))}
      </div>
      <Problems problems={shown} onGo={show} />
      {mayWrite && (
        <div class="actions">
          <button
            type="button"
            class="main"
            disabled={!canWrite || flow.busy}
            title={w.change.planHint}
            onClick={() => void begin()}
          >
            {w.change.plan}
          </button>
          {writable.length > 1 && (
            <Select
              label={w.scripts.into}
              value={store}
              options={writable.map((t) => [t.id, t.id])}
              onChange={setWanted}
            />
          )}
          <button type="button" disabled={!changed} onClick={() => setText(base.text)}>
            {w.change.revert}
          </button>
          <span class="space" />
          {value && <a href={to("/keys", { store: value.store, key })}>{w.scripts.asKey}</a>}
        </div>
      )}
      <Trial
        category={category}
        name={name}
        text={text}
        onKeys={setKeys}
        onProblem={(p) => p.file === name && show(p)}
      />
      {value?.running && <RunningValue value={value} onTake={() => setText(value.running?.value ?? text)} />}
      {flow.view}
    </>
  );
}

/** others returns the scripts that this one may use: those of the stores, of its category. */
function others(category: string, name: string): string[] {
  const folder = `pipeline/${category}/`;
  return (trees.value ?? [])
    .filter((t) => t.id !== "local")
    .flatMap((t) => t.keys)
    .filter((k) => k.key.startsWith(folder) && k.key !== folder + name)
    .map((k) => k.key.slice(folder.length));
}
