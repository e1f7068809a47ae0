import { beforeEach, describe, expect, it } from "vitest";
import { fits } from "../src/state/filter";
import { together } from "../src/state/history";
import { to } from "../src/state/location";
import { merge } from "../src/state/merge";
import { changeLink, keyLink, keyOf, placed } from "../src/state/places";
import { preferred } from "../src/state/preferences";
import { problems } from "../src/state/problems";
import { forget, rates, take, unitRates } from "../src/state/rates";
import { change, key, status, store, tick, unit } from "./api";

const second = (n: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, n)).toISOString();
const grown = (id: string, points: number) => ({
  id,
  points,
  gathers: points,
  errors: 0,
  missed: 0,
  last_gather: "",
  next_gather: "",
});

describe("rates", () => {
  beforeEach(forget);

  it("are what came between two ticks", () => {
    take(tick(second(0), { points: 100, written: 90 }));
    take(tick(second(2), { points: 300, written: 190, dropped: 4 }));
    expect(rates.value).toEqual([{ at: Date.parse(second(2)), points: 100, written: 50, dropped: 2 }]);
  });

  it("do not go below zero when the agent begins anew", () => {
    take(tick(second(0), { points: 1_000_000 }));
    take(tick(second(2), { points: 10 }));
    expect(rates.value.at(-1)?.points).toBe(0);
  });

  it("keep to five minutes", () => {
    for (let i = 0; i < 500; i++) take(tick(second(2 * i), { points: i }));
    expect(rates.value).toHaveLength(150);
  });

  it("of a unit last until it is silent for long", () => {
    take(tick(second(0), { units: [grown("a", 0)] }));
    take(tick(second(10), { units: [grown("a", 50)] }));
    take(tick(second(12)));
    expect(unitRates.value.get("a")).toBe(5);
    take(tick(second(60)));
    expect(unitRates.value.get("a")).toBe(0);
  });
});

describe("a tick", () => {
  it("changes the counters of a status, and nothing else", () => {
    const before = status({
      units: [unit({ id: "a", points: 1 }), unit({ id: "b", points: 1 })],
      stores: [store()],
    });
    const after = merge(
      before,
      tick(second(1), {
        units: [grown("a", 9)],
        stores: [{ id: "etcdv3", root: "/datakit", read_at: second(1) }],
      }),
    );
    expect(after.units.map((u) => u.points)).toEqual([9, 1]);
    expect(after.units[0]?.state).toBe("running");
    expect(after.stores[0]?.read_at).toBe(second(1));
    expect(before.units[0]?.points).toBe(1);
  });

  it("of other stores than are shown changes none of them", () => {
    const before = status({ stores: [store(), store()] });
    const after = merge(before, tick(second(1), { stores: [{ id: "file", root: "", read_at: second(1) }] }));
    expect(after.stores).toEqual(before.stores);
  });
});

describe("the way to a key", () => {
  const s = status({ stores: [store(), store({ backend: "etcdv3" }), store({ backend: "file" })] });
  const places = [
    { id: "etcdv3", root: "/datakit", read_at: "" },
    { id: "etcdv3#2", root: "/other", read_at: "" },
    { id: "file", root: "/datakit", read_at: "" },
  ];
  const stores = placed(s, places);

  it("goes by backend and root", () => {
    expect(stores.map((x) => x.id)).toEqual(["etcdv3", "etcdv3#2", "file"]);
    expect(keyOf("etcdv3:/other/confd/a", stores)).toEqual({ store: "etcdv3#2", key: "confd/a" });
    expect(keyLink("file:/datakit/confd/cpu.conf", stores)).toBe("/keys?store=file&key=confd%2Fcpu.conf");
    expect(changeLink("etcdv3#2", "/other/confd/a", stores)).toBe("/keys?store=etcdv3%232&key=confd%2Fa");
  });

  it("does not exist for a file or a default", () => {
    expect(keyLink("default", stores)).toBeUndefined();
    expect(keyLink("local:conf.d/cpu.conf", stores)).toBeUndefined();
    expect(keyLink("etcdv3:/datakitten/confd/a", stores)).toBeUndefined();
    expect(changeLink("gone", "/datakit/confd/a", stores)).toBeUndefined();
  });
});

