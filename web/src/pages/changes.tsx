import "./changes.css";
import { useEffect, useRef, useState } from "preact/hooks";
import { fits, type Wanted } from "../state/filter";
import { changes, loadOlder, places, status } from "../state/live";
import { choose, param } from "../state/location";
import { placed } from "../state/places";
import { Command } from "../ui/copy";
import { Filter, Select } from "../ui/field";
import { number } from "../ui/format";
import { Page } from "../ui/page";
import { words } from "../words";
import { ChangeCard } from "./changes/card";

const atOnce = 100; // cards that are drawn, until more are asked for

/** Changes is what the agent has done of late, newest first, as it does it. */
export function Changes() {
  const w = words.value.changes;
  const s = status.value;
  const wanted = { text: param("q"), store: param("store"), state: param("state"), unit: param("unit") };
  const [shown, setShown] = useState(atOnce);
  const known = useRef(changes.value[0]?.id ?? 0);
  const list = changes.value.filter((c) => fits(c, wanted));
  const arrived = changes.value.filter((c) => c.id > known.current).length;
  const stores = s ? placed(s, places.value) : [];
  const id = param("id");
  useEffect(() => {
    document.getElementById(`change-${id}`)?.scrollIntoView({ block: "center" });
  }, [id, list.length > 0]);
  useEffect(() => {
    if (known.current === 0) known.current = changes.value[0]?.id ?? 0;
  }, [changes.value.length > 0]);
  return (
    <Page title={w.title}>
      <Tools wanted={wanted} />
      <p class="hidden" aria-live="polite">
        {arrived > 0 && known.current > 0 ? w.arrived(number(arrived)) : ""}
      </p>
      {list.length === 0 ? (
        <Empty filtered={changes.value.length > 0} />
      ) : (
        <ol class="timeline">
          {list.slice(0, shown).map((c) => (
            <ChangeCard
              key={c.id}
              change={c}
              stores={stores}
              fresh={known.current > 0 && c.id > known.current}
              chosen={String(c.id) === id}
            />
          ))}
        </ol>
      )}
      <Older hidden={list.length - shown} onMore={() => setShown(shown + atOnce)} />
    </Page>
  );
}

function Tools({ wanted }: { wanted: Wanted }) {
  const w = words.value.changes;
  const names = words.value.state.key;
  const stores = [
    ...new Set([...changes.value.map((c) => c.store), ...(wanted.store ? [wanted.store] : [])]),
  ].sort();
  const states = [...new Set(changes.value.map((c) => c.state))].filter((x) => x !== "");
  const asked = wanted.text || wanted.store || wanted.state || wanted.unit;
  return (
    <search class="tools">
      <Filter label={w.filter} value={wanted.text} onInput={(q) => choose({ q, id: "" })} />
      <Select
        label={w.store}
        value={wanted.store}
        options={[["", w.anyStore], ...stores.map((x) => [x, x] as const)]}
        onChange={(store) => choose({ store, id: "" })}
      />
      <Select
        label={w.state}
        value={wanted.state}
        options={[["", w.anyState], ...states.map((x) => [x, names[x]] as const)]}
        onChange={(state) => choose({ state, id: "" })}
      />
      {wanted.unit && <code>{wanted.unit}</code>}
      {asked && (
        <button type="button" onClick={() => choose({ q: "", store: "", state: "", unit: "", id: "" })}>
          {w.clear}
        </button>
      )}
    </search>
  );
}

function Empty({ filtered }: { filtered: boolean }) {
  const w = words.value.changes;
  if (filtered) return <p class="empty">{w.noneFits}</p>;
  return (
    <div class="empty">
      <p>{w.none}</p>
      <p>{w.noneHow}</p>
      <Command text="datakit confd put mem mem.conf" />
    </div>
  );
}

function Older({ hidden, onMore }: { hidden: number; onMore: () => void }) {
  const [done, setDone] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState("");
  const w = words.value.changes;
  const more = async () => {
    if (hidden > 0) {
      onMore();
      return;
    }
    setBusy(true);
    try {
      if ((await loadOlder()) === 0) setDone(true);
      else onMore();
      setError("");
    } catch (error) {
      setError(error instanceof Error ? error.message : String(error));
    }
    setBusy(false);
  };
  if (changes.value.length === 0) return null;
  return (
    <div class="older">
      {!done && (
        <button type="button" disabled={busy} onClick={() => void more()}>
          {w.older}
        </button>
      )}
      <span role="status" class="faint">
        {done && w.noOlder}
      </span>
      {error && <p class="error">{error}</p>}
    </div>
  );
}
