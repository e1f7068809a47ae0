import { useState } from "preact/hooks";
import type { Key } from "../../api/types";
import { status } from "../../state/live";
import { to } from "../../state/location";
import { keyLink, type PlacedStore } from "../../state/places";
import { keyTone } from "../../state/tones";
import { Badge } from "../../ui/badge";
import { Command } from "../../ui/copy";
import { Filter } from "../../ui/field";
import { number } from "../../ui/format";
import { Table } from "../../ui/table";
import { words } from "../../words";

/** keysOf returns the keys of a store; those of another with its backend and root cannot be told apart. */
export function keysOf(s: PlacedStore): Key[] {
  return (status.value?.keys ?? []).filter((k) => k.store === s.backend && k.key.startsWith(`${s.root}/`));
}

interface Props {
  keys: readonly Key[];
  stores: readonly PlacedStore[];
  label: string;
  store?: PlacedStore;
  folded?: boolean;
}

/** KeyTable says what became of each key. */
export function KeyTable({ keys, stores, label, store, folded = false }: Props) {
  const w = words.value.stores;
  if (keys.length === 0 && store) {
    if (store.state === "connecting" || store.state === "disabled" || store.error) return null;
    return (
      <div class="empty">
        <p>{w.holdsNothing}</p>
        <Command text="datakit confd put mem mem.conf" />
      </div>
    );
  }
  if (!store) return <Rows keys={keys} stores={stores} label={label} />;
  return (
    <details class="holds" open={!folded}>
      <summary>
        {w.holds} <Counts keys={keys} />
      </summary>
      <p>
        <a href={to("/keys", { store: store.id })}>{w.openKeys}</a>
      </p>
      <Rows keys={keys} stores={stores} label={label} />
    </details>
  );
}

function Counts({ keys }: { keys: readonly Key[] }) {
  const w = words.value.state;
  const counts = new Map<Key["state"], number>();
  for (const k of keys) counts.set(k.state, (counts.get(k.state) ?? 0) + 1);
  return (
    <span class="counts">
      {[...counts].map(([state, n]) => (
        <Badge
          key={state}
          tone={keyTone(state)}
          text={`${number(n)} ${w.key[state]}`}
          title={w.keyMeans[state]}
        />
      ))}
    </span>
  );
}

function Rows({
  keys,
  stores,
  label,
}: {
  keys: readonly Key[];
  stores: readonly PlacedStore[];
  label: string;
}) {
  const [order, setOrder] = useState("");
  const [filter, setFilter] = useState("");
  const w = words.value.stores;
  const state = words.value.state;
  const wanted = filter.toLowerCase();
  const rows = keys.filter((k) => `${k.key} ${state.key[k.state]} ${k.error}`.toLowerCase().includes(wanted));
  return (
    <>
      {keys.length > 10 && <Filter label={w.filterKeys} value={filter} onInput={setFilter} />}
      <Table
        label={label}
        rows={rows}
        id={(k) => `${k.store} ${k.key}`}
        order={order}
        onOrder={setOrder}
        empty={<p>{words.value.shell.none}</p>}
        columns={[
          {
            id: "key",
            head: w.key,
            name: true,
            sort: (k) => k.key,
            cell: (k) => <KeyName name={k} stores={stores} />,
          },
          {
            id: "state",
            head: w.becameOf,
            sort: (k) => k.state,
            cell: (k) => (
              <Badge tone={keyTone(k.state)} text={state.key[k.state]} title={state.keyMeans[k.state]} />
            ),
          },
          {
            id: "revision",
            head: w.revision,
            sort: (k) => k.revision,
            optional: (k) => k.revision === "",
            cell: (k) => <code>{k.revision}</code>,
          },
          {
            id: "why",
            head: w.why,
            optional: (k) => k.error === "",
            cell: (k) => <span class="why">{k.error}</span>,
          },
        ]}
      />
    </>
  );
}

function KeyName({ name: k, stores }: { name: Key; stores: readonly PlacedStore[] }) {
  const href = keyLink(`${k.store}:${k.key}`, stores);
  return href ? (
    <a class="mono" href={href}>
      {k.key}
    </a>
  ) : (
    <span class="mono">{k.key}</span>
  );
}
