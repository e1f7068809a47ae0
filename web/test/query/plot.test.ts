import { describe, expect, it } from "vitest";
import type { Series } from "../../src/pages/query/answer";
import { bounds, mostLines, toPlot } from "../../src/pages/query/plot";

const plot = (...series: Series[]) => toPlot({ series, cost: "", raw_query: "" });

describe("toPlot", () => {
  it("draws one line for each group and number, over the times of all", () => {
    const p = plot(
      {
        name: "cpu",
        tags: { host: "a" },
        columns: ["time", "u", "text"],
        values: [
          [3000, 30, "x"],
          [1000, 10, "y"],
        ],
      },
      { name: "cpu", tags: { host: "b" }, columns: ["time", "u", "text"], values: [[2000, 20, "z"]] },
    );
    expect(p?.times).toEqual([1, 2, 3]);
    expect(p?.lines).toEqual([
      { label: "u host=a", values: [10, null, 30] },
      { label: "u host=b", values: [null, 20, null] },
    ]);
    expect(p?.lines.map(bounds)).toEqual([
      [10, 30],
      [20, 20],
    ]);
  });

  it("draws both of two points that a query did not tell apart", () => {
    const p = plot({
      name: "cpu",
      columns: ["time", "u"],
      values: [
        [2000, 3],
        [1000, 1],
        [1000, 2],
      ],
    });
    expect(p?.times).toEqual([1, 1, 2]);
    expect(p?.lines).toEqual([{ label: "u", values: [1, 2, 3] }]);
  });

  it("draws nothing of what is no course of numbers", () => {
    expect(plot()).toBeUndefined();
    expect(plot({ columns: ["name"], values: [["cpu"], ["mem"]] })).toBeUndefined();
    expect(
      plot({
        name: "l",
        columns: ["time", "message"],
        values: [
          [1000, "a"],
          [2000, "b"],
        ],
      }),
    ).toBeUndefined();
    expect(plot({ name: "a", columns: ["time", "u"], values: [[null, 5]] })).toBeUndefined();
    expect(plot({ name: "a", columns: ["time", "u"], values: [[1000, 5]] })).toBeUndefined();
  });

  it("says how many lines it leaves out", () => {
    const many = Array.from({ length: 30 }, (_, i) => ({
      name: "a",
      tags: { n: String(i) },
      columns: ["time", "u"],
      values: [
        [1000, i],
        [2000, i],
      ],
    }));
    expect(plot(...many)).toMatchObject({ more: 30 - mostLines });
  });
});
