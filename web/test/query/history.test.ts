import { describe, expect, it } from "vitest";
import { forget, history, remember, type Shelf } from "../../src/pages/query/history";

function shelf(text?: string): Shelf {
  const held = new Map<string, string>(text === undefined ? [] : [["datakit.queries", text]]);
  return {
    getItem: (k) => held.get(k) ?? null,
    setItem: (k, v) => void held.set(k, v),
    removeItem: (k) => void held.delete(k),
  };
}

describe("history", () => {
  it("has the last query first, each once, and at most fifty", () => {
    const s = shelf();
    for (let i = 0; i < 60; i++) remember(s, `q${i}`);
    remember(s, "q30");
    expect(history(s).slice(0, 3)).toEqual(["q30", "q59", "q58"]);
    expect(history(s)).toHaveLength(50);
    forget(s);
    expect(history(s)).toEqual([]);
  });

  it("takes what it did not write for nothing", () => {
    for (const text of ["", "{", "null", '{"a":1}', "5"]) expect(history(shelf(text))).toEqual([]);
    expect(history(shelf('["a", 5, null, "b"]'))).toEqual(["a", "b"]);
  });

  it("goes on where the browser keeps nothing", () => {
    const refusing: Shelf = {
      getItem: () => {
        throw new Error("denied");
      },
      setItem: () => {
        throw new Error("denied");
      },
      removeItem: () => {
        throw new Error("denied");
      },
    };
    expect(remember(refusing, "q")).toEqual(["q"]);
    expect(() => forget(refusing)).not.toThrow();
  });
});
