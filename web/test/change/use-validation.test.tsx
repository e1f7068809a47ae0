import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { useValidation, type Validation } from "../../src/change/use-validation";

let place: HTMLElement;
let seen: Validation;

function Bench({ text, enabled = true }: { text: string; enabled?: boolean }) {
  seen = useValidation("confd/cpu", text, enabled);
  return null;
}

const show = (text: string, enabled = true) =>
  act(() => render(<Bench text={text} enabled={enabled} />, place));
const pass = (ms: number) => act(async () => void (await vi.advanceTimersByTimeAsync(ms)));

/** agent answers with a problem that names the text; busy times it says that it is busy. */
function agent(busy = 0) {
  let left = busy;
  return vi.spyOn(globalThis, "fetch").mockImplementation(async (_, init) => {
    const headers = { "Content-Type": "application/json" };
    if (left-- > 0)
      return new Response('{"error_code":"datakit.busy","message":"busy"}', { status: 503, headers });
    const { value } = JSON.parse(String(init?.body));
    return new Response(JSON.stringify({ content: { problems: [{ line: 1, column: 1, message: value }] } }), {
      headers,
    });
  });
}

beforeEach(() => {
  vi.useFakeTimers();
  place = document.createElement("div");
});

afterEach(() => {
  act(() => render(null, place));
  vi.useRealTimers();
});

it("asks once a text rests, and not for each letter", async () => {
  const fetch = agent();
  for (const text of ["a", "ab", "abc"]) {
    show(text);
    await pass(100);
  }
  expect(seen.pending).toBe(true);
  await pass(1000);
  expect(fetch).toHaveBeenCalledTimes(1);
  expect(seen).toEqual({ pending: false, problems: [{ line: 1, column: 1, message: "abc" }] });
});

it("asks a busy agent again, and not for ever", async () => {
  const fetch = agent(2);
  show("a");
  await pass(10_000);
  expect(fetch).toHaveBeenCalledTimes(3);
  expect(seen.pending).toBe(false);
  fetch.mockRestore();
  const busy = agent(100);
  show("b");
  await pass(60_000);
  expect(busy).toHaveBeenCalledTimes(4);
  expect(seen.pending).toBe(true); // nobody has said that it is right
});

it("asks nothing where nothing can be written", async () => {
  const fetch = agent();
  show("a", false);
  await pass(5000);
  expect(fetch).not.toHaveBeenCalled();
  expect(seen).toEqual({ problems: [], pending: false });
});
