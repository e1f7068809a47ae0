import { describe, expect, it } from "vitest";
import { parted, rowsOf } from "../src/ui/difftext";

const flat = (unified: string) =>
  rowsOf(unified).map((r) => [
    r.kind,
    r.left && `${r.left.n}:${r.left.text}`,
    r.right && `${r.right.n}:${r.right.text}`,
  ]);

describe("a difference side by side", () => {
  it("puts a changed line beside what it became", () => {
    expect(flat('@@ -1,2 +1,2 @@\n [[inputs.mem]]\n-  interval = "10s"\n+  interval = "5s"\n')).toEqual([
      ["same", "1:[[inputs.mem]]", "1:[[inputs.mem]]"],
      ["change", '2:  interval = "10s"', '2:  interval = "5s"'],
    ]);
  });

  it("shows a new key and a removed one on one side alone", () => {
    expect(flat("@@ -0,0 +1,2 @@\n+a\n+b\n")).toEqual([
      ["add", undefined, "1:a"],
      ["add", undefined, "2:b"],
    ]);
    expect(flat("@@ -1,1 +0,0 @@\n-a\n")).toEqual([["remove", "1:a", undefined]]);
  });

  it("keeps both counts where one side is longer", () => {
    expect(flat("@@ -1,3 +1,4 @@\n-a\n+x\n+y\n b\n c\n")).toEqual([
      ["change", "1:a", "1:x"],
      ["add", undefined, "2:y"],
      ["same", "2:b", "3:b"],
      ["same", "3:c", "4:c"],
    ]);
  });

  it("says how many lines two hunks leave out", () => {
    const rows = rowsOf("@@ -1,1 +1,1 @@\n-a\n+b\n@@ -10,1 +10,1 @@\n-c\n+d\n");
    expect(rows.map((r) => r.kind)).toEqual(["change", "gap", "change"]);
    expect(rows[1]?.skipped).toBe(8);
    expect(rows[2]?.left?.n).toBe(10);
  });

  it("loses no line of a value that looks like a difference", () => {
    expect(flat("@@ -1,1 +1,2 @@\n --- a\n++@@ -1 +1 @@\n")).toEqual([
      ["same", "1:--- a", "1:--- a"],
      ["add", undefined, "2:+@@ -1 +1 @@"],
    ]);
    expect(rowsOf("")).toHaveLength(1);
  });

  it("marks what differs between two lines, and nothing of their ends", () => {
    expect(parted('interval = "10s"', 'interval = "5s"')).toEqual({
      head: 'interval = "',
      a: "10",
      b: "5",
      tail: 's"',
    });
    expect(parted("aa", "aaa")).toEqual({ head: "aa", a: "", b: "a", tail: "" });
    expect(parted("键一", "键二")).toEqual({ head: "键", a: "一", b: "二", tail: "" });
    expect(parted("", "x")).toEqual({ head: "", a: "", b: "x", tail: "" });
  });
});
