import { useEffect, useState } from "preact/hooks";
import type { KeyValue } from "../../api/types";
import { lf, read, said } from "../../change/store";
import { find, trees } from "../../state/trees";
import { words } from "../../words";
import { type Row, winner } from "./rows";
import { ScriptEditor } from "./script-editor";
import { ScriptHead } from "./script-head";

interface Props {
  row: Row;
  rows: readonly Row[];
}

/** ScriptView is one script: what wins where it does not run, its text, and a trial. */
export function ScriptView({ row, rows }: Props) {
  const w = words.value.scripts;
  const [loaded, setLoaded] = useState<{ value: KeyValue; etag: string }>();
  const [trouble, setTrouble] = useState("");
  const entry = find(row.store, row.key)?.entry;
  const known = trees.value !== undefined;
  const version = `${entry?.revision ?? ""} ${entry?.state ?? ""} ${entry?.size ?? ""}`;
  useEffect(() => {
    if (row.store === "" || !known) return;
    let gone = false;
    read({ store: row.store, key: row.key }, entry === undefined).then(
      (l) => !gone && setLoaded(l),
      (error: unknown) => !gone && setTrouble(said(error)),
    );
    return () => {
      gone = true;
    };
  }, [known, version]);
  const other = winner(row, rows);
  return (
    <>
      <ScriptHead row={row} />
      {other && <p class="notice">{w.wins(other.store || other.namespace)}</p>}
      {row.error && !other && loaded?.value.problems.length === 0 && <p class="notice bad">{row.error}</p>}
      {row.store === "" && <p class="notice">{w.noText}</p>}
      {trouble && (
        <p class="notice bad" role="alert">
          {trouble}
        </p>
      )}
      {loaded ? (
        <ScriptEditor
          category={row.category}
          name={row.name}
          value={loaded.value}
          stored={{ text: lf(loaded.value.value), etag: loaded.etag }}
        />
      ) : (
        row.store !== "" && !trouble && <p class="loading">{words.value.shell.loading}</p>
      )}
    </>
  );
}
