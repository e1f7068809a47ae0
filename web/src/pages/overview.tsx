import "./overview.css";
import { now } from "../state/clock";
import { changes, places, status } from "../state/live";
import { placed } from "../state/places";
import { problems } from "../state/problems";
import { rates } from "../state/rates";
import { Command } from "../ui/copy";
import { bytes, compact, number, since, span } from "../ui/format";
import { Page } from "../ui/page";
import { Sparkline } from "../ui/sparkline";
import { words } from "../words";
import { ChangeLine } from "./changes/line";
import { OutputTable } from "./overview/outputs";
import { Problems } from "./overview/problems";
import { StoreTable } from "./overview/stores";
import { Verdict } from "./overview/verdict";

/** Overview says whether the agent does what is asked of it, and what to do where it does not. */
export function Overview() {
  const w = words.value.overview;
  const s = status.value;
  if (!s) return <Page title={w.title}>{<p class="loading">{words.value.shell.loading}</p>}</Page>;
  const stores = placed(s, places.value);
  const wrong = problems(s, stores);
  return (
    <Page title={w.title}>
      <Verdict status={s} wrong={wrong} />
      <Problems status={s} list={wrong} />
      <Figures />
      <div class="columns">
        <section class="panel" aria-labelledby="throughput">
          <h2 id="throughput">{w.throughput}</h2>
          <Throughput />
          <OutputTable outputs={s.outputs} />
        </section>
        <section class="panel" aria-labelledby="stores">
          <h2 id="stores">
            <a href="/stores">{w.storesHead}</a>
          </h2>
          <StoreTable stores={stores} />
        </section>
      </div>
      <section class="panel" aria-labelledby="changes">
        <h2 id="changes">
          <a href="/changes">{w.changesHead}</a>
        </h2>
        <LastChanges />
      </section>
    </Page>
  );
}

function Figures() {
  const w = words.value.overview;
  const s = status.value;
  if (!s) return null;
  const of = (n: number, all: number) => w.of(number(n), number(all));
  const count = <T,>(list: readonly T[], good: (x: T) => boolean) =>
    of(list.filter(good).length, list.length);
  const rate = rates.value.at(-1)?.points;
  const figures: [string, string, string?][] = [
    [w.units, count(s.units, (u) => u.state === "running"), "/units"],
    [w.keys, count(s.keys, (k) => k.state === "applied"), "/stores"],
    [w.stores, count(s.stores, (x) => x.state === "watching" || x.state === "polling"), "/stores"],
    [w.scripts, count(s.scripts, (x) => x.state === "active"), "/scripts"],
    [w.rate, rate === undefined ? "–" : compact(rate)],
    [w.queue, number(s.outputs.reduce((n, o) => n + o.queue_points, 0))],
    [w.recent, s.recent ? `${compact(s.recent.points)} · ${bytes(s.recent.bytes)}` : "–", "/query"],
    [w.generation, number(s.generation), "/changes"],
    [w.up, span(Math.floor((since(s.started_at, now.value) ?? 0) / 1000) * 1000)],
    [w.version, s.version],
  ];
  return (
    <section aria-label={w.figures}>
      <dl class="figures">
        {figures.map(([name, value, href]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{href ? <a href={href}>{value}</a> : value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function Throughput() {
  const w = words.value.overview;
  const list = rates.value;
  if (list.length < 2) return <p class="faint">{w.throughputWaits}</p>;
  const dropped = list.some((r) => r.dropped > 0);
  const series = [
    { name: w.collected, points: list.map((r) => [r.at, r.points] as const) },
    { name: w.written, points: list.map((r) => [r.at, r.written] as const) },
    ...(dropped ? [{ name: w.dropped, points: list.map((r) => [r.at, r.dropped] as const) }] : []),
  ];
  return <Sparkline label={w.rate} series={series} unit="/s" />;
}

function LastChanges() {
  const w = words.value.overview;
  const list = changes.value.slice(0, 6);
  if (list.length === 0) {
    return (
      <div class="empty">
        <p>{w.noChanges}</p>
        <Command text="datakit confd put mem mem.conf" />
      </div>
    );
  }
  return (
    <ol class="change-lines">
      {list.map((c) => (
        <ChangeLine key={c.id} change={c} />
      ))}
    </ol>
  );
}
