// Opens a page, and has the test do what the page asks for: what the tests of
// the stage itself run.
import { act, agent, scenario, seen } from "./stage.mjs";

await scenario(async ({ page }) => {
  await page.goto(`${agent}/`, { waitUntil: "load" });
  await seen(page.getByRole("heading", { level: 1 }));
  const title = await page.title();
  console.log(`opened ${title}`);
  const meta = page.locator('meta[name="act"]');
  if ((await meta.count()) === 0) return;
  const answer = await act(await meta.getAttribute("content"), title);
  console.log(`answered ${answer}`);
  if (answer === "wait") await new Promise((resolve) => setTimeout(resolve, 3_600_000));
});
