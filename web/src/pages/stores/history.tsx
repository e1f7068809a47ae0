import { useHistory } from "../../state/history";
import { At } from "../../ui/time";
import { words } from "../../words";
import { StoreBadge } from "./parts";

/** StoreHistory lists the states that a store went into, newest first. */
export function StoreHistory({ id }: { id: string }) {
  const w = words.value.stores;
  const list = useHistory("store", id);
  if (list.length === 0) return null;
  return (
    <details class="history">
      <summary>{w.history}</summary>
      <ol>
        {list.map((e) => (
          <li key={e.id}>
            <At time={e.time} />
            {e.store && <StoreBadge state={e.store.state} />}
            {e.store?.error && <span class="why">{e.store.error}</span>}
          </li>
        ))}
      </ol>
    </details>
  );
}
