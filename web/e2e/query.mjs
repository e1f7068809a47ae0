// The plan's query: two instances of nvidia_smi, one from etcd and one from
// Consul, both answer, and an edit of the script shows without a reload.
import { act, agent, check, equal, scenario, seen, step, until } from "./stage.mjs";

const planned = process.env.DATAKIT_QUERY;

await scenario(async ({ page, context, complaints }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  const editor = () => page.getByRole("textbox", { name: "DQL query" });
  const cells = (name) => page.locator(`tbody td[data-label="${name}"]`).allInnerTexts();

  step("a link asks what it names");
  await page.goto(`${agent}/query?q=${encodeURIComponent(planned)}`);
  await seen(page.getByRole("heading", { level: 1, name: "Query" }));
  await seen(page.getByRole("columnheader", { name: "tconsul" }));
  equal(new Set(await cells("tconsul")), new Set(["1"]), "tconsul");
  check((await cells("tconsul")).length > 1, "only one point answers");

  step("both instances answer");
  const byInstance = planned.replace(" limit", " BY v limit");
  await editor().fill(byInstance);
  await editor().press("Control+Enter");
  await seen(page.getByRole("columnheader", { name: "v", exact: true }));
  equal([...new Set(await cells("v"))].sort(), ["one", "two"], "the instances");
  equal(new URL(page.url()).searchParams.get("q"), byInstance, "the address");

  step("an edit in Consul shows by itself while Live is on");
  await page.getByRole("checkbox", { name: "Live" }).check();
  await act("consul", "kv", "put", "datakit/pipeline/metric/nvidia_smi.p", "add_key(tconsul, 2)");
  await until(page, async () => (await cells("tconsul")).includes("2"), "the edited script");
  await page.getByRole("checkbox", { name: "Live" }).uncheck();

  step("sorted by a press on a column");
  await page.getByRole("button", { name: "tconsul" }).click();
  await seen(page.locator('th[aria-sort="descending"]'));
  const falling = await cells("tconsul");
  equal(falling, [...falling].sort().reverse(), "the order");

  step("copied");
  await page.getByRole("button", { name: "Copy as CSV" }).click();
  await seen(page.getByText("Copied"));
  const csv = await page.evaluate(() => navigator.clipboard.readText());
  check(
    /^time,v,tconsul\r\n\d{4}-\d\d-\d\dT[\d:.]+Z,(one|two),[12]\r\n/.test(csv),
    `the copy is ${csv.slice(0, 200)}`,
  );

  step("drawn");
  await page.getByRole("tab", { name: "Chart" }).click();
  await seen(page.getByRole("img", { name: /2 lines from/ }));
  await seen(page.getByRole("rowheader", { name: "tconsul v=one" }));

  step("a mistake is shown in its place");
  complaints.expect(/400/);
  await editor().fill("M::nvidia_smi:(tconsul");
  await page.getByRole("button", { name: "Run" }).click();
  await seen(page.getByRole("alert").getByText('Line 1, column 23: expected ")"'));
  equal(
    await page.getByRole("alert").locator("pre").innerText(),
    `M::nvidia_smi:(tconsul\n${" ".repeat(22)}^`,
    "the caret",
  );
  await page.getByRole("button", { name: "Go there" }).click();
  equal(
    await editor().evaluate((e) => [document.activeElement === e, e.selectionStart]),
    [true, 22],
    "the place",
  );

  step("names are completed");
  await editor().fill("");
  await editor().pressSequentially("M::nvi");
  await seen(page.getByRole("option", { name: /nvidia_smi/ }));
  await editor().press("ArrowDown");
  await editor().press("Enter");
  await editor().pressSequentially(":(tco");
  await seen(page.getByRole("option", { name: /tconsul/ }));
  await editor().press("ArrowDown");
  await editor().press("Tab");
  equal(await editor().inputValue(), "M::nvidia_smi:(tconsul", "what was completed");

  step("what was asked before is recalled");
  await editor().press("Alt+ArrowUp");
  await editor().press("Alt+ArrowUp");
  equal(await editor().inputValue(), byInstance, "the earlier query");
  await page.reload();
  await page.getByText("Earlier queries").click();
  await page.getByRole("button", { name: byInstance }).click();
  await seen(page.getByRole("img", { name: /2 lines from/ }));

  step("every example is answered");
  await page.goto(`${agent}/query`);
  const examples = page.locator("details", { hasText: "Examples" }).getByRole("listitem");
  await seen(examples);
  const count = await examples.count();
  check(count > 5, `${count} examples`);
  for (let i = 0; i < count; i++) {
    await page.goto(`${agent}/query`);
    await seen(examples);
    const text = await examples.nth(i).innerText();
    await examples.nth(i).getByRole("button").click();
    await seen(page.getByRole("heading", { name: "Answer" }));
    equal(new URL(page.url()).searchParams.get("q"), text, "the address");
    equal(await page.getByRole("alert").count(), 0, `mistakes in ${text}`);
  }

  step("what points hold is shown as it is, and never becomes a part of the page");
  const hostile = `<img src=x onerror="alert(1)">`;
  const sent = await page.request.post(`${agent}/v1/write/logging`, {
    data: `hostile,service=${hostile.replace(/[ =]/g, "\\$&")} message="${hostile.replaceAll('"', '\\"')}"`,
  });
  equal(sent.status(), 200, await sent.text());
  await page.goto(`${agent}/query?q=${encodeURIComponent("L::hostile:(message) BY service")}`);
  await seen(page.getByRole("cell", { name: hostile }).first());
  equal(await page.getByRole("cell", { name: hostile }).count(), 2, "cells with the text");
  equal(await page.locator("main img").count(), 0, "images");
});
