import { describe, expect, it } from "vitest";
import type { DebugPoint, KeyTree, Script } from "../../src/api/types";
import { compare, keysOf, show } from "../../src/pages/scripts/points";
import { cost, rowsOf, winner } from "../../src/pages/scripts/rows";

const script = (name: string, namespace: string, origin: string, state = "active"): Script => ({
  category: "metric",
  name,
  namespace,
  origin,
  state,
  runs: 4,
  drops: 0,
  errors: 0,
  ns: 1000,
  error: "",
});
const tree = (id: string, backend: string, ...keys: string[]): KeyTree => ({
  id,
  backend,
  root: id === "local" ? "" : "/datakit",
  state: "watching",
  writable: id !== "local",
  cut: false,
  keys: keys.map((key) => ({
    key,
    revision: "1",
    size: 1,
    state: "shadowed",
    error: "a store before has it",
  })),
});

describe("rowsOf", () => {
  const trees = [
    tree("etcdv3", "etcdv3", "confd/x", "pipeline/metric/disk.p"),
    tree("redis", "redis", "pipeline/metric/disk.p", "pipeline/metric/bad"),
    tree("local", "local", "pipeline/metric/disk.p"),
  ];
  const rows = rowsOf(
    [
      script("disk.p", "confd", "etcdv3:/datakit/pipeline/metric/disk.p"),
      script("disk.p", "default", "local:pipeline/metric/disk.p", "shadowed"),
      script("gone.p", "remote", "center"),
    ],
    trees,
  );

  it("finds the key of each script, and scripts that only a key knows", () => {
    expect(rows.map((r) => `${r.store} ${r.namespace} ${r.name} ${r.state}`)).toEqual([
      "etcdv3 confd disk.p active",
      "local default disk.p shadowed",
      " remote gone.p active",
      "redis confd disk.p shadowed",
    ]);
  });

  it("tells what wins, and what a run costs", () => {
    const [active, local] = rows;
    expect(local && winner(local, rows)).toBe(active);
    expect(active && winner(active, rows)).toBeUndefined();
    expect(active && cost(active)).toBe(250);
    expect(rows[3] && cost(rows[3])).toBe(0);
  });
});

describe("compare", () => {
  const point = (
    name: string,
    tags: Record<string, string>,
    fields: Record<string, unknown>,
  ): DebugPoint => ({
    name,
    tags,
    fields,
    time: 1,
    time_ns: 0,
  });

  it("tells what is new, gone, changed and the same", () => {
    const cells = compare(
      point("a", { host: "h" }, { n: 1, old: true, text: "1", list: [1] }),
      point("b", { host: "h", zone: "z" }, { n: "1", text: "1", list: [1], none: null }),
    );
    expect(cells.map((c) => `${c.change} ${c.kind} ${c.key} ${c.before}>${c.after}`)).toEqual([
      "changed name  a>b",
      'same tag host "h">"h"',
      'new tag zone >"z"',
      "same field list [1]>[1]",
      'changed field n 1>"1"', // a text is no number
      "new field none >nil",
      "gone field old true>",
      'same field text "1">"1"',
    ]);
  });

  it("takes names that every object has for what they are", () => {
    const cells = compare(point("a", {}, {}), point("a", {}, { constructor: 1, toString: "x" }));
    expect(cells.map((c) => c.change)).toEqual(["new", "new"]);
  });

  it("collects names to be completed", () => {
    expect(keysOf([point("a", { z: "" }, { b: 1 }), point("a", {}, { b: 1, a: 1 })])).toEqual([
      "a",
      "b",
      "z",
    ]);
  });

  it("shows values as a script has them", () => {
    expect([show("a\n"), show(1.5), show(null), show({ a: 1 }), show(false)]).toEqual([
      '"a\\n"',
      "1.5",
      "nil",
      '{"a":1}',
      "false",
    ]);
  });
});
