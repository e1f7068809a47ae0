// The token lets in, a wrong one does not, and who guesses is slowed down.
import { examine } from "./axe.mjs";
import { act, agent, check, equal, gone, scenario, seen, step } from "./stage.mjs";

await scenario(async ({ page, context, complaints }) => {
  const token = await act("datakit", "console", "token");
  const submit = async (text) => {
    await page.getByLabel("Token").fill(text);
    await page.getByRole("button", { name: "Log in" }).click();
  };
  const heading = (name) => page.getByRole("heading", { level: 1, name });

  step("a link deep into the console leads to the login");
  await page.goto(`${agent}/units`);
  await seen(heading("Log in"));
  check(!(await page.locator("body").innerText()).includes("input/mem"), "a stranger sees a unit");

  step("a wrong token is refused");
  complaints.expect(/401/);
  await submit("wrong");
  await seen(page.getByText("This is not the token."));
  equal(await examine(page, "login"), [], "axe finds");

  step("the right one goes on to where the link led");
  await submit(token);
  await seen(heading("Units"));
  await seen(page.getByText("input/mem").first());
  const cookies = await context.cookies();
  equal(
    cookies.map((c) => [c.httpOnly, c.sameSite]),
    [[true, "Strict"]],
    "the cookie",
  );
  check(!JSON.stringify(await context.storageState()).includes(token), "the browser keeps the token");
  check(!(await page.evaluate(() => document.cookie)), "a script can read the cookie");

  step("a reload stays logged in");
  await page.reload();
  await seen(page.getByText("input/mem").first());

  step("logged out, nothing is left");
  await page.getByRole("button", { name: "Settings" }).click();
  await page.getByRole("button", { name: "Log out" }).click();
  await seen(heading("Log in"));
  await gone(page.getByText("input/mem"));
  equal((await page.request.get(`${agent}/v1/changes`)).status(), 401, "a request without the session");

  step("who guesses has to wait");
  complaints.expect(/429/);
  for (let i = 0; i < 6; i++) {
    const answer = page.waitForResponse(/\/v1\/console\/login$/);
    await submit(`guess ${i}`);
    await answer;
  }
  await seen(page.getByText(/Too many wrong tokens. Try again in \d+/));
});
