// The plan's scripts: that of the disk and that of etcd take turns, as the page of
// the scripts and a query show.
import { act, agent, check, gone, scenario, seen, step, until, write } from "./stage.mjs";

const key = "/datakit/pipeline/metric/disk.p";

await scenario(async ({ page, complaints }) => {
  const go = async (name) => {
    await page.getByRole("navigation").getByRole("link", { name }).click();
    await seen(page.getByRole("heading", { level: 1, name }));
  };
  const row = (from) => page.getByRole("row").filter({ hasText: "metric/disk.p" }).filter({ hasText: from });
  /** answers waits until the newest point of disk has this value of tconfd. */
  const answers = async (want) => {
    const newest = page.locator('tbody td[data-label="tconfd"]').first();
    await until(page, async () => (await newest.allInnerTexts())[0] === want, `tconfd is ${want}`);
  };

  step("the script of the disk runs");
  await page.goto(`${agent}/scripts`);
  await page.evaluate(() => {
    globalThis.stillHere = true;
  });
  await seen(row("local").getByText("active"));
  await go("Query");
  await page.getByRole("textbox", { name: "DQL query" }).fill("M::disk:(tconfd) LIMIT 1");
  await page.getByRole("button", { name: "Run" }).click();
  await page.getByRole("checkbox", { name: "Live" }).check();
  await answers("4");

  for (const n of ["1", "2"]) {
    step(`etcd's script goes before it: ${n}`);
    await act("etcdctl", "put", key, `add_key(tconfd, ${n})`);
    await answers(n);
  }
  await go("Scripts");
  await seen(row("etcdv3").getByText("active"));
  await seen(row("local").getByText("shadowed"));

  step("a broken edit is kept out");
  await act("etcdctl", "put", key, "add_key(tconfd, ");
  await seen(row("etcdv3").getByText("kept"));

  step("it is tried on recent points before it is put right");
  await row("etcdv3").getByRole("link").click();
  const editor = page.getByRole("textbox", { name: "Text of disk.p" });
  await write(editor, "add_key(tconfd, 3)");
  const trial = page
    .locator("section")
    .filter({ has: page.getByRole("heading", { name: "Run it on recent points" }) });
  await trial.getByRole("button", { name: "Run" }).click();
  await seen(trial.getByText(/^Run on \d+ points/));
  await page.getByRole("button", { name: "Plan" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Put to etcdv3" }).click();
  await seen(page.getByText("pipeline/metric/disk.p was written."));

  step("deleted, the disk's has its turn again");
  complaints.expect(/404/); // the page that shows it looks once more
  await act("etcdctl", "del", key);
  await go("Scripts");
  await seen(row("local").getByText("active"));
  await gone(row("etcdv3"));
  await go("Query");
  await page.getByRole("textbox", { name: "DQL query" }).fill("M::disk:(tconfd) LIMIT 1");
  await page.getByRole("button", { name: "Run" }).click();
  await page.getByRole("checkbox", { name: "Live" }).check();
  await answers("4");
  check(await page.evaluate(() => globalThis.stillHere), "the page was loaded again");
});
