import { useEffect } from "preact/hooks";
import { status } from "../state/live";
import { choose, param, to } from "../state/location";
import { readSpecs } from "../state/specs";
import { scriptTone } from "../state/tones";
import { trees, useTrees } from "../state/trees";
import "../style/keys.css";
import { Badge } from "../ui/badge";
import { Filter } from "../ui/field";
import { number, took } from "../ui/format";
import { Page } from "../ui/page";
import { type Column, Table } from "../ui/table";
import { words } from "../words";
import { NewScript } from "./scripts/new-script";
import { cost, idOf, type Row, rowsOf } from "./scripts/rows";
import { stateOf } from "./scripts/script-head";
import { ScriptView } from "./scripts/script-view";

/** Scripts is every script with what it did, and the one that is chosen. */
export function Scripts() {
  const w = words.value.scripts;
  useTrees();
  useEffect(() => void readSpecs(), []);
  const rows = rowsOf(status.value?.scripts ?? [], trees.value ?? []);
  const [script, store, text, fresh] = [
    param("script"),
    param("store"),
    param("filter").toLowerCase(),
    param("new") !== "",
  ];
  const chosen = rows.find(
    (r) => `${r.category}/${r.name}` === script && (store === "" || r.store === store),
  );
  const shown = rows.filter((r) =>
    `${r.category}/${r.name} ${r.namespace} ${r.state} ${r.store}`.toLowerCase().includes(text),
  );
  const ready = status.value !== undefined && trees.value !== undefined;
  return (
    <Page
      title={w.title}
      tab={script ? `${script} · ${w.title}` : w.title}
      beside={
        <a class="button" href={to("/scripts", { new: "1" })}>
          {w.newScript}
        </a>
      }
    >
      {!fresh && script === "" && (
        <>
          <div class="tools">
            <Filter label={w.filter} value={param("filter")} onInput={(filter) => choose({ filter })} />
          </div>
          {ready ? (
            <Table
              label={w.title}
              columns={columns()}
              rows={shown}
              id={idOf}
              empty={<p>{rows.length > 0 ? words.value.shell.none : w.noneYet}</p>}
              order={param("order")}
              onOrder={(order) => choose({ order })}
            />
          ) : (
            <p class="loading">{words.value.shell.loading}</p>
          )}
        </>
      )}
      {(fresh || script !== "") && (
        <a class="back always" href="/scripts">
          {w.back}
        </a>
      )}
      {fresh && <NewScript />}
      {chosen && <ScriptView key={idOf(chosen)} row={chosen} rows={rows} />}
      {!fresh && script !== "" && ready && !chosen && <p class="empty">{w.gone(script)}</p>}
    </Page>
  );
}

function columns(): Column<Row>[] {
  const w = words.value;
  return [
    {
      id: "name",
      head: w.scripts.script,
      name: true,
      sort: (r) => `${r.category}/${r.name}`,
      cell: (r) => (
        <a class="mono" href={to("/scripts", { script: `${r.category}/${r.name}`, store: r.store })}>
          {r.category}/{r.name}
        </a>
      ),
    },
    {
      id: "from",
      head: w.scripts.from,
      sort: (r) => `${r.namespace} ${r.store}`,
      cell: (r) => (
        <>
          <span class="mono">{r.store || "–"}</span> <span class="faint small">{r.namespace}</span>
        </>
      ),
    },
    {
      id: "state",
      head: w.keys.state,
      sort: (r) => r.state,
      cell: (r) => <Badge tone={scriptTone(r.state)} text={stateOf(r)} title={r.error} />,
    },
    { id: "runs", head: w.scripts.runs, right: true, sort: (r) => r.runs, cell: (r) => number(r.runs) },
    {
      id: "drops",
      head: w.scripts.drops,
      right: true,
      sort: (r) => r.drops,
      cell: (r) => number(r.drops),
      optional: (r) => r.drops === 0,
    },
    {
      id: "errors",
      head: w.scripts.errors,
      right: true,
      sort: (r) => r.errors,
      cell: (r) => <span class={r.errors > 0 ? "tone-bad" : ""}>{number(r.errors)}</span>,
      optional: (r) => r.errors === 0,
    },
    {
      id: "cost",
      head: w.scripts.cost,
      right: true,
      sort: cost,
      cell: (r) => (r.runs > 0 ? took(cost(r)) : "–"),
      optional: (r) => r.runs === 0,
    },
  ];
}
