// Takes the pictures of the manuals.
import { join } from "node:path";
import { open, pages, settled } from "./pages.mjs";
import { scenario, seen, step } from "./stage.mjs";

const dir = process.env.DATAKIT_PICTURES;

const shown = {
  units: "/units?id=input%2Fmem",
  query: `/query?as=chart&q=${encodeURIComponent("M::mem:(used_percent, available_percent) LIMIT 60")}`,
};

const looks = [
  { look: "light", colorScheme: "light", width: 1280, height: 800 },
  { look: "dark", colorScheme: "dark", width: 1280, height: 800 },
  { look: "narrow", colorScheme: "light", width: 360, height: 740 },
];

await scenario(async ({ page, context }) => {
  for (const { look, colorScheme, width, height } of looks) {
    await page.setViewportSize({ width, height });
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    for (const { name, path } of pages) {
      step(`${name} ${look}`);
      await open(page, shown[name] ?? path);
      if (name === "query") await seen(page.getByRole("img", { name: /lines? from/ }));
      await page.evaluate(() => document.fonts.ready);
      await page.screenshot({
        path: join(dir, `${name}-${look}.png`),
        animations: "disabled",
        caret: "hide",
      });
    }
  }
  step("overview zh");
  const zh = await context
    .browser()
    .newContext({ locale: "zh-CN", viewport: { width: 1280, height: 800 }, timezoneId: "UTC" });
  const other = await zh.newPage();
  for (const { name, path } of pages) {
    await open(other, shown[name] ?? path);
    await settled(other);
    await other.screenshot({ path: join(dir, `${name}-zh.png`), animations: "disabled", caret: "hide" });
  }
  await zh.close();
});
