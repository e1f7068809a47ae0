import type { Unit } from "../../api/types";
import { now } from "../../state/clock";
import type { PlacedStore } from "../../state/places";
import { unitRates } from "../../state/rates";
import { compact, number, since, span } from "../../ui/format";
import { Page } from "../../ui/page";
import { Ago } from "../../ui/time";
import { words } from "../../words";
import { Chart } from "./chart";
import { UnitHistory } from "./history";
import { Origin, UnitBadge } from "./parts";

interface Props {
  id: string;
  unit: Unit | undefined;
  stores: readonly PlacedStore[];
}

/** One is all of one unit; of one that is gone, what happened to it. */
export function One({ id, unit, stores }: Props) {
  const w = words.value.units;
  const back = <a href="/units">{w.all}</a>;
  if (!unit) {
    return (
      <Page title={id} tab={w.one(id)} beside={back}>
        <div class="notice">
          <h2>{w.gone}</h2>
          <p>{w.goneHow}</p>
        </div>
        <UnitHistory id={id} />
      </Page>
    );
  }
  return (
    <Page
      title={id}
      tab={w.one(id)}
      beside={
        <>
          <UnitBadge state={unit.state} />
          <span class="space" />
          {back}
        </>
      }
    >
      {unit.last_error && (
        <div class={unit.state === "failed" ? "notice bad" : "notice"}>
          <h2>{w.lastError}</h2>
          <p class="mono">{unit.last_error}</p>
        </div>
      )}
      <Facts unit={unit} stores={stores} />
      <Chart unit={unit} />
      <UnitHistory id={id} />
    </Page>
  );
}

function Facts({ unit: u, stores }: { unit: Unit; stores: readonly PlacedStore[] }) {
  const w = words.value.units;
  const rate = unitRates.value.get(u.id);
  const lasts = Math.floor((since(u.since, now.value) ?? 0) / 1000) * 1000;
  const left = u.next_gather ? Date.parse(u.next_gather) - now.value : undefined;
  return (
    <section class="panel" aria-label={w.counters}>
      <dl class="facts unit-facts">
        <Fact name={w.origin} wide>
          <Origin origin={u.origin} stores={stores} />
        </Fact>
        <Fact name={w.since}>{span(lasts)}</Fact>
        <Fact name={w.last}>{u.last_gather ? <Ago time={u.last_gather} /> : w.own}</Fact>
        <Fact name={w.next}>
          {left === undefined ? w.own : w.in(span(Math.ceil(Math.max(0, left) / 1000) * 1000))}
        </Fact>
        <Fact name={w.rate}>{rate === undefined ? "–" : compact(rate)}</Fact>
        <Fact name={w.points}>{number(u.points)}</Fact>
        <Fact name={w.gathers}>{number(u.gathers)}</Fact>
        <Fact name={w.missed} title={w.missedMeans}>
          {number(u.missed)}
        </Fact>
        <Fact name={w.errors}>
          <span class={u.errors > 0 ? "tone-bad" : undefined}>{number(u.errors)}</span>
        </Fact>
        <Fact name={w.starts}>{number(u.starts)}</Fact>
        <Fact name={w.updates}>{number(u.updates)}</Fact>
      </dl>
    </section>
  );
}

interface FactProps {
  name: string;
  title?: string;
  wide?: boolean;
  children: preact.ComponentChildren;
}

function Fact({ name, title, wide, children }: FactProps) {
  return (
    <div class={wide ? "wide" : undefined} title={title}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
