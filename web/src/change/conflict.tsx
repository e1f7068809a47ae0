import { Dialog } from "../ui/dialog";
import { words } from "../words";
import { Difference } from "./difference-view";
import type { Draft } from "./flow";
import type { Version } from "./store";

interface Props {
  draft: Draft;
  theirs: Version;
  onClose: () => void;
  onRebase: (base: Version, text: string) => void;
}

/** Conflict shows what somebody else wrote meanwhile, and goes on from it. */
export function Conflict({ draft, theirs, onClose, onRebase }: Props) {
  const w = words.value.change;
  const gone = theirs.etag === "";
  return (
    <Dialog
      title={w.conflict}
      wide
      onClose={onClose}
      actions={
        <>
          {!gone && (
            <button type="button" onClick={() => onRebase(theirs, theirs.text)}>
              {w.takeTheirs}
            </button>
          )}
          <button type="button" class="main" onClick={() => onRebase(theirs, draft.text)}>
            {gone ? w.makeAnew : w.keepMine}
          </button>
        </>
      }
    >
      <p class="notice" role="alert">
        {gone ? w.goneMeanwhile : w.conflictHow}
      </p>
      {!gone && (
        <>
          <h3>{w.theyDid}</h3>
          <Difference label={w.theyDid} before={draft.base.text} after={theirs.text} />
          <h3>{w.yoursOverTheirs}</h3>
          <Difference label={w.yoursOverTheirs} before={theirs.text} after={draft.text} />
        </>
      )}
    </Dialog>
  );
}
