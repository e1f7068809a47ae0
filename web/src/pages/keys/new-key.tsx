import { useEffect, useState } from "preact/hooks";
import { useFlow } from "../../change/flow";
import { useGuard } from "../../change/guard";
import { Problems } from "../../change/plan-view";
import { useValidation } from "../../change/use-validation";
import { Editor, type Jump } from "../../editor/editor";
import { go, param, to } from "../../state/location";
import { specs } from "../../state/specs";
import { find, trees } from "../../state/trees";
import { Field, Select } from "../../ui/field";
import { words } from "../../words";
import { syntaxOf } from "./key-editor";
import { keyProblem, starter } from "./starter";

/** NewKey is a key that is to be: its name, and a value to begin with. */
export function NewKey() {
  const w = words.value;
  const stores = trees.value?.filter((t) => t.writable) ?? [];
  const [store, setStore] = useState(param("store"));
  const [key, setKey] = useState(param("name") || "confd/");
  const [sample, setSample] = useState("");
  const [text, setText] = useState("");
  const [jump, setJump] = useState<Jump>();
  const [done, setDone] = useState(false);
  const chosen = stores.find((t) => t.id === store)?.id ?? stores[0]?.id ?? "";
  const bad = keyProblem(key, find(chosen, key)?.entry !== undefined);
  const { problems, pending } = useValidation(key, text, text !== "" && bad === "");
  const flow = useFlow({
    onWritten: () => setDone(true),
    onRebase: () => go(to("/keys", { store: chosen, key })),
    onProblem: (p) => setJump({ line: p.line, column: p.column }),
  });
  useGuard(text !== "" && text !== starter(specs.value, sample) && !done);
  // What was written is shown as a key; the guard has to know of it before.
  useEffect(() => {
    if (done) go(to("/keys", { store: chosen, key }));
  }, [done]);
  const begin = () =>
    bad === "" && flow.begin({ target: { store: chosen, key }, base: { text: "", etag: "" }, text });
  const choose = (name: string) => {
    const [was, is] = [starter(specs.value, sample), starter(specs.value, name)];
    if (text === "" || text === was) setText(is);
    if (key === "confd/" || key === `confd/${sample}`) setKey(name ? `confd/${name}` : "confd/");
    setSample(name);
  };
  if (stores.length === 0) return <p class="notice">{w.keys.readOnlyHow}</p>;
  return (
    <>
      <h2>{w.keys.newKey}</h2>
      <div class="tools">
        <Select
          label={w.keys.store}
          value={chosen}
          options={stores.map((t) => [t.id, t.id])}
          onChange={setStore}
        />
        {syntaxOf(key) === "toml" && (
          <Select
            label={w.keys.beginWith}
            value={sample}
            options={[
              ["", w.keys.nothing],
              ...(specs.value?.inputs.map((i) => [i.name, i.name] as const) ?? []),
            ]}
            onChange={choose}
          />
        )}
      </div>
      <Field
        label={w.keys.name}
        hint={w.keys.nameHint}
        error={key !== "confd/" && bad !== "" ? w.keys[bad] : undefined}
      >
        {(id, describedBy) => (
          <input
            id={id}
            class="mono"
            value={key}
            aria-describedby={describedBy}
            aria-invalid={key !== "confd/" && bad !== "" ? "true" : undefined}
            spellcheck={false}
            autocomplete="off"
            autocapitalize="off"
            onInput={(e) => setKey(e.currentTarget.value)}
          />
        )}
      </Field>
      <Editor
        value={text}
        syntax={syntaxOf(key)}
        label={w.keys.valueOf(key)}
        problems={problems}
        specs={specs.value}
        jump={jump}
        onChange={setText}
        onSave={begin}
      />
      <div class="editor-state" role="status">
        {text !== "" &&
          bad === "" &&
          (pending ? w.change.checking : problems.length === 0 ? w.change.valid : "")}
      </div>
      <Problems problems={problems} onGo={(p) => setJump({ line: p.line, column: p.column })} />
      <div class="actions">
        <button type="button" class="main" disabled={bad !== "" || text === "" || flow.busy} onClick={begin}>
          {w.change.plan}
        </button>
        <a class="button" href="/keys">
          {w.shell.cancel}
        </a>
      </div>
      {flow.view}
    </>
  );
}
