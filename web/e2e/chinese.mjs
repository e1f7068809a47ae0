// A browser that asks for Chinese gets it on every page, and a choice is kept.
import { chosen, open, pages } from "./pages.mjs";
import { agent, equal, scenario, seen, step } from "./stage.mjs";

/**
 * english returns the texts without any Chinese that are no names: those in code,
 * keys and times are. What the agent itself says of an error is in English.
 */
async function english() {
  const said = await (await fetch("/v1/status")).text();
  const names = "code, pre, kbd, time, textarea, svg, canvas, option, .brand, .host, .mono, [translate=no]";
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const out = [];
  while (walk.nextNode()) {
    const e = walk.currentNode.parentElement;
    const text = walk.currentNode.data.trim();
    if (
      !e.closest(names) &&
      e.checkVisibility() &&
      /[a-z]{3,}\s+[a-z]{2,}/i.test(text) &&
      !/\p{Script=Han}/u.test(text) &&
      !said.includes(JSON.stringify(text).slice(1, -1))
    )
      out.push(text);
  }
  return out;
}

await scenario(
  async ({ page }) => {
    for (const p of [...pages, ...chosen]) {
      step(p.path);
      await open(page, p.path);
      if (p.zh) await seen(page.getByRole("heading", { level: 1, name: p.zh, exact: true }));
      equal(await page.locator("html").getAttribute("lang"), "zh-CN", "the language");
      equal(await page.evaluate(english), [], `${p.path} is not all in Chinese`);
    }
    step("the choice of a language is kept");
    await page.goto(`${agent}/units`);
    await page.getByRole("button", { name: "设置" }).click();
    await page.getByLabel("语言").selectOption("en");
    await seen(page.getByRole("heading", { level: 1, name: "Units" }));
    await page.reload();
    await seen(page.getByRole("heading", { level: 1, name: "Units" }));
    equal(await page.locator("html").getAttribute("lang"), "en", "the language");
  },
  { locale: "zh-CN" },
);
