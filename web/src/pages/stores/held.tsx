import { useState } from "preact/hooks";
import { call } from "../../api/client";
import { refresh } from "../../state/live";
import { Dialog } from "../../ui/dialog";
import { number } from "../../ui/format";
import { words } from "../../words";

/** Held is a mass deletion that waits, with the button that applies it. */
export function Held({ error }: { error: string }) {
  const [asking, setAsking] = useState(false);
  const [busy, setBusy] = useState(false);
  const [said, setSaid] = useState("");
  const w = words.value.stores;
  const accept = async () => {
    setBusy(true);
    try {
      const { content } = await call("POST /v1/confd/accept");
      setSaid(w.accepted(number(content.stores)));
      refresh();
    } catch (error) {
      setSaid(error instanceof Error ? error.message : String(error));
    }
    setBusy(false);
    setAsking(false);
  };
  return (
    <div class="notice">
      <h3>{w.held}</h3>
      <p>{w.heldHow}</p>
      {error && <p class="mono">{error}</p>}
      <button type="button" onClick={() => setAsking(true)}>
        {w.accept} …
      </button>
      <p role="status">{said}</p>
      {asking && (
        <Dialog
          title={w.acceptAsk}
          onClose={() => setAsking(false)}
          actions={
            <>
              <button type="button" onClick={() => setAsking(false)}>
                {words.value.shell.cancel}
              </button>
              <button type="button" class="danger" disabled={busy} onClick={() => void accept()}>
                {w.accept}
              </button>
            </>
          }
        >
          <p>{w.acceptAskHow}</p>
          {error && <p class="mono">{error}</p>}
        </Dialog>
      )}
    </div>
  );
}
