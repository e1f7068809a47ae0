// What every scenario begins with: a Chromium of its own, a page of which no
// error goes unseen, and a way to have the Go test do what only it can.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { chromium } from "playwright-core";

const { DATAKIT_URL, DATAKIT_ACTS, DATAKIT_KEEP, DATAKIT_CHROMIUM } = process.env;

// patience is how long a scenario waits for what must come, in milliseconds. It
// is no figure: it only ends a scenario that would hang.
const patience = Number(process.env.DATAKIT_PATIENCE ?? 20_000);

/** The address of the agent, without a slash at its end. */
export const agent = DATAKIT_URL;

/** act has the test do what it calls name, and returns what that returned. */
export async function act(name, ...args) {
  const answer = await fetch(DATAKIT_ACTS, { method: "POST", body: JSON.stringify([name, ...args]) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${name}: ${text}`);
  return text;
}

/** step says what comes, for whoever reads the log of a scenario that failed. */
export function step(text) {
  console.log(`- ${text}`);
}

/** seen waits until what locator names can be seen. */
export async function seen(locator) {
  await locator.first().waitFor({ state: "visible", timeout: patience });
}

/** gone waits until nothing that locator names can be seen. */
export async function gone(locator) {
  await locator.first().waitFor({ state: "hidden", timeout: patience });
}

/**
 * write replaces the text of an editor of code as its user does. Where the browser
 * itself replaces coloured text, it tries to keep the colour as an inline style,
 * which the policy forbids.
 */
export async function write(editor, text) {
  await editor.focus();
  await editor.press("Control+a");
  await editor.press("Delete");
  await editor.page().keyboard.insertText(text);
}

/** equal ends the scenario where got is not want. */
export function equal(got, want, what) {
  const [a, b] = [JSON.stringify(got), JSON.stringify(want)];
  if (a !== b) throw new Error(`${what}: ${a}, expected ${b}`);
}

/** check ends the scenario where ok is false. */
export function check(ok, what) {
  if (!ok) throw new Error(what);
}

/** until asks again and again, as often as the page is drawn, until ask returns what is true. */
export async function until(page, ask, what) {
  for (const end = Date.now() + patience; ; ) {
    const got = await ask();
    if (got) return got;
    if (Date.now() > end) throw new Error(`waited in vain: ${what}`);
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(resolve)));
  }
}

/** An error that the page must not have, unless the scenario brings it about. */
class Complaints {
  #list = [];
  #expected = [];

  /** expect lets what matches pattern pass from now on. */
  expect(pattern) {
    this.#expected.push(pattern);
  }

  add(text) {
    if (!this.#expected.some((p) => p.test(text))) this.#list.push(text);
  }

  /** end ends the scenario where there was one. */
  end() {
    if (this.#list.length > 0) throw new Error(`the page complains:\n  ${this.#list.join("\n  ")}`);
  }
}

function listen(page, complaints, log) {
  page.on("console", (m) => {
    log.push(`${m.type()}: ${m.text()} (${m.location().url})`);
    if (m.type() === "error" || m.type() === "warning")
      complaints.add(`console ${m.type()}: ${m.text()} ${m.location().url}`);
  });
  page.on("pageerror", (e) => complaints.add(`uncaught: ${e.stack ?? e}`));
  page.on("response", (r) => {
    log.push(`${r.status()} ${r.request().method()} ${r.url()}`);
    if (r.status() >= 400) complaints.add(`${r.status()} ${r.request().method()} ${r.url()}`);
    if (!r.url().startsWith(agent)) complaints.add(`asked elsewhere: ${r.url()}`);
  });
  page.on("requestfailed", (r) => {
    const why = r.failure()?.errorText ?? "";
    log.push(`failed: ${why} ${r.method()} ${r.url()}`);
    // A page that is left ends what it was being sent.
    if (why !== "net::ERR_ABORTED") complaints.add(`failed: ${why} ${r.url()}`);
  });
}

/** reportViolations runs in the page: what its policy forbids is an error of the page. */
function reportViolations() {
  document.addEventListener("securitypolicyviolation", (e) => {
    console.error(
      `content security policy: ${e.effectiveDirective} ${e.blockedURI} ${e.sourceFile}:${e.lineNumber}`,
    );
  });
}

async function keep(name, page, log) {
  await mkdir(DATAKIT_KEEP, { recursive: true });
  const file = (ending) => join(DATAKIT_KEEP, `${name}.${ending}`);
  await writeFile(file("log"), `${log.join("\n")}\n`);
  if (!page || page.isClosed()) return;
  await page.screenshot({ path: file("png"), fullPage: true, timeout: 5_000 });
  await writeFile(file("html"), await page.content());
  console.log(
    `the page, at ${page.url()}, says:\n${(await page.locator("body").innerText({ timeout: 5_000 })).slice(0, 4000)}`,
  );
  console.log(`kept: ${file("png")} ${file("html")} ${file("log")}`);
}

/**
 * scenario opens an empty browser and hands run a page and what watches it. The
 * process ends with 1 where run throws, or the page complains.
 */
export async function scenario(run, options = {}) {
  const name = process.env.DATAKIT_SCENARIO;
  const log = [];
  const complaints = new Complaints();
  let page;
  const browser = await chromium.launch({
    executablePath: DATAKIT_CHROMIUM,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--force-color-profile=srgb",
      "--hide-scrollbars",
    ],
  });
  try {
    const context = await browser.newContext({
      viewport: { width: 1280, height: 800 },
      deviceScaleFactor: 1,
      locale: "en-GB",
      timezoneId: "UTC",
      reducedMotion: "reduce",
      ...options,
    });
    context.setDefaultTimeout(patience);
    await context.addInitScript(reportViolations);
    context.on("page", (p) => listen(p, complaints, log));
    page = await context.newPage();
    await run({ page, context, complaints });
    complaints.end();
  } catch (e) {
    console.log(`FAILED: ${e.stack ?? e}`);
    process.exitCode = 1;
    await keep(name, page, log).catch((e) => console.log(`nothing kept: ${e}`));
  } finally {
    await browser.close();
  }
}
