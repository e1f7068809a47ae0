import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { expect, it } from "vitest";

const src = join(import.meta.dirname, "../src");

// These are there for every page, and pages may go on from them.
const shared = ["tokens.css", "base.css", "shell.css", "controls.css", "table.css"];

/** classes returns the class that each rule of a style sheet begins with. */
function classes(path: string): Set<string> {
  const rules = readFileSync(path, "utf8").replace(/\/\*[\s\S]*?\*\//g, "");
  return new Set([...rules.matchAll(/^\s*\.([\w-]+)/gm)].map((m) => m[1] ?? ""));
}

const sheets = readdirSync(src, { recursive: true, encoding: "utf8" })
  .filter((f) => f.endsWith(".css"))
  .map((f) => ({ file: basename(f), classes: classes(join(src, f)) }));

// A page's style sheet stays when the next page is shown: one that uses a name of
// another would change how that looks, depending on where one has been.
it("no page takes the class of another", () => {
  const common = new Set(sheets.filter((s) => shared.includes(s.file)).flatMap((s) => [...s.classes]));
  const owner = new Map<string, string>();
  const taken: string[] = [];
  for (const sheet of sheets.filter((s) => !shared.includes(s.file))) {
    for (const name of sheet.classes) {
      if (common.has(name)) continue;
      const other = owner.get(name);
      if (other !== undefined) taken.push(`.${name}: ${other} and ${sheet.file}`);
      owner.set(name, sheet.file);
    }
  }
  expect(taken).toEqual([]);
  expect(owner.size).toBeGreaterThan(30);
});
