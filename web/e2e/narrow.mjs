// On a telephone no page has to be scrolled sideways.
import { chosen, open, pages } from "./pages.mjs";
import { check, equal, scenario, seen, step } from "./stage.mjs";

const width = 360;

/** wide returns what reaches beyond the screen, and does not scroll by itself. */
function wide(width) {
  const scrolls = (e) => {
    for (let p = e.parentElement; p; p = p.parentElement) {
      if (/auto|scroll|hidden|clip/.test(getComputedStyle(p).overflowX)) return true;
    }
    return false;
  };
  return [...document.querySelectorAll("body *")]
    .filter(
      (e) => e.getClientRects().length > 0 && e.getBoundingClientRect().right > width + 0.5 && !scrolls(e),
    )
    .slice(0, 5)
    .map((e) => `${e.tagName} ${e.className} ${e.textContent.slice(0, 40)}`);
}

await scenario(
  async ({ page }) => {
    for (const { path } of [...pages, ...chosen]) {
      step(path);
      await open(page, path);
      equal(await page.evaluate(wide, width), [], `${path} reaches beyond ${width} px`);
      equal(
        await page.evaluate(() => document.scrollingElement.scrollWidth),
        width,
        `${path} scrolls sideways`,
      );
    }
    step("the menu leads everywhere");
    for (const p of pages) {
      await page.getByRole("button", { name: "Menu" }).click();
      await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: p.en }).click();
      await seen(page.getByRole("heading", { level: 1, name: p.en }));
      check(
        (await page.evaluate(() => document.scrollingElement.scrollWidth)) === width,
        `${p.path} scrolls sideways`,
      );
    }
  },
  { viewport: { width, height: 740 }, hasTouch: true, isMobile: true },
);
