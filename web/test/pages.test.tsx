import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Changes } from "../src/pages/changes";
import { Overview } from "../src/pages/overview";
import { Stores } from "../src/pages/stores";
import { Units } from "../src/pages/units";
import { changes, connection, places, status } from "../src/state/live";
import { go } from "../src/state/location";
import { language } from "../src/state/preferences";
import { change, key, status as statusOf, store, unit } from "./api";

// Every text that somebody else may have written, as one who means harm would.
const evil = '<img src=x onerror="alert(1)">';

let root = document.createElement("div");
const show = (page: preact.ComponentChild) => {
  root = document.createElement("div");
  document.body.append(root);
  act(() => render(page, root));
  return root;
};
const link = (text: string) =>
  [...root.querySelectorAll("a")].find((a) => a.textContent === text)?.getAttribute("href");

beforeEach(() => {
  const answers: Record<string, () => unknown> = {
    "/v1/status": () => status.value,
    "/v1/confd/accept": () => ({ content: { stores: 1 } }),
  };
  vi.spyOn(globalThis, "fetch").mockImplementation(async (url) => {
    const body = answers[String(url)]?.() ?? { content: { states: [] } };
    return new Response(JSON.stringify(body), { headers: { "Content-Type": "application/json" } });
  });
  connection.value = "live";
  places.value = [
    { id: "etcdv3", root: "/datakit", read_at: "" },
    { id: "consul", root: "/datakit", read_at: "" },
  ];
  status.value = statusOf({
    hostname: evil,
    version: evil,
    converged: false,
    errors: [evil],
    stores: [
      store({ nodes: [evil], revision: evil }),
      store({ backend: "consul", state: "held", error: `7 of 9 keys are gone ${evil}` }),
    ],
    keys: [key({ state: "rejected", error: evil }), key({ key: `/datakit/confd/${evil}` })],
    units: [
      unit({ last_error: evil, state: "failed" }),
      unit({ id: "input/mem", origin: "default", points: 12345 }),
    ],
    outputs: [
      {
        name: evil,
        queue_points: 1,
        queue_bytes: 2048,
        written: 3,
        dropped: 4,
        retries: 5,
        last_error: evil,
      },
    ],
  });
  changes.value = [
    change(2, {
      key: `/datakit/confd/${evil}`,
      error: evil,
      state: "kept",
      was: "applied",
      diff: `@@ -1,1 +1,1 @@\n-${evil}\n+x\n`,
      steps: [{ verb: "restart", unit: "input/cpu", ns: 1_500_000, error: evil }],
    }),
    change(1, { state: "removed", steps: [{ verb: "stop", unit: "input/mem", ns: 10, error: "" }] }),
  ];
});

afterEach(() => {
  act(() => render(null, root));
  root.remove();
  language.value = "en";
  go("/");
});

const everyPage = [
  ["/", Overview],
  ["/units", Units],
  ["/units?id=input%2Fcpu", Units],
  ["/units?id=gone", Units],
  ["/changes", Changes],
  ["/stores", Stores],
  ["/stores?id=consul", Stores],
] as const;

