import { describe, expect, it } from "vitest";
import {
  costText,
  isNumeric,
  limitReached,
  type Result,
  timeText,
  toCSV,
  toTable,
} from "../../src/pages/query/answer";

const result = (series: Result["series"], raw_query = "M::cpu"): Result => ({
  series,
  cost: "1ms",
  raw_query,
});

describe("toTable", () => {
  it("lays groups below each other, with their tags before the values", () => {
    const t = toTable(
      result([
        {
          name: "cpu",
          tags: { host: "a" },
          columns: ["time", "u"],
          values: [
            [2, 1.5],
            [1, null],
          ],
        },
        { name: "cpu", tags: { host: "b" }, columns: ["time", "v"], values: [[3, true]] },
      ]),
    );
    expect(t.columns.map((c) => `${c.kind} ${c.name}`)).toEqual([
      "time time",
      "tag host",
      "value u",
      "value v",
    ]);
    expect(t.rows).toEqual([
      [2, "a", 1.5, null],
      [1, "a", null, null],
      [3, "b", null, true],
    ]);
  });

  it("names the measurement where there are several, and leaves out a time that nothing has", () => {
    const t = toTable(
      result([
        { name: "cpu", columns: ["time", "max(u)"], values: [[null, 1]] },
        { name: "mem", columns: ["time", "max(u)"], values: [[null, 2]] },
      ]),
    );
    expect(t.columns.map((c) => c.name)).toEqual(["measurement", "max(u)"]);
    expect(t.rows).toEqual([
      ["cpu", 1],
      ["mem", 2],
    ]);
  });

  it("takes an answer without rows, and a tag that is called as a field is", () => {
    expect(toTable(result([]))).toEqual({ columns: [], rows: [] });
    const t = toTable(result([{ name: "a", tags: { u: "x" }, columns: ["u"], values: [["y"]] }]));
    expect(t.rows).toEqual([["x", "y"]]);
  });
});

describe("isNumeric", () => {
  it("takes a column of numbers alone, whatever is missing in it", () => {
    const table = toTable(
      result([
        {
          name: "a",
          columns: ["v", "s", "n"],
          values: [
            [10, "b", null],
            [null, 5, null],
          ],
        },
      ]),
    );
    expect([0, 1, 2].map((i) => isNumeric(table, i))).toEqual([true, false, false]);
  });
});

describe("toCSV", () => {
  it("quotes what would break a line, and writes times that other programs read", () => {
    const t = toTable(
      result([
        {
          name: "l",
          columns: ["time", "m,x"],
          values: [
            [1700000000000, 'a "b"\nc'],
            [1700000001500, null],
          ],
        },
      ]),
    );
    expect(toCSV(t)).toBe(
      'time,"m,x"\r\n2023-11-14T22:13:20.000Z,"a ""b""\nc"\r\n2023-11-14T22:13:21.500Z,\r\n',
    );
  });

  it("survives a time that no calendar has", () => {
    const t = toTable(result([{ name: "l", columns: ["time"], values: [[9e18]] }]));
    expect(toCSV(t)).toBe("time\r\n9000000000000000000\r\n");
    expect(timeText(9e18)).toBe("9000000000000000000");
    expect(timeText(1700000000001)).toBe("2023-11-14 22:13:20.001");
  });
});

describe("limitReached", () => {
  const rows = (n: number) => [
    { name: "a", columns: ["v"], values: Array.from({ length: n }, (_, i) => [i]) },
  ];
  it("says that there may be more where a group is full", () => {
    expect(limitReached(result(rows(20), "M::a limit 20"))).toBe(20);
    expect(limitReached(result(rows(19), "M::a limit 20"))).toBe(0);
    expect(limitReached(result(rows(1000)))).toBe(1000);
    expect(limitReached(result(rows(1), "M::a LIMIT 1"))).toBe(0);
  });
});

describe("costText", () => {
  it("is short", () => {
    expect(costText("187.986µs")).toBe("188 µs");
    expect(costText("1.5ms")).toBe("1.5 ms");
    expect(costText("1m2.5s")).toBe("1m2.5s");
  });
});
