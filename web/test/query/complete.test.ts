import { describe, expect, it } from "vitest";
import { asking, type Choice, fitting, put, spotAt } from "../../src/pages/query/complete";

/** at reads a text in which | is the caret. */
function at(text: string) {
  const caret = text.indexOf("|");
  return spotAt(text.replace("|", ""), caret);
}

describe("spotAt", () => {
  it("expects a source at the beginning, behind the namespace, and behind a comma", () => {
    for (const text of ["|", "M::|", "M::cp|", " m :: cp|", "M::cpu,m|", "M::`cp|"])
      expect(at(text), text).toMatchObject({ expects: "source", namespace: "M" });
    expect(at("L::ng|")).toMatchObject({ expects: "source", namespace: "L", prefix: "ng", from: 3 });
    expect(at("M::`nvidia s|")).toMatchObject({ prefix: "nvidia s", from: 3, quoted: true });
  });

  it("expects names within brackets and behind BY, and words elsewhere", () => {
    expect(at("M::cpu:(us|")).toMatchObject({
      expects: "name",
      sources: ["cpu"],
      tagsOnly: false,
      prefix: "us",
    });
    expect(at("M::`a b`,mem:(avg(|")).toMatchObject({ expects: "name", sources: ["a b", "mem"] });
    expect(at("M::cpu:(u) { ho|")).toMatchObject({ expects: "name", sources: ["cpu"] });
    expect(at("M::cpu:(u) BY ho|")).toMatchObject({ expects: "name", tagsOnly: true });
    expect(at("M::cpu:(u) BY host, c|")).toMatchObject({ expects: "name", tagsOnly: true });
    expect(at("M::cpu:(u) ORDER BY u|")).toMatchObject({ expects: "name", tagsOnly: false });
    expect(at("M::cpu:(u) li|")).toMatchObject({ expects: "word", prefix: "li" });
  });

  it("leaves texts alone", () => {
    expect(at("M::cpu:(u) { host = 'a|")).toBeUndefined();
    expect(at('M::cpu:(u) { host = "a|')).toBeUndefined();
    expect(at("M::cpu # it's\n:(u|")).toMatchObject({ expects: "name" });
  });
});

describe("asking", () => {
  it("asks for what fits alone", () => {
    const ask = (text: string) => asking(at(text) ?? expect.fail("no spot"));
    expect(ask("M::|")).toEqual(["show_measurement()"]);
    expect(ask("L::|")).toEqual(["show_logging_source()"]);
    expect(ask("M::cpu,mem:(|")).toEqual([
      "show_field_key(from=['cpu', 'mem'])",
      "show_tag_key(from=['cpu', 'mem'])",
    ]);
    expect(ask("M::cpu BY |")).toEqual(["show_tag_key(from=['cpu'])"]);
    expect(ask("L::nginx:(|")).toEqual(["show_logging_field('nginx')"]);
    expect(ask("X::|")).toEqual([]);
    expect(ask("M::cpu |")).toEqual([]);
  });
});

describe("put", () => {
  const choose = (text: string, choice: Choice) => {
    const caret = text.indexOf("|");
    const plain = text.replace("|", "");
    const spot = spotAt(plain, caret) ?? expect.fail("no spot");
    const r = put(plain, caret, spot, choice);
    return `${r.text.slice(0, r.caret)}|${r.text.slice(r.caret)}`;
  };

  it("replaces what was begun", () => {
    expect(choose("M::cp|:(u)", { text: "cpu", kind: "measurement" })).toBe("M::cpu|:(u)");
    expect(choose("M::cpu:(av|)", { text: "avg(", kind: "function" })).toBe("M::cpu:(avg(|)");
  });

  it("writes a name in backticks where it has to be", () => {
    expect(choose("M::`nv|`:(u)", { text: "nvidia_smi", kind: "measurement" })).toBe("M::`nvidia_smi`|:(u)");
    expect(choose("M::a|", { text: "a-b", kind: "measurement" })).toBe("M::`a-b`|");
    expect(choose("M::a|", { text: "a`'b", kind: "measurement" })).toBe("M::identifier('a`\\'b')|");
  });
});

describe("fitting", () => {
  it("offers what begins so, each once, and not what is there already", () => {
    const known: Choice[] = [
      { text: "usage_idle", kind: "field" },
      { text: "usage_idle", kind: "tag" },
      { text: "host", kind: "tag" },
    ];
    const texts = (text: string) => fitting(at(text) ?? expect.fail("no spot"), known).map((c) => c.text);
    expect(texts("M::cpu:(us|")).toEqual(["usage_idle"]);
    expect(texts("M::cpu:(host|")).toEqual([]);
    expect(texts("M::cpu:(a|")).toEqual(["avg(", "abs("]);
    expect(texts("M::cpu:(u) l|")).toEqual(["LIMIT "]);
    expect(texts("M::cpu:(u) BY |")).toEqual(["usage_idle", "host"]);
    expect(texts("sho|")).toContain("show_measurement()");
  });
});
