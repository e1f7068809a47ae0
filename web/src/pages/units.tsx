import "./units.css";
import type { Unit } from "../api/types";
import { places, status } from "../state/live";
import { choose, param, to } from "../state/location";
import { type PlacedStore, placed } from "../state/places";
import { unitRates } from "../state/rates";
import { Command } from "../ui/copy";
import { Filter, Select } from "../ui/field";
import { compact, number } from "../ui/format";
import { Page } from "../ui/page";
import { type Column, Table } from "../ui/table";
import { Ago } from "../ui/time";
import { words } from "../words";
import { One } from "./units/one";
import { Origin, UnitBadge } from "./units/parts";

/** Units is what runs: all of it, or the one in the address. */
export function Units() {
  const w = words.value.units;
  const s = status.value;
  if (!s) return <Page title={w.title}>{<p class="loading">{words.value.shell.loading}</p>}</Page>;
  const stores = placed(s, places.value);
  const id = param("id");
  if (id) return <One key={id} id={id} unit={s.units.find((u) => u.id === id)} stores={stores} />;
  return (
    <Page title={w.title}>
      <List units={s.units} stores={stores} />
    </Page>
  );
}

function List({ units, stores }: { units: readonly Unit[]; stores: readonly PlacedStore[] }) {
  const w = words.value.units;
  const states = words.value.state.unit;
  const text = param("q").toLowerCase();
  const state = param("state");
  const rows = units.filter(
    (u) =>
      (!state || u.state === state) &&
      `${u.id} ${u.kind} ${u.origin} ${u.last_error}`.toLowerCase().includes(text),
  );
  return (
    <>
      <search class="tools">
        <Filter label={w.filter} value={param("q")} onInput={(q) => choose({ q })} />
        <Select
          label={w.state}
          value={state}
          options={[["", w.anyState], ...Object.entries(states)]}
          onChange={(v) => choose({ state: v })}
        />
      </search>
      <Table
        label={w.title}
        rows={rows}
        id={(u) => u.id}
        columns={columns(stores)}
        order={param("sort") || "id"}
        onOrder={(sort) => choose({ sort })}
        empty={
          units.length > 0 ? (
            <p>{w.noneFits}</p>
          ) : (
            <>
              <p>{w.none}</p>
              <p>{w.noneHow}</p>
              <Command text="datakit confd put mem mem.conf" />
            </>
          )
        }
      />
    </>
  );
}

function columns(stores: readonly PlacedStore[]): Column<Unit>[] {
  const w = words.value.units;
  const rate = (u: Unit) => unitRates.value.get(u.id);
  return [
    {
      id: "id",
      head: w.unit,
      name: true,
      sort: (u) => u.id,
      cell: (u) => (
        <a class="mono" href={to("/units", { id: u.id })}>
          {u.id}
        </a>
      ),
    },
    { id: "state", head: w.state, sort: (u) => u.state, cell: (u) => <UnitBadge state={u.state} /> },
    {
      id: "origin",
      head: w.origin,
      sort: (u) => u.origin,
      cell: (u) => <Origin origin={u.origin} stores={stores} />,
    },
    {
      id: "rate",
      head: w.rate,
      right: true,
      sort: (u) => rate(u) ?? -1,
      cell: (u) => {
        const r = rate(u);
        return r === undefined ? "–" : compact(r);
      },
    },
    { id: "points", head: w.points, right: true, sort: (u) => u.points, cell: (u) => number(u.points) },
    {
      id: "last",
      head: w.last,
      sort: (u) => u.last_gather,
      optional: (u) => u.last_gather === "",
      cell: (u) => <Ago time={u.last_gather} />,
    },
    {
      id: "starts",
      head: w.starts,
      right: true,
      sort: (u) => u.starts,
      cell: (u) => number(u.starts),
    },
    {
      id: "errors",
      head: w.errors,
      right: true,
      sort: (u) => u.errors,
      cell: (u) => <span class={u.errors > 0 ? "tone-bad" : undefined}>{number(u.errors)}</span>,
    },
    {
      id: "error",
      head: w.lastError,
      optional: (u) => u.last_error === "",
      cell: (u) => <span class="why">{u.last_error}</span>,
    },
  ];
}
