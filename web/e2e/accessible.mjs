// axe finds nothing on any page, light or dark, narrow or wide, with a window open.
import { examine as examined } from "./axe.mjs";
import { chosen, open, pages } from "./pages.mjs";
import { scenario, seen, write } from "./stage.mjs";

const found = [];

const examine = async (page, what) => found.push(...(await examined(page, what)));

await scenario(async ({ page, complaints }) => {
  for (const { path } of [...pages, ...chosen]) {
    await open(page, path);
    if (path.includes("as=chart")) await seen(page.getByRole("img", { name: /lines from/ }));
    await examine(page, path);
  }
  await open(page, pages[0].path);
  await page.getByRole("button", { name: "Settings" }).click();
  await examine(page, "settings");
  await page.keyboard.press("Escape");
  await page.locator("body").press("?");
  await seen(page.getByRole("dialog"));
  await examine(page, "the keys of the keyboard");

  await open(page, "/keys?store=etcdv3&key=confd%2Fmem");
  await write(
    page.getByRole("textbox", { name: "Value of confd/mem" }),
    `[[inputs.mem]]\n  interval = "9s"\n`,
  );
  await page.getByRole("button", { name: "Plan" }).click();
  await seen(page.getByRole("button", { name: "Put to etcdv3" }));
  await examine(page, "plan");
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Delete …" }).click();
  await seen(page.getByRole("dialog").getByText("input/mem"));
  await examine(page, "deletion");
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Take back" }).click();

  complaints.expect(/400/);
  await open(page, `/query?q=${encodeURIComponent("M::mem:(used")}`);
  await seen(page.getByRole("alert"));
  const query = page.getByRole("textbox", { name: "DQL query" });
  await query.pressSequentially(")) BY ho");
  await query.press("Control+Space");
  await seen(page.getByRole("option"));
  await examine(page, "mistake and suggestions");

  await page.setViewportSize({ width: 360, height: 740 });
  for (const { path } of pages) {
    await open(page, path);
    await examine(page, `narrow ${path}`);
  }
  if (found.length > 0) throw new Error(`axe:\n  ${found.join("\n  ")}`);
});
