import { useEffect, useState } from "preact/hooks";
import type { PlanAnswer } from "../../api/types";
import { PlanView } from "../../change/plan-view";
import { isConflict, plan, remove, said, type Target, type Version } from "../../change/store";
import { readTrees } from "../../state/trees";
import { Dialog } from "../../ui/dialog";
import { words } from "../../words";

interface Props {
  target: Target;
  base: Version;
  onClose: () => void;
  onRemoved: () => void;
}

/** Removal says what the deletion of a key would do, and does it when that is confirmed. */
export function Removal({ target, base, onClose, onRemoved }: Props) {
  const w = words.value;
  const [planned, setPlanned] = useState<PlanAnswer>();
  const [trouble, setTrouble] = useState("");
  const [busy, setBusy] = useState(false);
  const fail = (error: unknown) => {
    setBusy(false);
    setTrouble(isConflict(error) ? w.keys.changedBeforeRemoval : said(error));
  };
  useEffect(() => void plan(target, undefined).then(setPlanned, fail), []);
  const confirm = () => {
    setBusy(true);
    remove(target, base.etag).then(() => {
      void readTrees();
      onRemoved();
    }, fail);
  };
  return (
    <Dialog
      title={w.keys.removeTitle(target.key)}
      wide
      onClose={onClose}
      actions={
        <>
          <button type="button" onClick={onClose}>
            {w.shell.cancel}
          </button>
          <button type="button" class="danger" disabled={!planned || busy} onClick={confirm}>
            {w.keys.removeFrom(target.store)}
          </button>
        </>
      }
    >
      {trouble && (
        <p class="notice bad" role="alert">
          {trouble}
        </p>
      )}
      {planned ? <PlanView plan={planned} /> : !trouble && <p class="loading">{w.shell.loading}</p>}
    </Dialog>
  );
}