describe("what is wrong", () => {
  it("is nothing where all is well", () =>
    expect(problems(status({ units: [unit()], keys: [key()] }), [])).toEqual([]));

  it("is listed once each, the worst first, with the way to it", () => {
    const s = status({
      converged: false,
      errors: ["the backup cannot be written"],
      stores: [store({ state: "held" }), store({ backend: "consul", state: "stale", error: "down" })],
      keys: [key({ state: "kept", error: "line 3" }), key({ key: "/datakit/confd/b", state: "singleton" })],
      units: [unit({ state: "failed", last_error: "no" }), unit({ id: "input/x", state: "starting" })],
      scripts: [
        { ...scriptOf("etcdv3:/datakit/confd/cpu"), state: "rejected" },
        { ...scriptOf("default"), state: "rejected" },
      ],
      outputs: [
        {
          name: "a",
          queue_points: 5,
          queue_bytes: 1,
          written: 0,
          dropped: 0,
          retries: 1,
          last_error: "refused",
        },
        { name: "b", queue_points: 0, queue_bytes: 0, written: 0, dropped: 3, retries: 0, last_error: "" },
      ],
    });
    const list = problems(s, placed(s, [{ id: "etcdv3", root: "/datakit", read_at: "" }]));
    expect(list.map((p) => p.kind)).toEqual([
      "agent",
      "storeStale",
      "keyKept",
      "keyRejected",
      "unitFailed",
      "output",
      "storeHeld",
      "unitMoving",
      "dropped",
    ]);
    expect(new Set(list.map((p) => p.id)).size).toBe(list.length);
    expect(list.find((p) => p.kind === "keyKept")?.href).toBe("/keys?store=etcdv3&key=confd%2Fcpu");
    expect(list.find((p) => p.kind === "unitFailed")?.href).toBe("/units?id=input%2Fcpu");
  });
});

const scriptOf = (origin: string) => ({
  category: "metric",
  name: "cpu.p",
  namespace: "confd",
  origin,
  runs: 0,
  drops: 0,
  errors: 0,
  ns: 0,
  error: "bad",
});

describe("a filter of changes", () => {
  const c = change(1, { steps: [{ verb: "restart", unit: "input/cpu", ns: 1, error: "" }], state: "kept" });
  const all = { text: "", store: "", state: "", unit: "" };

  it.each([
    [all, true],
    [{ ...all, text: "CONFD/cpu" }, true],
    [{ ...all, text: "etcdv3 input/cpu" }, true],
    [{ ...all, text: "consul" }, false],
    [{ ...all, store: "etcdv3", state: "kept", unit: "input/cpu" }, true],
    [{ ...all, store: "etcdv3#2" }, false],
    [{ ...all, state: "applied" }, false],
    [{ ...all, unit: "input/cp" }, false],
  ])("%o fits: %s", (wanted, want) => expect(fits(c, wanted)).toBe(want));
});

describe("small things", () => {
  it("joins two histories without doubles", () => {
    const e = (id: number) => ({ id, time: "", kind: "unit" });
    expect(together([e(1), e(2)], [e(3), e(2)]).map((x) => x.id)).toEqual([3, 2, 1]);
  });

  it("leaves empty parameters out of an address", () =>
    expect(to("/units", { id: "a/b", q: "" })).toBe("/units?id=a%2Fb"));

  it.each([
    [["zh-TW", "en"], "zh"],
    [["fr", "en-US", "zh"], "en"],
    [["fr"], "en"],
    [["zha"], "en"],
  ])("speaks %o as %s", (languages, want) => expect(preferred(languages)).toBe(want));
});
