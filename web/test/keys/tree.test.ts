import { describe, expect, it } from "vitest";
import type { KeyEntry } from "../../src/api/types";
import { keyProblem } from "../../src/pages/keys/starter";
import { filter, grow } from "../../src/pages/keys/tree";

const entry = (key: string, state: KeyEntry["state"] = "applied"): KeyEntry => ({
  key,
  state,
  revision: "1",
  size: 1,
  error: "",
});
const keys = [
  entry("confd/a"),
  entry("confd/host/b", "kept"),
  entry("confd/z", "rejected"),
  entry("cpu"),
  entry("pipeline/metric/a.p"),
];

describe("grow", () => {
  it("makes a folder of what stands before each slash", () => {
    const root = grow(keys);
    expect(root.folders.map((f) => f.path)).toEqual(["confd/", "pipeline/"]);
    expect(root.keys.map((k) => k.name)).toEqual(["cpu"]);
    expect(root.folders[0]?.folders[0]?.keys[0]?.entry.key).toBe("confd/host/b");
    expect(root.folders[0]?.keys.map((k) => k.name)).toEqual(["a", "z"]);
  });

  it("counts what is below, and what is refused of it", () => {
    const root = grow(keys);
    expect([root.total, root.bad]).toEqual([5, 2]);
    expect([root.folders[0]?.total, root.folders[0]?.bad]).toEqual([3, 2]);
    expect([root.folders[1]?.total, root.folders[1]?.bad]).toEqual([1, 0]);
  });

  it("takes keys in any order, and ten thousand of them", () => {
    expect(grow([entry("a/x"), entry("b/x"), entry("a/y")]).folders.map((f) => f.total)).toEqual([2, 1]);
    expect(
      grow(Array.from({ length: 10_000 }, (_, i) => entry(`confd/${i % 100}/${i}`))).folders[0]?.folders
        .length,
    ).toBe(100);
  });
});

describe("filter", () => {
  it("finds each word in the key, or as the state", () => {
    expect(filter(keys, "").length).toBe(5);
    expect(filter(keys, "HOST").map((k) => k.key)).toEqual(["confd/host/b"]);
    expect(filter(keys, "confd kept").map((k) => k.key)).toEqual(["confd/host/b"]);
    expect(filter(keys, "nosuch")).toEqual([]);
  });
});

describe("keyProblem", () => {
  it.each([
    ["confd/cpu", ""],
    ["confd/host/cpu", ""],
    ["cpu", ""],
    ["pipeline/logging/nginx.p", ""],
    ["", "keyEmpty"],
    ["confd/", "keyEmpty"],
    ["other/cpu", "keyFolder"],
    ["confd//cpu", "keyParts"],
    ["confd/../cpu", "keyParts"],
    ["confd/\u0007", "keyParts"],
    ["pipeline/nginx.p", "keyScript"],
    ["pipeline/logging/nginx", "keyScript"],
    ["pipeline/logging/.p", "keyScript"],
  ])("of %j is %j", (key, want) => expect(keyProblem(key, false)).toBe(want));

  it("tells that a key is there already", () => expect(keyProblem("confd/cpu", true)).toBe("keyTaken"));
});
