// The agent is restarted while the page is open: the page says so, and goes on by
// itself with what is new.
import { act, agent, check, scenario, seen, step } from "./stage.mjs";

await scenario(async ({ page, complaints }) => {
  const state = (text) => page.getByRole("status").filter({ hasText: text });
  step("it follows the agent");
  await page.goto(`${agent}/units`);
  await seen(state("Live"));
  await seen(page.getByText("input/mem").first());
  await page.evaluate(() => {
    globalThis.stillHere = true;
  });

  step("the agent ends");
  complaints.expect(/ERR_CONNECTION_|ERR_INCOMPLETE_|ERR_EMPTY_/);
  await act("stop");
  await seen(state("No connection"));
  await seen(page.getByText("input/mem").first()); // what was known is still shown

  step("it comes back with another input");
  await act("write", "conf.d/swap.conf", "[[inputs.swap]]\n");
  await act("start");
  await seen(state("Live"));
  await seen(page.getByText("input/swap").first());
  check(await page.evaluate(() => globalThis.stillHere), "the page was loaded again");
});
