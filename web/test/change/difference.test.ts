import { describe, expect, it } from "vitest";
import { difference, type Row, unified } from "../../src/change/difference";
import { rowsOf } from "../../src/ui/difftext";

const signs = { same: " ", gone: "-", new: "+" };
const shown = (rows: readonly Row[]) => rows.map((r) => signs[r.kind] + r.text).join("\n");

describe("difference", () => {
  it("keeps what is equal and numbers both sides", () => {
    const rows = difference("a\nb\nc\nd\n", "a\nx\nc\nd\ne\n");
    expect(shown(rows)).toBe(" a\n-b\n+x\n c\n d\n+e");
    expect(rows.at(-1)).toEqual({ kind: "new", text: "e", after: 5 });
    expect(rows[3]).toEqual({ kind: "same", text: "c", before: 3, after: 3 });
  });

  it.each([
    ["", "", ""],
    ["", "a\n", "+a"],
    ["a\n", "", "-a"],
    ["a", "a\n", " a"],
    ["a\n\n", "a\n", " a\n-"],
  ])("of %j and %j", (a, b, want) => expect(shown(difference(a, b))).toBe(want));

  // Whatever the texts: one side is what is not new, the other what is not gone.
  it("has both texts in it", () => {
    let seed = 3;
    const next = (n: number) => {
      seed = (seed * 1103515245 + 12345) % 2147483648;
      return seed % n;
    };
    for (let n = 0; n < 300; n++) {
      const text = () => Array.from({ length: next(12) }, () => `${next(4)}\n`).join("");
      const [a, b] = [text(), text()];
      const rows = difference(a, b);
      const side = (kind: Row["kind"]) =>
        rows
          .filter((r) => r.kind !== kind)
          .map((r) => `${r.text}\n`)
          .join("");
      expect(side("new")).toBe(a);
      expect(side("gone")).toBe(b);
      expect(rows.flatMap((r) => r.before ?? [])).toEqual(
        [...Array(side("new").split("\n").length - 1).keys()].map((i) => i + 1),
      );
      expect(rows.flatMap((r) => r.after ?? [])).toEqual(
        [...Array(side("gone").split("\n").length - 1).keys()].map((i) => i + 1),
      );
    }
  });

  it("takes texts that are too long to compare as written anew", () => {
    const lines = (c: string) => Array.from({ length: 3000 }, (_, i) => `${c}${i}`).join("\n");
    const rows = difference(lines("a"), lines("b"));
    expect(rows.length).toBe(6000);
    expect(rows[0]?.kind).toBe("gone");
    expect(rows[5999]?.kind).toBe("new");
  });
});

describe("unified", () => {
  const text = Array.from({ length: 20 }, (_, i) => `l${i}\n`).join("");

  it("leaves out what is far from a change", () => {
    expect(unified(text, text.replace("l10\n", "x\ny\n"))).toBe(
      "@@ -8,7 +8,8 @@\n l7\n l8\n l9\n-l10\n+x\n+y\n l11\n l12\n l13\n",
    );
    expect(unified(text, `0\n${text}1\n`)).toBe(
      "@@ -1,3 +1,4 @@\n+0\n l0\n l1\n l2\n@@ -18,3 +19,4 @@\n l17\n l18\n l19\n+1\n",
    );
  });

  it("is empty of equal texts", () => expect(unified(text, text)).toBe(""));

  it("counts from nothing", () => {
    expect(unified("", "a\n")).toBe("@@ -0,0 +1,1 @@\n+a\n");
    expect(unified("a\n", "")).toBe("@@ -1,1 +0,0 @@\n-a\n");
  });

  it("is read again by those who show it", () => {
    const rows = rowsOf(unified(text, text.replace("l10\n", "x\n")));
    expect(rows.filter((r) => r.kind !== "same" && r.kind !== "gap").length).toBeGreaterThan(0);
  });
});
