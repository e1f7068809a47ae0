// Everything is reached with the keys alone, and one sees where one is.
import { open, pages, settled } from "./pages.mjs";
import { check, equal, gone, scenario, seen, step, until } from "./stage.mjs";

/** focused says what has the focus, also within a shadow tree, and whether one sees it. */
function focused() {
  let e = document.activeElement;
  while (e?.shadowRoot?.activeElement) e = e.shadowRoot.activeElement;
  if (!e || e === document.body) return undefined;
  const style = getComputedStyle(e);
  const box = e.getBoundingClientRect();
  const ring =
    (parseFloat(style.outlineWidth) > 0 && style.outlineStyle !== "none") || style.boxShadow !== "none";
  globalThis.visited ??= new Set();
  const known = globalThis.visited.has(e);
  globalThis.visited.add(e);
  return {
    what: `${e.tagName} ${e.id} ${e.className} ${(e.ariaLabel ?? e.textContent).trim().slice(0, 40)}`,
    known,
    ring: ring || e.closest(".cm-editor, :host") !== null,
    shown: box.width > 0 && box.height > 0 && box.bottom > 0 && box.top < innerHeight,
  };
}

/** inSight reports whether what has the focus is on the screen: a list that grows may have pushed it away for a moment. */
function inSight() {
  const box = document.activeElement.getBoundingClientRect();
  return box.bottom > 0 && box.top < innerHeight;
}

/** missed returns what takes the focus by Tab; of a group of radio buttons or tabs, one does. */
function missed() {
  const list = [
    ...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']"),
  ];
  return list
    .filter(
      (e) =>
        e.tabIndex >= 0 &&
        !e.disabled &&
        e.checkVisibility({ visibilityProperty: true }) &&
        !globalThis.visited.has(e),
    )
    .filter((e) => !(e.type === "radio" && !e.checked))
    .map((e) => `${e.tagName} ${e.id} ${e.className} ${e.textContent.slice(0, 40)}`);
}

await scenario(async ({ page }) => {
  const key = (k) => page.keyboard.press(k);

  step("the first Tab leads past the navigation");
  await open(page, pages[0].path);
  await key("Tab");
  equal(
    await page.evaluate(() => document.activeElement.textContent.trim()),
    "Skip to the content",
    "the first stop",
  );
  await key("Enter");
  check(
    await page.evaluate(() => document.activeElement.closest("main") !== null),
    "the skip link leads nowhere",
  );

  for (const p of pages) {
    step(`g ${p.key} leads to ${p.en}, with the focus on its title`);
    await page.evaluate(() => document.activeElement.blur());
    await key("g");
    await key(p.key);
    await seen(page.getByRole("heading", { level: 1, name: p.en }));
    equal(new URL(page.url()).pathname, p.path, "the address");
    await settled(page);
    await until(
      page,
      async () => (await page.title()).startsWith(p.en),
      `the title is ${await page.title()}`,
    );
    if (p !== pages[0]) equal(await page.evaluate(() => document.activeElement.tagName), "H1", "the focus");

    step("Tab visits all of it once, and is seen everywhere");
    await page.evaluate(() => {
      globalThis.visited = new Set();
      document.activeElement.blur();
    });
    for (let i = 0; i < 400; i++) {
      await key("Tab");
      const at = await page.evaluate(focused);
      if (!at) continue; // from the last stop it goes to the browser, and on to the first
      if (at.known) break;
      check(at.ring, `one does not see the focus on ${at.what}`);
      if (!at.shown) await until(page, () => page.evaluate(inSight), `the focus is out of sight: ${at.what}`);
    }
    equal(await page.evaluate(missed), [], `Tab does not reach on ${p.path}`);
  }

  step("? shows the keys, Esc closes them");
  await open(page, (pages.find((p) => p.name === "units") ?? pages[0]).path);
  await page.locator("body").press("?");
  const dialog = page.getByRole("dialog");
  await seen(dialog);
  await key("Escape");
  await gone(dialog);

  if (pages.some((p) => p.name === "units")) {
    step("/ goes to the filter");
    await page.locator("body").press("/");
    await page.keyboard.type("mem");
    await gone(page.getByText("input/swap"));
    await seen(page.getByText("input/mem"));
  }

  step("letters in a field are letters");
  await open(page, "/query");
  await page.getByRole("textbox", { name: "DQL query" }).focus();
  await page.keyboard.type("g u?");
  equal(new URL(page.url()).pathname, "/query", "the address");
  equal(await page.getByRole("textbox", { name: "DQL query" }).inputValue(), "g u?", "the text");
});
