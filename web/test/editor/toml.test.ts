import { describe, expect, it } from "vitest";
import { fieldsOf, inputOf, parts, place, scan } from "../../src/editor/toml-context";
import { explainAt, options } from "../../src/editor/toml-options";
import { fieldWords, inputs } from "./inputs";

/** at returns the place of the | in a text. */
function at(text: string) {
  const cursor = text.indexOf("|");
  return place(text.slice(0, cursor) + text.slice(cursor + 1), cursor);
}

const labels = (text: string) => options(at(text), inputs, fieldWords, "en").map((o) => o.label);
const option = (text: string, label: string) =>
  options(at(text), inputs, fieldWords, "en").find((o) => o.label === label);

describe("place", () => {
  it.each([
    ["[[inp|", "header"],
    ["  [inputs.cpu.|", "header"],
    ["|", "key"],
    ["[[inputs.cpu]]\n  per|", "key"],
    ["[[inputs.cpu]]\n  percpu = |", "value"],
    ["[[inputs.cpu]]\n  percpu = t|", "value"],
    ['a = "x" # |', "nothing"],
    ["# [|", "nothing"],
    ['a = """\n[[inputs.|\n"""', "nothing"],
    ["a = '''\n  x = |", "nothing"],
    ["[[inputs.cpu]] |", "nothing"],
  ])("of %j is %s", (text, want) => expect(at(text).at).toBe(want));

  it("knows the table and what it has already", () => {
    const p = at('[[inputs.prom]]\n  url = "x"\n  |\n  method = "GET"\n  [inputs.prom.tls]\n    ca = ""\n');
    expect(p).toMatchObject({ at: "key", table: ["inputs", "prom"] });
    expect(p.at === "key" && [...p.used].sort()).toEqual(["method", "url"]);
  });

  it("is not led astray by what looks like a header in a text or a list", () => {
    const text = '[[inputs.prom]]\n  url = """\n[[inputs.cpu]]\n"""\n  only = [\n    "x", # ]\n  ]\n  |';
    expect(at(text)).toMatchObject({ at: "key", table: ["inputs", "prom"] });
  });

  it("sees the list that is open over several lines", () => {
    expect(at('[[inputs.prom]]\n  only = [\n    "counter",\n    "g|')).toMatchObject({
      at: "value",
      key: "only",
      quote: '"',
      items: true,
    });
  });

  it("begins at the quote that is open", () => {
    const p = at('[[inputs.prom]]\n  method = "G|');
    expect(p).toMatchObject({ at: "value", key: "method", quote: '"', from: 27 });
  });

  it("takes any text at any place without end or error", () => {
    const signs = ["[", "]", '"', "'", '"""', "=", "#", "\n", "a", "\\", "{", " ", "😀", "."];
    let seed = 7;
    const next = () => {
      seed = (seed * 1103515245 + 12345) % 2147483648;
      return seed;
    };
    for (let n = 0; n < 500; n++) {
      const text = Array.from({ length: 25 }, () => signs[next() % signs.length]).join("");
      for (let i = 0; i <= text.length; i++) {
        const p = place(text, i);
        if (p.at !== "nothing") expect(p.from).toBeLessThanOrEqual(i);
      }
    }
  });
});

describe("scan", () => {
  it("tells what a value leaves open", () => {
    expect(scan('["a", "b"', "", 0)).toMatchObject({ depth: 1, open: "", quotes: "" });
    expect(scan('"a\\"b', "", 0)).toMatchObject({ open: '"', from: 0 });
    expect(scan('x """ y', '"""', 0)).toMatchObject({ quotes: "" });
    expect(scan("1 # [", "", 0)).toMatchObject({ depth: 0, open: "#" });
  });
});

describe("tables", () => {
  it("go by the name of an input or its alias", () => {
    expect(inputOf(inputs, ["inputs", "prometheus"])?.name).toBe("prom");
    expect(inputOf(inputs, ["inputs", "nosuch"])).toBeUndefined();
    expect(inputOf(inputs, ["confds"])).toBeUndefined();
    expect(fieldsOf(inputs, ["inputs", "prom", "tls"]).map((f) => f.name)).toEqual(["ca", "insecure"]);
    expect(fieldsOf(inputs, ["inputs", "prom", "nosuch"])).toEqual([]);
    expect(parts("inputs.\"prom\".'a.b'")).toEqual(["inputs", "prom", "a.b"]);
  });
});

describe("options", () => {
  it("offer the inputs where a table begins", () => {
    expect(labels("[[|")).toEqual(["[[inputs.cpu]]", "[[inputs.prom]]"]);
    expect(option("[[|", "[[inputs.prom]]")?.insert).toBe(
      '[[inputs.prom]]\n  url = "http://localhost:9100/metrics"\n',
    );
    expect(option("|", "[[inputs.cpu]]")?.info).toEqual(["The processor.", "once"]);
  });

  it("offer the fields that are not there yet, the required first", () => {
    const found = labels('[[inputs.prom]]\n  method = "GET"\n  |');
    expect(found.slice(0, 5)).toEqual(["url", "only", "password", "tls", "rules"]);
    expect(option("[[inputs.prom]]\n|", "url")).toMatchObject({ insert: 'url = ""', back: 1, boost: 50 });
    expect(option("[[inputs.cpu]]\n|", "interval")?.insert).toBe('interval = "10s"');
    expect(option("[[inputs.prom]]\n|", "tls")?.insert).toBe("[inputs.prom.tls]\n  ");
    expect(option("[[inputs.prom]]\n|", "rules")?.insert).toBe("[[inputs.prom.rules]]\n  ");
    expect(labels("[[inputs.prom]]\n[inputs.prom.tls]\n|").slice(0, 2)).toEqual(["ca", "insecure"]);
  });

  it("offer what is allowed as a value, the default, and the example", () => {
    expect(labels("[[inputs.prom]]\n  method = |")).toEqual(['"GET"', '"POST"']);
    expect(labels('[[inputs.prom]]\n  method = "P|')).toEqual(['"GET"', '"POST"']);
    expect(labels("[[inputs.cpu]]\n  percpu = |")).toEqual(["true", "false"]);
    expect(labels("[[inputs.cpu]]\n  interval = |")).toEqual(['"10s"']);
    expect(labels("[[inputs.prom]]\n  url = |")).toEqual(['"http://localhost:9100/metrics"']);
    expect(labels('[[inputs.prom]]\n  only = ["|')).toEqual(['"counter"', '"gauge"']);
    expect(labels("[[inputs.prom]]\n  nosuch = |")).toEqual([]);
  });

  it("explain in the language of the page", () => {
    expect(explainAt(at("[[inputs.cpu]]\n  interval|"), "interval", inputs, fieldWords, "en")).toEqual([
      "About interval.",
      'duration · default "10s" · "1s" to … · live',
    ]);
    expect(explainAt(at("[[inputs.prom]]\n  method = |"), "GET", inputs, fieldWords, "zh")?.[0]).toBe(
      "关于 method。",
    );
    expect(explainAt(at("[[inputs.cpu|"), "inputs.cpu", inputs, fieldWords, "zh")?.[0]).toBe("处理器。");
    expect(explainAt(at("[[inputs.cpu]]\n  nosuch|"), "nosuch", inputs, fieldWords, "en")).toBeUndefined();
  });
});
