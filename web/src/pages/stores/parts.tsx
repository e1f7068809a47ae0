import type { Store } from "../../api/types";
import { connection } from "../../state/live";
import { storeTone } from "../../state/tones";
import { Badge } from "../../ui/badge";
import { Ago } from "../../ui/time";
import { words } from "../../words";

/** StoreBadge is the state of a store. */
export function StoreBadge({ state }: { state: Store["state"] }) {
  const w = words.value.state;
  return <Badge key={state} tone={storeTone(state)} text={w.store[state]} title={w.storeMeans[state]} />;
}

/** Lag is how far behind its store the agent may be: not at all, while it is told of each change. */
export function Lag({ store }: { store: Store }) {
  const w = words.value.stores;
  if (store.state === "connecting" || store.state === "disabled") return <>–</>;
  if (store.state === "watching" && connection.value === "live") {
    return (
      <span class="tone-good" title={w.liveMeans}>
        {w.live}
      </span>
    );
  }
  return <Ago time={store.read_at} />;
}
