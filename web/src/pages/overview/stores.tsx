import { to } from "../../state/location";
import type { PlacedStore } from "../../state/places";
import { Command } from "../../ui/copy";
import { number } from "../../ui/format";
import { Table } from "../../ui/table";
import { Ago } from "../../ui/time";
import { words } from "../../words";
import { Lag, StoreBadge } from "../stores/parts";

/** StoreTable shows each store in one line. */
export function StoreTable({ stores }: { stores: readonly PlacedStore[] }) {
  const w = words.value.stores;
  return (
    <Table
      label={words.value.overview.storesHead}
      rows={stores}
      id={(s) => s.id}
      empty={
        <>
          <p>{words.value.overview.noStores}</p>
          <Command text={'[[confds]] backend = "etcdv3" nodes = ["127.0.0.1:2379"]'} />
        </>
      }
      columns={[
        {
          id: "id",
          head: w.store,
          name: true,
          cell: (s) => <a href={to("/stores", { id: s.id })}>{s.id}</a>,
        },
        { id: "state", head: w.state, cell: (s) => <StoreBadge state={s.state} /> },
        { id: "keys", head: w.keys, right: true, cell: (s) => number(s.keys) },
        { id: "lag", head: w.lag, cell: (s) => <Lag store={s} /> },
        { id: "read", head: w.read, cell: (s) => <Ago time={s.read_at} /> },
      ]}
    />
  );
}
