import { describe, expect, it } from "vitest";
import { en } from "../src/words/en";
import { zh } from "../src/words/zh";

type Tree = { [name: string]: Tree | string | ((...args: string[]) => string) };

// said flattens texts; a function is asked with words of its own.
function said(tree: Tree, at = ""): [string, string][] {
  return Object.entries(tree).flatMap(([name, v]): [string, string][] => {
    const path = at === "" ? name : `${at}.${name}`;
    if (typeof v === "string") return [[path, v]];
    if (typeof v === "function") return [[path, v(...Array(v.length).fill("⟨x⟩"))]];
    return said(v, path);
  });
}

describe("the texts", () => {
  const english = said(en as unknown as Tree);
  const chinese = new Map(said(zh as unknown as Tree));

  it("are there in both languages, none of them empty", () => {
    expect([...chinese.keys()].sort()).toEqual(english.map(([path]) => path).sort());
    for (const [path, text] of [...english, ...chinese]) expect(text.trim(), path).not.toBe("");
  });

  it("use what they are given, in both", () => {
    for (const [path, text] of english) {
      expect(chinese.get(path)?.includes("⟨x⟩"), path).toBe(text.includes("⟨x⟩"));
    }
  });

  it("are Chinese in Chinese, but for the terms that stay", () => {
    const stays = /^(DataKit|Generation|generation|UTC|⟨x⟩)$/;
    const foreign = [...chinese].filter(([, text]) => !/\p{Script=Han}/u.test(text) && !stays.test(text));
    expect(foreign.filter(([path]) => !/(^|\.)of$/.test(path))).toEqual([]);
  });

  it("have no Chinese in English", () => {
    expect(english.filter(([, text]) => /\p{Script=Han}/u.test(text))).toEqual([]);
  });
});
