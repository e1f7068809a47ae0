import { StringStream } from "@codemirror/language";
import { describe, expect, it } from "vitest";
import type { FuncDescription } from "../../src/api/types";
import { scriptParser } from "../../src/editor/script-language";
import { type Names, scriptOptions, spot } from "../../src/editor/script-options";

/** tokens returns the tokens of a script as "kind text", without what has none. */
function tokens(script: string): string[] {
  const state = scriptParser.startState?.(2);
  if (!state) throw new Error("no state");
  const out: string[] = [];
  for (const line of script.split("\n")) {
    const stream = new StringStream(line, 2, 2);
    while (!stream.eol()) {
      stream.start = stream.pos;
      const kind = scriptParser.token(stream, state);
      expect(stream.pos).toBeGreaterThan(stream.start);
      if (kind) out.push(`${kind} ${stream.current()}`);
    }
  }
  return out;
}

describe("tokens", () => {
  it("tell functions, names, keywords and values apart", () => {
    expect(tokens("IF x >= 0x1F { add_key(status, nil) } # why")).toEqual([
      "controlKeyword IF",
      "variableName x",
      "operator >=",
      "number 0x1F",
      "bracket {",
      "variableName.function add_key",
      "bracket (",
      "variableName status",
      "punctuation ,",
      "null nil",
      "bracket )",
      "bracket }",
      "comment # why",
    ]);
  });

  it("show the patterns of grok within a text", () => {
    expect(tokens('grok(_, "%{IP:ip} \\"x")')).toEqual([
      "variableName.function grok",
      "bracket (",
      "variableName.special _",
      "punctuation ,",
      'string "',
      "string.special %{IP:ip}",
      "string  ",
      'escape \\"',
      'string x"',
      "bracket )",
    ]);
  });

  it("go on over the lines of a raw text, and end a plain one with its line", () => {
    expect(tokens('a = """x\n" if\n"""\nb')).toEqual([
      "variableName a",
      "operator =",
      'string """',
      "string x",
      'string " if',
      'string """',
      "variableName b",
    ]);
    expect(tokens('a = "x\nif')).toEqual([
      "variableName a",
      "operator =",
      'string "',
      "string x",
      "controlKeyword if",
    ]);
    expect(tokens('"\nif')).toEqual(['string "', "controlKeyword if"]);
  });

  it("know names in backticks and of other letters, reserved words, and what is nothing", () => {
    expect(tokens("`a b` 名字 while 1.5e3 ?")).toEqual([
      "variableName.special `a b`",
      "variableName 名字",
      "invalid while",
      "number 1.5e3",
      "invalid ?",
    ]);
  });

  it("indent by the brackets that are open", () => {
    const state = { quotes: "", depth: 2 };
    expect(scriptParser.indent?.(state, "x", { unit: 2 })).toBe(4);
    expect(scriptParser.indent?.(state, "}", { unit: 2 })).toBe(2);
    expect(scriptParser.indent?.({ quotes: '"""', depth: 2 }, "x", { unit: 2 })).toBeNull();
    expect(scriptParser.indent?.({ quotes: "", depth: 0 }, "}", { unit: 2 })).toBe(0);
  });
});

const grok: FuncDescription = {
  name: "grok",
  signature: "grok(key, pattern, [trim])",
  result: "bool",
  params: [{ name: "key", types: "any" }],
  doc: "Splits a text.",
  doc_zh: "拆分文本。",
  examples: ["grok(_, x)\n"],
};
const drop: FuncDescription = { ...grok, name: "drop", signature: "drop()", params: [], examples: [] };
const names: Names = {
  functions: [grok, drop],
  patterns: ["IP", "WORD"],
  keys: ["client_ip", "a b"],
  scripts: ["other.p"],
};

function offered(text: string) {
  const cursor = text.indexOf("|");
  const whole = text.slice(0, cursor) + text.slice(cursor + 1);
  return scriptOptions(spot(whole, cursor), whole, names, "en");
}

describe("options", () => {
  it("offer functions, keywords, own names, and the keys of the points", () => {
    const found = offered("total = 1\nfor x in [1] {\n  t|\n}").map((o) => o.label);
    expect(found).toEqual(expect.arrayContaining(["grok", "drop", "if", "total", "x", "client_ip"]));
    expect(found).not.toContain("a b"); // no name in a script
    expect(offered("g|").find((o) => o.label === "grok")).toMatchObject({
      insert: "grok()",
      back: 1,
      detail: "(key, pattern, [trim])",
      info: ["grok(key, pattern, [trim]) → bool", "Splits a text.", "grok(_, x)"],
    });
    expect(offered("d|").find((o) => o.label === "drop")).toMatchObject({ insert: "drop()", back: 0 });
  });

  it("offer patterns within a text, and scripts to be used", () => {
    expect(offered('grok(_, "%{IP:a} %{W|').map((o) => o.label)).toEqual(["IP", "WORD"]);
    expect(offered('grok(_, "%{W|').at(-1)).toMatchObject({ insert: "WORD:}", back: 1 });
    expect(offered('use("|").').map((o) => o.label)).toEqual(["other.p"]);
  });

  it.each(['"te|xt"', "# com|ment", "12|", "'''\n%{x} y|"])("offer nothing in %j", (text) =>
    expect(offered(text)).toEqual([]),
  );

  it("are those of a name again behind a text and a comment", () => {
    for (const text of ['a = "x"\ng|', '"\ng|', "# %{\ng|", "'\\'' g|"])
      expect(offered(text).length).toBeGreaterThan(0);
  });
});
