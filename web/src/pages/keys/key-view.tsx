import { useEffect, useState } from "preact/hooks";
import type { KeyValue } from "../../api/types";
import { lf, read, said } from "../../change/store";
import { find, trees } from "../../state/trees";
import { words } from "../../words";
import { KeyEditor } from "./key-editor";
import { KeyHead } from "./key-head";

interface Props {
  store: string;
  name: string;
}

interface Loaded {
  value: KeyValue;
  etag: string;
}

/** KeyView is one key: its state, and its value to be read or edited. */
export function KeyView({ store, name }: Props) {
  const [loaded, setLoaded] = useState<Loaded>();
  const [trouble, setTrouble] = useState("");
  const entry = find(store, name)?.entry;
  const known = trees.value !== undefined;
  // It is read again when the agent has another version of it, or another word for it.
  const version = `${entry?.revision ?? ""} ${entry?.state ?? ""} ${entry?.error ?? ""}`;
  useEffect(() => {
    if (!known) return;
    let gone = false;
    // One that the agent does not know yet was written just now: its store has it.
    read({ store, key: name }, entry === undefined).then(
      (l) => {
        if (gone) return;
        setLoaded(l);
        setTrouble("");
      },
      (error: unknown) => !gone && setTrouble(said(error)),
    );
    return () => {
      gone = true;
    };
  }, [known, version]);
  if (!loaded) {
    return trouble ? (
      <p class="notice bad" role="alert">
        {trouble}
      </p>
    ) : (
      <p class="loading">{words.value.shell.loading}</p>
    );
  }
  const { value, etag } = loaded;
  return (
    <>
      <KeyHead value={value} />
      {trouble && (
        <p class="notice" role="alert">
          {words.value.keys.goneNow} {trouble}
        </p>
      )}
      <KeyEditor value={value} stored={{ text: lf(value.value), etag }} />
    </>
  );
}
