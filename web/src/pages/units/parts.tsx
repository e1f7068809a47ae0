import type { Unit } from "../../api/types";
import { keyLink, type PlacedStore } from "../../state/places";
import { unitTone } from "../../state/tones";
import { Badge } from "../../ui/badge";
import { words } from "../../words";

/** UnitBadge is the state of a unit. */
export function UnitBadge({ state }: { state: Unit["state"] }) {
  const w = words.value.state;
  return <Badge key={state} tone={unitTone(state)} text={w.unit[state]} title={w.unitMeans[state]} />;
}

/** Origin is where a unit comes from, with the way to its key where it has one. */
export function Origin({ origin, stores }: { origin: string; stores: readonly PlacedStore[] }) {
  const w = words.value.units;
  const href = keyLink(origin, stores);
  if (href) {
    return (
      <a class="mono" href={href} title={w.openKey}>
        {origin}
      </a>
    );
  }
  const title = origin === "default" ? w.defaultMeans : origin.startsWith("local:") ? w.fileMeans : undefined;
  return (
    <span class="mono" title={title}>
      {origin}
    </span>
  );
}
