// axe finds nothing on any page, light or dark, narrow or wide, with a window open.
import { readFile } from "node:fs/promises";
import { chosen, open, pages } from "./pages.mjs";
import { scenario, seen, step, write } from "./stage.mjs";

const axe = await readFile(new URL("../node_modules/axe-core/axe.min.js", import.meta.url), "utf8");
const found = [];

/** examine adds what axe finds on the page as it is now. */
async function examine(page, what) {
  step(what);
  await page.evaluate(axe);
  const violations = await page.evaluate(async () => {
    const options = {
      runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
      resultTypes: ["violations"],
    };
    const { violations, passes } = await globalThis.axe.run(document, options);
    if (passes.length < 10) throw new Error(`axe looked at only ${passes.length} rules`);
    return violations.map((v) => ({
      id: v.id,
      help: v.help,
      nodes: v.nodes
        .slice(0, 3)
        .map((n) => `${n.html.slice(0, 200)} (${n.any.map((a) => a.message).join("; ")})`),
    }));
  });
  for (const v of violations) found.push(`${what}: ${v.id}: ${v.help}\n    ${v.nodes.join("\n    ")}`);
}

await scenario(async ({ page, complaints }) => {
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    for (const { path } of [...pages, ...chosen]) {
      await open(page, path);
      if (path.includes("as=chart")) await seen(page.getByRole("img", { name: /lines from/ }));
      await examine(page, `${colorScheme} ${path}`);
    }
    await open(page, pages[0].path);
    await page.getByRole("button", { name: "Settings" }).click();
    await examine(page, `${colorScheme} settings`);
    await page.keyboard.press("Escape");
    await page.locator("body").press("?");
    await seen(page.getByRole("dialog"));
    await examine(page, `${colorScheme} keyboard`);
  }
  const editor = page.getByRole("textbox", { name: "Value of confd/mem" });
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await open(page, "/keys?store=etcdv3&key=confd%2Fmem");
    await write(editor, `[[inputs.mem]]\n  interval = "9s"\n`);
    await page.getByRole("button", { name: "Plan" }).click();
    await seen(page.getByRole("button", { name: "Put to etcdv3" }));
    await examine(page, `${colorScheme} plan`);
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Delete …" }).click();
    await seen(page.getByRole("dialog").getByText("input/mem"));
    await examine(page, `${colorScheme} deletion`);
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Take back" }).click();
    complaints.expect(/400/);
    await open(page, `/query?q=${encodeURIComponent("M::mem:(used")}`);
    await seen(page.getByRole("alert"));
    await page.getByRole("textbox", { name: "DQL query" }).pressSequentially(")) BY ho");
    await page.getByRole("textbox", { name: "DQL query" }).press("Control+Space");
    await seen(page.getByRole("option"));
    await examine(page, `${colorScheme} mistake and suggestions`);
  }
  await page.setViewportSize({ width: 360, height: 740 });
  for (const { path } of pages) {
    await open(page, path);
    await examine(page, `narrow ${path}`);
  }
  if (found.length > 0) throw new Error(`axe:\n  ${found.join("\n  ")}`);
});