describe.each(everyPage)("the page at %s", (at, Page) => {
  it.each(["en", "zh"] as const)("shows what others wrote as text, under one title, in %s", (l) => {
    language.value = l;
    go(at);
    const page = show(<Page />);
    expect(page.querySelectorAll("h1")).toHaveLength(1);
    expect(page.querySelectorAll("img, script, iframe")).toHaveLength(0);
    expect(document.title).toContain("DataKit");
    for (const e of page.querySelectorAll("[style]")) expect(e.tagName.toLowerCase()).toBe("svg");
    for (const a of page.querySelectorAll("a")) expect(a.getAttribute("href")).toMatch(/^\//);
    const ids = [...page.querySelectorAll("[id]")].map((e) => e.id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const e of page.querySelectorAll("[aria-labelledby]")) {
      expect(ids).toContain(e.getAttribute("aria-labelledby"));
    }
  });
});

describe("the overview", () => {
  it("says what is wrong, why, what to do, and leads there", () => {
    const page = show(<Overview />);
    expect(page.querySelector(".verdict")?.textContent).toContain("Not converged");
    const kinds = [...page.querySelectorAll(".problem .badge")].map((e) => e.textContent);
    expect(kinds).toEqual([
      "The agent itself",
      "Bad value, nothing runs of it",
      "Unit failed",
      "Output does not take points",
      "Deletion held",
    ]);
    expect(link("Open the key")).toBe("/keys?store=etcdv3&key=confd%2Fcpu");
    expect(link("Open the unit")).toBe("/units?id=input%2Fcpu");
    expect(link("Open the store")).toBe("/stores?id=consul");
  });

  it("is content where all is well", () => {
    status.value = statusOf({ units: [unit()] });
    const page = show(<Overview />);
    expect(page.querySelector(".verdict-good")?.textContent).toContain("Converged");
    expect(page.querySelectorAll(".problem")).toHaveLength(0);
    expect(page.textContent).toContain("[[confds]]");
  });
});

describe("the units", () => {
  it("are found by what is typed, which stands in the address", () => {
    go("/units?q=mem");
    const page = show(<Units />);
    expect([...page.querySelectorAll("tbody th")].map((e) => e.textContent)).toEqual(["input/mem"]);
    expect(page.textContent).toContain("12,345");
    const filter = page.querySelector<HTMLInputElement>("[data-filter]");
    act(() => {
      if (!filter) return;
      filter.value = "nosuch";
      filter.dispatchEvent(new Event("input", { bubbles: true }));
    });
    expect(page.textContent).toContain("No unit fits");
    expect(location.search).toBe("?q=nosuch");
  });

  it("lead to their keys", () => {
    go("/units?id=input%2Fcpu");
    show(<Units />);
    expect(link("etcdv3:/datakit/confd/cpu")).toBe("/keys?store=etcdv3&key=confd%2Fcpu");
  });

  it("that are gone still have their history", () => {
    go("/units?id=input%2Fmem");
    status.value = statusOf();
    const page = show(<Units />);
    expect(page.textContent).toContain("There is no such unit any more");
    expect(page.querySelector(".change-line")?.textContent).toContain("stop input/mem 10 ns");
  });
});

describe("the changes", () => {
  it("show what each did and how long the hand-over took", () => {
    go("/changes");
    const page = show(<Changes />);
    const first = page.querySelector(".change");
    expect(first?.querySelector(".steps")?.textContent).toContain("restart");
    expect(first?.querySelector(".took")?.textContent).toContain("1.5 ms");
    expect(first?.textContent).toContain("was applied");
    expect(first?.querySelector("del")?.textContent).toBe(evil);
  });

  it("show a new one at the top, and say so", () => {
    go("/changes");
    const page = show(<Changes />);
    act(() => {
      changes.value = [change(3, { key: "/datakit/confd/new" }), ...changes.value];
    });
    expect(page.querySelector(".change")?.className).toContain("changed");
    expect(page.querySelector("[aria-live]")?.textContent).toBe("1 new");
  });

  it("are filtered by the address", () => {
    go("/changes?unit=input%2Fmem");
    expect(show(<Changes />).querySelectorAll(".change")).toHaveLength(1);
  });
});

describe("a deletion that is held", () => {
  it("is accepted once it was asked for twice", async () => {
    go("/stores?id=consul");
    HTMLDialogElement.prototype.showModal ??= () => {};
    const page = show(<Stores />);
    const button = (text: string) => [...page.querySelectorAll("button")].find((b) => b.textContent === text);
    const sent = () => vi.mocked(fetch).mock.calls.filter(([url]) => url === "/v1/confd/accept").length;
    act(() => button("Accept the deletion …")?.click());
    expect(sent()).toBe(0);
    expect(page.querySelector("dialog")?.textContent).toContain("7 of 9 keys are gone");
    act(() => button("Accept the deletion")?.click());
    await vi.waitFor(() => expect(page.querySelector("dialog")).toBeNull());
    expect(sent()).toBe(1);
    expect(page.querySelector(".notice [role=status]")?.textContent).toBe("Applied, stores: 1.");
  });
});
