import "./stores.css";
import { places, status } from "../state/live";
import { param, to } from "../state/location";
import { type PlacedStore, placed } from "../state/places";
import { Command } from "../ui/copy";
import { Page } from "../ui/page";
import { Ago } from "../ui/time";
import { words } from "../words";
import { Held } from "./stores/held";
import { StoreHistory } from "./stores/history";
import { KeyTable, keysOf } from "./stores/keytable";
import { Lag, StoreBadge } from "./stores/parts";

/** Stores shows where the configuration comes from: all stores, or the one in the address. */
export function Stores() {
  const w = words.value.stores;
  const s = status.value;
  if (!s) return <Page title={w.title}>{<p class="loading">{words.value.shell.loading}</p>}</Page>;
  const all = placed(s, places.value);
  const only = param("id");
  const shown = only ? all.filter((x) => x.id === only) : all;
  const others = only ? [] : s.keys.filter((k) => k.store === "local" || k.store === "default");
  return (
    <Page
      title={w.title}
      tab={only ? `${only} · ${w.title}` : w.title}
      beside={only && <a href="/stores">{words.value.shell.all}</a>}
    >
      {all.length === 0 && (
        <div class="empty">
          <h2>{w.none}</h2>
          <p>{w.noneHow}</p>
          <Command text={'[[confds]] backend = "etcdv3" nodes = ["127.0.0.1:2379"]'} />
        </div>
      )}
      {shown.map((x) => (
        <StorePanel key={x.id} store={x} alone={only !== ""} />
      ))}
      {others.length > 0 && (
        <section class="panel" aria-labelledby="others">
          <h2 id="others">{w.others}</h2>
          <p class="faint">{w.othersHow}</p>
          <KeyTable keys={others} stores={all} label={w.others} />
        </section>
      )}
    </Page>
  );
}

function StorePanel({ store: s, alone }: { store: PlacedStore; alone: boolean }) {
  const w = words.value.stores;
  const id = `store-${s.id}`;
  const keys = keysOf(s);
  return (
    <section class="panel" aria-labelledby={id}>
      <div class="store-head">
        <h2 id={id}>
          <a href={to("/stores", { id: s.id })}>{s.id}</a>
        </h2>
        <StoreBadge state={s.state} />
        <span class="faint">{words.value.state.storeMeans[s.state]}</span>
      </div>
      {s.error && s.state !== "held" && (
        <div class={`notice ${s.state === "stale" || s.state === "denied" ? "bad" : ""}`}>
          <p class="mono">{s.error}</p>
        </div>
      )}
      {s.state === "held" && <Held error={s.error} />}
      <dl class="facts">
        <Fact name={w.lag}>
          <Lag store={s} />
        </Fact>
        <Fact name={w.read}>
          <Ago time={s.read_at} />
        </Fact>
        <Fact name={w.revision}>{s.revision ? <code>{s.revision}</code> : "–"}</Fact>
        <Fact name={w.root}>{s.root ? <code>{s.root}</code> : "–"}</Fact>
        <Fact name={w.nodes}>
          {s.nodes.map((n) => (
            <code key={n} class="node">
              {n}
            </code>
          ))}
        </Fact>
      </dl>
      <KeyTable keys={keys} stores={[s]} label={`${w.holds}: ${s.id}`} folded={!alone} store={s} />
      <StoreHistory id={s.id} />
    </section>
  );
}

function Fact({ name, children }: { name: string; children: preact.ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
