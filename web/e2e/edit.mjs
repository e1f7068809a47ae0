// The plan's first step: a key is changed, in the page and by somebody else, and
// unit and timeline show it without a reload.
import { examine } from "./axe.mjs";
import { act, agent, check, equal, gone, scenario, seen, step, until, write } from "./stage.mjs";

const value = (interval) => `[[inputs.mem]]\n  interval = "${interval}"\n`;

await scenario(async ({ page, complaints }) => {
  const editor = page.getByRole("textbox", { name: "Value of confd/mem" });
  const button = (name) => page.getByRole("button", { name });
  const dialog = page.getByRole("dialog");
  const go = async (name) => {
    await page.getByRole("navigation").getByRole("link", { name }).click();
    await seen(page.getByRole("heading", { level: 1, name }));
  };
  const put = async () => {
    await button("Plan").click();
    await dialog.getByRole("button", { name: "Put to etcdv3" }).click();
  };
  /** timeline waits until the newest change on its page is the one from one line to another. */
  const timeline = async (from, to) => {
    await go("Changes");
    for (const line of [from, to].filter(Boolean))
      await seen(page.locator("main").getByText(`interval = "${line}"`));
    await seen(page.locator("main").getByText("confd/mem"));
  };

  step("the key is found in the tree");
  await page.goto(`${agent}/keys`);
  await page.evaluate(() => {
    globalThis.stillHere = true;
  });
  await page.getByRole("link", { name: /^mem/ }).click();
  await seen(editor);
  equal((await editor.innerText()).trim(), value("1s").trim(), "the value");

  step("a mistake is shown before anything is written");
  await write(editor, `[[inputs.mem]]\n  intervall = "2s"\n`);
  await seen(page.getByRole("list", { name: "Problems" }).getByText("intervall"));

  step("the plan says what it would do, and it is put");
  await write(editor, value("2s"));
  await seen(page.getByText("An agent would take this."));
  await button("Plan").click();
  await seen(dialog.getByText("input/mem"));
  await dialog.getByRole("button", { name: "Put to etcdv3" }).click();
  await seen(page.getByText("confd/mem was written."));

  step("the timeline shows it, with its difference");
  await timeline("1s", "2s");

  step("a change by etcdctl shows by itself");
  await act("etcdctl", "put", "/datakit/confd/mem", value("3s"));
  await seen(page.locator("main").getByText('interval = "3s"'));

  step("the unit has restarted, or taken it in place");
  await go("Units");
  await seen(page.getByText("input/mem"));
  const moves = async () => {
    const { units } = JSON.parse(await page.evaluate(async () => (await fetch("/v1/status")).text()));
    const mem = units.find((u) => u.id === "input/mem");
    return mem.starts + mem.updates;
  };
  await until(page, async () => (await moves()) === 3, "two moves of input/mem");

  step("who is slower is told so, and loses nothing");
  await go("Keys");
  await page.getByRole("link", { name: /^mem/ }).click();
  await seen(editor);
  await write(editor, value("4s"));
  await act("etcdctl", "put", "/datakit/confd/mem", value("5s"));
  await seen(page.getByText(/Somebody else has written revision/));
  complaints.expect(/409/);
  await put();
  await seen(dialog.getByRole("heading", { name: "Somebody else was faster" }));
  await seen(dialog.getByText('interval = "5s"'));
  equal(await examine(page, "conflict"), [], "axe finds");
  await dialog.getByRole("button", { name: "Go on with my text" }).click();
  equal((await editor.innerText()).trim(), value("4s").trim(), "the text");
  await put();
  await seen(page.getByText("confd/mem was written."));
  await timeline("5s", "4s");

  step("it is deleted");
  await go("Keys");
  await page.getByRole("link", { name: /^mem/ }).click();
  await button("Delete …").click();
  await seen(dialog.getByText("input/mem"));
  await dialog.getByRole("button", { name: "Delete it from etcdv3" }).click();
  await gone(page.getByRole("link", { name: /^mem/ }));
  await go("Units");
  await gone(page.getByText("input/mem"));
  check(await page.evaluate(() => globalThis.stillHere), "the page was loaded again");
});
