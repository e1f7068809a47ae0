import { describe, expect, it } from "vitest";
import { lineOf, marks, offset } from "../../src/editor/position";

const text = '[[inputs.cpu]]\n  name = "好😀x" # end\n\nlast';

describe("offset", () => {
  it.each([
    [1, 1, 0],
    [2, 3, 17],
    [2, 11, 25], // 好
    [2, 12, 26], // 😀, which is two units
    [2, 13, 28],
    [2, 999, 36],
    [4, 1, 38],
    [99, 1, text.length],
    [0, 0, 0],
  ])("finds %d:%d at %d", (line, column, want) => expect(offset(text, line, column)).toBe(want));

  it("is what lineOf goes back from", () => {
    for (const line of [1, 2, 3, 4]) expect(lineOf(text, offset(text, line, 1))).toBe(line);
  });
});

describe("marks", () => {
  const of = (line: number, column: number) => {
    const [m] = marks(text, [{ line, column, message: "m" }]);
    return m && text.slice(m.from, m.to);
  };

  it("underlines the word, the text or the sign of a place", () => {
    expect(of(2, 3)).toBe("name");
    expect(of(2, 10)).toBe('"好😀x"');
    expect(of(2, 8)).toBe("=");
    expect(of(1, 1)).toBe("[");
  });

  it("underlines what stands before where a line ends", () => expect(of(4, 5)).toBe("t"));

  it("underlines the first line where there is no place", () => expect(of(0, 0)).toBe("[[inputs.cpu]]"));

  it("stays within the text, whatever the place", () => {
    for (const [line, column] of [
      [3, 1],
      [9, 9],
      [-1, -1],
    ] as const) {
      const [m] = marks("", [{ line, column, message: "m" }]);
      expect(m).toEqual({ from: 0, to: 0, message: "m" });
    }
    const [m] = marks(text, [{ line: 3, column: 1, message: "m" }]);
    expect(m && m.from <= m.to && m.to <= text.length).toBe(true);
  });
});
