import { render } from "preact";
import { act } from "preact/test-utils";
import { beforeEach, describe, expect, it } from "vitest";
import type { KeyTree } from "../../src/api/types";
import { TreeView } from "../../src/pages/keys/tree-view";
import { speak } from "../../src/state/preferences";

const tree = (id: string, keys: KeyTree["keys"]): KeyTree => ({
  id,
  backend: id,
  root: "/datakit",
  state: "watching",
  writable: true,
  cut: false,
  keys,
});
const key = (name: string, state: KeyTree["keys"][0]["state"] = "applied") => ({
  key: name,
  revision: "1",
  size: 1,
  state,
  error: "",
});

describe("TreeView", () => {
  let place: HTMLElement;
  const show = (trees: KeyTree[], text = "", store = "", chosen = "") =>
    act(() => render(<TreeView trees={trees} text={text} store={store} chosen={chosen} />, place));
  beforeEach(() => {
    speak("en");
    place = document.createElement("div");
  });

  it("links each key of each store, and marks the one that is chosen", () => {
    show(
      [tree("etcdv3#2", [key("confd/a b"), key("confd/kept", "kept")]), tree("redis", [key("confd/kept")])],
      "",
      "redis",
      "confd/kept",
    );
    const links = [...place.querySelectorAll("a")];
    expect(links.map((a) => a.getAttribute("href"))).toEqual([
      "/keys?store=etcdv3%232&key=confd%2Fa+b",
      "/keys?store=etcdv3%232&key=confd%2Fkept",
      "/keys?store=redis&key=confd%2Fkept",
    ]);
    expect(links.map((a) => a.getAttribute("aria-current"))).toEqual([null, null, "true"]);
    expect(links[1]?.textContent).toContain("kept");
    expect(place.querySelector("summary")?.textContent).toContain("1 refused");
  });

  it("leaves out the stores that a filter finds nothing in", () => {
    show([tree("etcdv3", [key("confd/a")]), tree("redis", [key("confd/b")])], "confd/b");
    expect([...place.querySelectorAll("h2")].map((h) => h.textContent)).toEqual([
      expect.stringContaining("redis"),
    ]);
  });

  it("does not make what is in a folder that is closed", () => {
    const keys = Array.from({ length: 10_000 }, (_, i) => key(`confd/${String(i).padStart(5, "0")}`));
    show([tree("etcdv3", keys)]);
    expect(place.querySelectorAll("a")).toHaveLength(0);
    expect(place.querySelector("summary")?.textContent).toContain("10,000");
  });

  it("opens the folder of the key that is chosen, a part of it at a time", () => {
    const keys = Array.from({ length: 1000 }, (_, i) => key(`confd/${String(i).padStart(5, "0")}`));
    show([tree("etcdv3", keys)], "", "etcdv3", "confd/00001");
    expect(place.querySelectorAll("a")).toHaveLength(200);
    act(() => place.querySelector("button")?.click());
    expect(place.querySelectorAll("a")).toHaveLength(1000);
  });

  it("shows names as text", () => {
    show([tree("etcdv3", [key("<img src=x>")])]);
    expect(place.querySelector("img")).toBeNull();
  });
});
