import { useState } from "preact/hooks";
import { specs } from "../../state/specs";
import { Field, Select } from "../../ui/field";
import { words } from "../../words";
import { keyProblem } from "../keys/starter";
import { ScriptEditor } from "./script-editor";

/** NewScript is a script that is to be: what it is for, and its text. */
export function NewScript() {
  const w = words.value;
  const [category, setCategory] = useState("logging");
  const [name, setName] = useState("");
  const file = name === "" || name.endsWith(".p") ? name : `${name}.p`;
  const bad = name === "" ? "" : keyProblem(`pipeline/${category}/${file}`, false);
  return (
    <>
      <h2>{w.scripts.newScript}</h2>
      <div class="tools">
        <Select
          label={w.scripts.category}
          value={category}
          options={(specs.value?.categories ?? ["logging", "metric"]).map((c) => [c, c])}
          onChange={setCategory}
        />
      </div>
      <Field label={w.scripts.name} hint={w.scripts.nameHint} error={bad ? w.keys[bad] : undefined}>
        {(id, describedBy) => (
          <input
            id={id}
            class="mono"
            value={name}
            placeholder="nginx.p"
            aria-describedby={describedBy}
            aria-invalid={bad ? "true" : undefined}
            spellcheck={false}
            autocomplete="off"
            autocapitalize="off"
            onInput={(e) => setName(e.currentTarget.value.trim())}
          />
        )}
      </Field>
      {name !== "" && bad === "" && (
        <ScriptEditor category={category} name={file} value={undefined} stored={{ text: "", etag: "" }} />
      )}
    </>
  );
}
