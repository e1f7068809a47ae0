import { describe, expect, it } from "vitest";
import { marked, offsetOf } from "../../src/pages/query/mistake";

const at = (line: number, column: number) => ({ line, column, message: "" });

describe("marked", () => {
  it("shows the line with a caret below the place, as wide as what stands before", () => {
    expect(marked("M::a\nB::c", at(2, 3))).toBe("B::c\n  ^");
    expect(marked("\tab", at(1, 3))).toBe("\tab\n\t ^");
    expect(marked("指标::a", at(1, 3))).toBe("指标::a\n　　^");
  });

  it("survives a place that is not there", () => {
    expect(marked("a", at(9, 1))).toBe("\n^");
    expect(marked("x".repeat(5000), at(1, 9))).toHaveLength(1000 + 1 + 9);
  });
});

describe("offsetOf", () => {
  it("counts characters as the agent does, and returns what the browser counts", () => {
    expect(offsetOf("ab\ncd", at(2, 2))).toBe(4);
    expect(offsetOf("😀x", at(1, 2))).toBe(2);
  });
});
