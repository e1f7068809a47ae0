import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Editor } from "../../src/editor/editor";
import type { Setup } from "../../src/editor/mount";
import { speak } from "../../src/state/preferences";

// The editor itself needs a layout, which only a browser has: what it is told is
// what counts here.
const mounted = {
  setValue: vi.fn(),
  setProblems: vi.fn(),
  set: vi.fn(),
  goTo: vi.fn(),
  focus: vi.fn(),
  destroy: vi.fn(),
};
let setup: Setup | undefined;
vi.mock("../../src/editor/mount", () => ({
  mount: (_: HTMLElement, s: Setup) => {
    setup = s;
    return mounted;
  },
}));

let place: HTMLElement;
const show = (value: string, more: object = {}) =>
  act(() =>
    render(
      <Editor value={value} syntax="toml" label="Value of confd/cpu" specs={undefined} {...more} />,
      place,
    ),
  );

beforeEach(async () => {
  speak("en");
  setup = undefined;
  for (const f of Object.values(mounted)) f.mockClear();
  place = document.createElement("div");
  show("a");
  await vi.waitFor(() => expect(setup?.value).toBe("a"));
  await act(async () => await new Promise((done) => setTimeout(done)));
  mounted.setValue.mockClear();
});

afterEach(() => act(() => render(null, place)));

it("keeps what is typed while an older text comes back as the value", () => {
  setup?.onChange("ab");
  setup?.onChange("abc");
  show("ab");
  show("abc");
  expect(mounted.setValue).not.toHaveBeenCalled();
});

it("puts in a text that comes from elsewhere", () => {
  setup?.onChange("ab");
  show("ab");
  show("theirs");
  expect(mounted.setValue.mock.calls).toEqual([["theirs"]]);
});

it("goes to the same place as often as it is asked", () => {
  show("a", { jump: { line: 2, column: 3 } });
  show("a", { jump: { line: 2, column: 3 } });
  expect(mounted.goTo).toHaveBeenCalledTimes(2);
});

it("says its name, how it is left, and both in the language that is chosen", () => {
  expect(setup?.label).toBe("Value of confd/cpu");
  expect(setup?.description).toContain("press Esc, then Tab, to leave");
  expect(place.textContent).toContain("press Esc, then Tab, to leave");
  act(() => speak("zh"));
  expect(mounted.set.mock.lastCall?.[0].description).toContain("先按 Esc 再按 Tab");
});

it("is gone with the page", () => {
  act(() => render(null, place));
  expect(mounted.destroy).toHaveBeenCalledOnce();
});
