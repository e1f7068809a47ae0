import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, describe, expect, it, vi } from "vitest";
import { first, linesOf, numeric, query } from "../src/pages/units/points";
import { language } from "../src/state/preferences";
import { Diff } from "../src/ui/diff";
import { Sparkline, scaleOf } from "../src/ui/sparkline";
import { type Column, sorted, Table } from "../src/ui/table";

let root = document.createElement("div");
const show = (tree: preact.ComponentChild) => {
  root = document.createElement("div");
  document.body.append(root);
  act(() => render(tree, root));
  return root;
};
afterEach(() => {
  render(null, root);
  root.remove();
  language.value = "en";
});

interface Row {
  id: string;
  n: number;
  why: string;
}
const rows: Row[] = [
  { id: "b10", n: 2, why: "" },
  { id: "b9", n: 10, why: "" },
  { id: "a", n: 2, why: "" },
];
const columns: Column<Row>[] = [
  { id: "id", head: "Name", name: true, sort: (r) => r.id, cell: (r) => r.id },
  { id: "n", head: "Count", right: true, sort: (r) => r.n, cell: (r) => r.n },
  { id: "why", head: "Why", optional: (r) => r.why === "", cell: (r) => r.why },
];

describe("a table", () => {
  it("sorts names as people count, figures as figures, and leaves equals as they were", () => {
    expect(sorted(rows, columns, "id").map((r) => r.id)).toEqual(["a", "b9", "b10"]);
    expect(sorted(rows, columns, "-n").map((r) => r.id)).toEqual(["b9", "b10", "a"]);
    expect(sorted(rows, columns, "nosuch").map((r) => r.id)).toEqual(["b10", "b9", "a"]);
  });

  it("is a table to who listens, with its order, and without a column that says nothing", () => {
    const onOrder = vi.fn();
    const t = show(
      <Table
        label="Things"
        rows={rows}
        columns={columns}
        id={(r) => r.id}
        order="id"
        onOrder={onOrder}
        empty="none"
      />,
    );
    expect([...t.querySelectorAll("thead th")].map((h) => h.textContent)).toEqual(["Name▲", "Count"]);
    expect(t.querySelector("thead th")?.getAttribute("aria-sort")).toBe("ascending");
    expect(t.querySelector("tbody th")?.getAttribute("scope")).toBe("row");
    expect(t.querySelector("tbody td")?.getAttribute("data-label")).toBe("Count");
    t.querySelector<HTMLButtonElement>("thead button")?.click();
    expect(onOrder).toHaveBeenCalledWith("-id");
  });

  it("shows ten thousand rows a part at a time", () => {
    const many = Array.from({ length: 10_000 }, (_, i) => ({ id: `u${i}`, n: i, why: "" }));
    const t = show(<Table label="Many" rows={many} columns={columns} id={(r) => r.id} empty="none" />);
    expect(t.querySelectorAll("tbody tr")).toHaveLength(100);
    act(() => t.querySelector<HTMLButtonElement>("button.more")?.click());
    expect(t.querySelectorAll("tbody tr")).toHaveLength(600);
  });

  it("says what to do where it is empty", () => {
    expect(
      show(<Table label="None" rows={[]} columns={columns} id={String} empty="Put a key" />).textContent,
    ).toBe("Put a key");
  });
});

describe("untrusted text", () => {
  it("stays text in a difference", () => {
    const t = show(<Diff text={'@@ -0,0 +1,1 @@\n+<img src=x onerror="alert(1)">\n'} label="d" />);
    expect(t.querySelector("img")).toBeNull();
    expect(t.textContent).toContain('<img src=x onerror="alert(1)">');
  });
});

describe("a line", () => {
  it("fits its drawing, flat or not", () => {
    const flat = scaleOf(
      [
        {
          name: "a",
          points: [
            [0, 5],
            [10, 5],
          ],
        },
      ],
      100,
    );
    expect(
      flat?.path({
        name: "a",
        points: [
          [0, 5],
          [10, 5],
        ],
      }),
    ).toBe("M0 50L600 50");
    const steep = scaleOf(
      [
        {
          name: "a",
          points: [
            [0, 0],
            [10, 1],
          ],
        },
      ],
      100,
    );
    expect(
      steep?.path({
        name: "a",
        points: [
          [0, 0],
          [10, 1],
        ],
      }),
    ).toBe("M0 97L600 3");
    expect(scaleOf([{ name: "a", points: [] }], 100)).toBeUndefined();
  });

  it("is said in words too", () => {
    const t = show(
      <Sparkline
        label="used"
        series={[
          {
            name: "vm",
            points: [
              [0, 1],
              [10, 3],
              [20, 2],
            ],
          },
        ]}
      />,
    );
    expect(t.querySelector("[role=img]")?.getAttribute("aria-label")).toBe(
      "used: vm 2  (lowest 1, highest 3)",
    );
  });
});

describe("points of a unit", () => {
  it("are asked for by names of any kind", () => {
    expect(query("cpu", "usage_total", "host")).toBe(
      "M::`cpu`:(avg(`usage_total`) AS `usage_total`) [10m::10s] BY `host`",
    );
    expect(query("a`b", "f", "")).toContain("M::identifier('a`b'):");
  });

  it("give lines without what is missing, oldest first", () => {
    const series = [
      {
        columns: ["time", "u"],
        tags: { host: "a" },
        values: [
          [20, 2],
          [10, null],
          [0, 1],
        ],
      },
    ];
    expect(linesOf({ cost: "", raw_query: "", series }, "u")).toEqual({
      series: [
        {
          name: "a",
          points: [
            [0, 1],
            [20, 2],
          ],
        },
      ],
      more: 0,
    });
    const many = Array.from({ length: 9 }, (_, i) => ({
      columns: [],
      tags: { n: `${i}` },
      values: [[0, i]],
    }));
    expect(linesOf({ cost: "", raw_query: "", series: many }, "u").more).toBe(3);
  });

  it("draw numbers, and first what says the most", () => {
    const r = {
      cost: "",
      raw_query: "",
      series: [
        {
          columns: ["fieldKey", "fieldType"],
          values: [
            ["a", "string"],
            ["b", "float"],
            ["c", "integer"],
          ],
        },
      ],
    };
    expect(numeric(r)).toEqual(["b", "c"]);
    expect(first(["load5s", "usage_idle", "usage_total"])).toBe("usage_total");
    expect(first(["x", "y"])).toBe("x");
  });
});
