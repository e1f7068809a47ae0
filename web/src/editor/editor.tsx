import { useEffect, useRef, useState } from "preact/hooks";
import type { Problem, Specification } from "../api/types";
import { language } from "../state/preferences";
import "../style/editor.css";
import { words } from "../words";
import { assist } from "./assist";
import type { Language, Mounted } from "./mount";

/** A Jump is a place that the editor is to go to; a new one each time, also of the same place. */
export interface Jump {
  line: number;
  column: number;
}

interface Props {
  value: string;
  syntax: Language;
  label: string;
  readOnly?: boolean;
  problems?: readonly Problem[];
  specs: Specification | undefined;
  /** What a script can name beside the functions. */
  keys?: readonly string[];
  scripts?: readonly string[];
  jump?: Jump | undefined;
  onChange?: (text: string) => void;
  onSave?: () => void;
}

/** Editor is a text with the help of the agent's own description. It is loaded when it is first shown. */
export function Editor(props: Props) {
  const host = useRef<HTMLDivElement>(null);
  const mounted = useRef<Mounted | undefined>(undefined);
  const latest = useRef(props);
  latest.current = props;
  // The texts that were told and have not come back as the value yet: who types on
  // meanwhile must not have them put in again.
  const told = useRef<string[]>([]);
  const [failed, setFailed] = useState(false);
  const [ready, setReady] = useState(false);
  const w = words.value.editor;
  const lang = language.value;
  const readOnly = props.readOnly ?? false;
  const help = readOnly ? w.reading : w.help;
  useEffect(() => {
    let gone = false;
    import("./mount").then(
      ({ mount }) => {
        if (gone || !host.current) return;
        mounted.current = mount(host.current, {
          value: latest.current.value,
          language: latest.current.syntax,
          readOnly: latest.current.readOnly ?? false,
          label: latest.current.label,
          description: help,
          phrases: words.value.editor.phrases,
          ...assist(() => latest.current),
          onChange: (text) => {
            told.current.push(text);
            latest.current.onChange?.(text);
          },
          onSave: () => latest.current.onSave?.(),
        });
        setReady(true);
      },
      () => setFailed(true),
    );
    return () => {
      gone = true;
      mounted.current?.destroy();
      mounted.current = undefined;
    };
  }, [props.syntax]);
  useEffect(() => {
    const echo = told.current.lastIndexOf(props.value);
    if (echo >= 0) told.current.splice(0, echo + 1);
    else mounted.current?.setValue(props.value);
  }, [props.value, ready]);
  useEffect(() => mounted.current?.setProblems(props.problems ?? []), [props.problems, props.value, ready]);
  useEffect(
    () => mounted.current?.set({ readOnly, label: props.label, description: help, phrases: w.phrases }),
    [readOnly, props.label, lang, ready],
  );
  useEffect(() => {
    if (props.jump) mounted.current?.goTo(props.jump.line, props.jump.column);
  }, [props.jump, ready]);
  if (failed) {
    // After an update of the agent the old parts are gone. The text can be read all the same.
    return (
      <>
        <p class="notice bad" role="alert">
          {words.value.shell.failed}
        </p>
        <pre class="code">{props.value}</pre>
      </>
    );
  }
  return (
    <>
      <div class="editor" ref={host} />
      {!ready && <p class="loading">{words.value.shell.loading}</p>}
      <p class="editor-help">{help}</p>
    </>
  );
}
