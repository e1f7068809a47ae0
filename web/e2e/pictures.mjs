// Takes the pictures of the manuals.
import { join } from "node:path";
import { open, pages, settled } from "./pages.mjs";
import { scenario, seen, step } from "./stage.mjs";

const dir = process.env.DATAKIT_PICTURES;

const shown = {
  units: "/units?id=input%2Fcpu",
  keys: "/keys?store=etcdv3&key=confd%2Fmem",
  scripts: "/scripts?script=metric%2Fnvidia_smi.p&store=etcdv3",
  query: `/query?as=chart&q=${encodeURIComponent("M::cpu:(usage_total, usage_system) LIMIT 60")}`,
};

const looks = [
  { look: "light", colorScheme: "light", width: 1280, height: 800 },
  { look: "dark", colorScheme: "dark", width: 1280, height: 800 },
  { look: "narrow", colorScheme: "light", width: 360, height: 740 },
];

/** go goes to a page within the console, which keeps what it has seen so far. */
async function go(page, path) {
  await page.evaluate((to) => {
    history.pushState(null, "", to);
    dispatchEvent(new PopStateEvent("popstate"));
  }, path);
  await settled(page);
}

/** take takes a picture of every page in one look. */
async function take(page, look) {
  for (const { name, path } of pages) {
    step(`${name} ${look}`);
    await go(page, shown[name] ?? path);
    if (name === "query") await seen(page.locator(".query-plot canvas"));
    if (name === "units") await seen(page.locator("main svg:not(.shape)"));
    if (name === "scripts") await tried(page);
    await page.evaluate(() => {
      scrollTo(0, 0); // what was pressed may have been scrolled to
      return document.fonts.ready;
    });
    await page.screenshot({ path: join(dir, `${name}-${look}.png`), animations: "disabled", caret: "hide" });
  }
}

/** tried has the script run on recent points. */
async function tried(page) {
  await page.locator(".trial button.main").click();
  await seen(page.locator(".trial table, .trial .result, .trial li, .trial details"));
}

/** warm waits until the charts have something to show: ten ticks of the agent. */
async function warm(page) {
  const stream = await page.evaluate(
    () =>
      new Promise((resolve) => {
        const events = new EventSource("/v1/events?ticks=true");
        let ticks = 0;
        events.addEventListener("tick", () => {
          if (++ticks < 10) return;
          events.close();
          resolve(ticks);
        });
      }),
  );
  step(`${stream} ticks`);
}

await scenario(async ({ page, context }) => {
  await open(page, "/");
  await warm(page);
  for (const { look, colorScheme, width, height } of looks) {
    await page.setViewportSize({ width, height });
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await take(page, look);
  }
  const zh = await context
    .browser()
    .newContext({ locale: "zh-CN", viewport: { width: 1280, height: 800 }, timezoneId: "UTC" });
  const other = await zh.newPage();
  await open(other, "/");
  await warm(other);
  await take(other, "zh");
  await zh.close();
});
