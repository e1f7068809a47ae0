import type { Status, Store, TickStore } from "../api/types";
import { to } from "./location";

/** A PlacedStore is a store with the name that keys and changes have for it. */
export interface PlacedStore extends Store {
  id: string;
  root: string;
}

/** placed names the stores of a status: a second one of a backend is etcdv3#2. */
export function placed(status: Status, places: readonly TickStore[]): PlacedStore[] {
  const seen = new Map<string, number>();
  return status.stores.map((s, i) => {
    const n = (seen.get(s.backend) ?? 0) + 1;
    seen.set(s.backend, n);
    const id = n > 1 ? `${s.backend}#${n}` : s.backend;
    const place = places[i];
    return { ...s, id, root: place?.id === id ? place.root : "" };
  });
}

/** A KeyName names one key of one store, below its root. */
export interface KeyName {
  store: string;
  key: string;
}

/**
 * keyOf returns the key that an origin names: "etcdv3:/datakit/confd/cpu". A file and
 * a default have none. Origins name the backend: of two stores with one root the first
 * is taken, unless it is known not to hold the key.
 */
export function keyOf(origin: string, stores: readonly PlacedStore[]): KeyName | undefined {
  const colon = origin.indexOf(":");
  if (colon < 0) return undefined;
  const backend = origin.slice(0, colon);
  const path = origin.slice(colon + 1);
  const fits = stores.filter((s) => s.backend === backend && path.startsWith(`${s.root}/`));
  const store = fits.find((s) => s.keys > 0) ?? fits[0];
  return store && { store: store.id, key: path.slice(store.root.length + 1) };
}

/** keyLink leads to the key that an origin names; undefined where there is none. */
export function keyLink(origin: string, stores: readonly PlacedStore[]): string | undefined {
  const name = keyOf(origin, stores);
  return name && to("/keys", { store: name.store, key: name.key });
}

/** changeLink leads to the key of a change, which names the store by its ID. */
export function changeLink(store: string, key: string, stores: readonly PlacedStore[]): string | undefined {
  const s = stores.find((x) => x.id === store);
  if (!s || !key.startsWith(`${s.root}/`)) return undefined;
  return to("/keys", { store: s.id, key: key.slice(s.root.length + 1) });
}
