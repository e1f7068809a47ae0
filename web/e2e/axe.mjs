// What axe, the accessibility checker, says of a page.
import { readFile } from "node:fs/promises";
import { step } from "./stage.mjs";

const axe = await readFile(new URL("../node_modules/axe-core/axe.min.js", import.meta.url), "utf8");
const everything = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
// The dark page is the same page in other colours.
const colours = ["color-contrast", "link-in-text-block"];

/** run has axe look at the page, and returns what is wrong with it. */
async function run(runOnly) {
  const { violations, passes } = await globalThis.axe.run(document, { runOnly, resultTypes: ["violations"] });
  if (passes.length === 0) throw new Error("axe has looked at nothing");
  return violations.map((v) => {
    const nodes = v.nodes
      .slice(0, 3)
      .map((n) => `${n.html.slice(0, 200)} (${n.any.map((a) => a.message).join("; ")})`);
    return `${v.id}: ${v.help}\n    ${nodes.join("\n    ")}`;
  });
}

/** examine returns what axe finds on the page as it is now, light and dark. */
export async function examine(page, what) {
  step(`axe: ${what}`);
  const found = [];
  await page.evaluate(axe);
  for (const [colorScheme, rules] of [
    ["light", everything],
    ["dark", colours],
  ]) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    for (const v of await page.evaluate(run, rules)) found.push(`${what}, ${colorScheme}: ${v}`);
  }
  await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
  return found;
}
