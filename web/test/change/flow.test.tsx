import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { PlanAnswer } from "../../src/api/types";
import { type Draft, useFlow } from "../../src/change/flow";
import { PlanView, refused } from "../../src/change/plan-view";
import { speak } from "../../src/state/preferences";

const steps: PlanAnswer["steps"] = [
  { verb: "restart", unit: "input/mem", kind: "mem", origin: "etcdv3:/datakit/confd/mem" },
  { verb: "keep", unit: "input/cpu", kind: "cpu", origin: "default" },
];
const good: PlanAnswer = { steps, keys: [], problems: [] };
const bad: PlanAnswer = {
  steps: [],
  keys: [{ store: "etcdv3", key: "/datakit/confd/mem", revision: "", state: "kept", error: "bad" }],
  problems: [{ key: "confd/mem", line: 2, column: 3, message: "unknown field" }],
};
const draft: Draft = {
  target: { store: "etcdv3#2", key: "confd/mem" },
  base: { text: "a\n", etag: '"1"' },
  text: "b\n",
};

let place: HTMLElement;

beforeEach(() => {
  speak("en");
  place = document.createElement("div");
  document.body.append(place);
});

afterEach(() => {
  render(null, place);
  place.remove();
});

/** answers makes fetch answer each request in turn, and returns what was asked. */
function answers(...list: { status?: number; body: unknown; etag?: string }[]) {
  const asked: { method: string; url: string; headers: Record<string, string>; body: string }[] = [];
  vi.spyOn(globalThis, "fetch").mockImplementation(async (url, init) => {
    const headers = (init?.headers ?? {}) as Record<string, string>;
    asked.push({ method: init?.method ?? "GET", url: String(url), headers, body: String(init?.body ?? "") });
    const next = list.shift();
    if (!next) throw new Error(`nobody expects ${String(url)}`);
    return new Response(JSON.stringify(next.body), {
      status: next.status ?? 200,
      headers: { "Content-Type": "application/json", ...(next.etag ? { ETag: next.etag } : {}) },
    });
  });
  return asked;
}

const settle = () => act(async () => await new Promise((done) => setTimeout(done)));
const press = async (text: string) => {
  const button = [...place.querySelectorAll("button")].find((b) => b.textContent === text);
  if (!button) throw new Error(`there is no button ${text}: ${place.textContent}`);
  await act(() => button.click());
  await settle();
};

function show() {
  const onWritten = vi.fn();
  const onRebase = vi.fn();
  const onProblem = vi.fn();
  function Bench() {
    const flow = useFlow({ onWritten, onRebase, onProblem });
    return (
      <>
        <button type="button" onClick={() => flow.begin(draft)}>
          begin
        </button>
        {flow.view}
      </>
    );
  }
  act(() => render(<Bench />, place));
  return { onWritten, onRebase, onProblem };
}

describe("the way of a change", () => {
  it("is planned, then written with what it is based on", async () => {
    const asked = answers(
      { body: good },
      { body: { content: { store: "etcdv3#2", key: "confd/mem", revision: "2", steps } }, etag: '"2"' },
    );
    const { onWritten } = show();
    await press("begin");
    expect(place.textContent).toContain("restart");
    expect(place.textContent).toContain("1 stay as they are");
    expect(asked).toHaveLength(1); // a plan writes nothing
    await press("Put to etcdv3#2");
    expect(asked[1]).toMatchObject({ method: "PUT", url: "/v1/keys/etcdv3%232/confd/mem", body: "b\n" });
    expect(asked[1]?.headers).toMatchObject({ "If-Match": '"1"', "X-Datakit-Console": "1" });
    expect(onWritten).toHaveBeenCalledWith(draft, '"2"', steps);
    expect(place.querySelector("dialog")).toBeNull();
  });

  it("ends at a plan that an agent would refuse, and goes to the place", async () => {
    answers({ body: bad });
    const { onProblem } = show();
    await press("begin");
    const put = [...place.querySelectorAll("button")].find((b) => b.textContent === "Put to etcdv3#2");
    expect(put?.disabled).toBe(true);
    await press("Line 2, column 3:");
    expect(onProblem).toHaveBeenCalledWith(bad.problems[0]);
  });

  it("shows what somebody else wrote, and goes on from it", async () => {
    const theirs = { ...good, value: "theirs\n" };
    const asked = answers(
      { body: good },
      { status: 409, body: { error_code: "datakit.conflict", message: "somebody else" } },
      { body: { content: theirs }, etag: '"9"' },
    );
    const { onRebase, onWritten } = show();
    await press("begin");
    await press("Put to etcdv3#2");
    expect(asked[2]?.url).toBe("/v1/keys/etcdv3%232/confd/mem?fresh=true"); // from the store, not from what was last read
    expect(place.textContent).toContain("Somebody else was faster");
    await press("Go on with my text");
    expect(onRebase).toHaveBeenCalledWith({ text: "theirs\n", etag: '"9"' }, "b\n");
    expect(onWritten).not.toHaveBeenCalled();
  });

  it("makes a key anew that was deleted meanwhile", async () => {
    answers(
      { body: good },
      { status: 409, body: { error_code: "datakit.conflict", message: "" } },
      { status: 404, body: { error_code: "datakit.notFound", message: "" } },
    );
    const { onRebase } = show();
    await press("begin");
    await press("Put to etcdv3#2");
    await press("Make the key anew with my text");
    expect(onRebase).toHaveBeenCalledWith({ text: "", etag: "" }, "b\n");
  });

  it("says why the store did not take it", async () => {
    answers(
      { body: good },
      { status: 503, body: { error_code: "datakit.unavailable", message: "no answer of etcd" } },
    );
    show();
    await press("begin");
    await press("Put to etcdv3#2");
    expect(place.querySelector("[role=alert]")?.textContent).toBe("no answer of etcd");
  });
});

describe("PlanView", () => {
  it("says so where nothing moves, and why a key is set aside", () => {
    const shadowed: PlanAnswer["keys"] = [
      { store: "redis", key: "k", revision: "", state: "shadowed", error: "etcdv3 has it" },
    ];
    act(() => render(<PlanView plan={{ steps: [], keys: shadowed, problems: [] }} />, place));
    expect(place.textContent).toContain("shadowed etcdv3 has it");
    expect(place.textContent).toContain("Nothing would start, stop or restart.");
    act(() => speak("zh"));
    expect(place.textContent).toContain("没有采集单元会启动、停止或重启。");
  });

  it("knows what an agent refuses", () => {
    expect(refused(good)).toBe(false);
    expect(refused(bad)).toBe(true);
    expect(refused({ ...bad, problems: [] })).toBe(true);
  });

  it("shows an error as text, whatever is in it", () => {
    const plan = {
      ...bad,
      problems: [{ key: "k", line: 0, column: 0, message: "<img src=x onerror=alert(1)>" }],
    };
    act(() => render(<PlanView plan={plan} />, place));
    expect(place.querySelector("img")).toBeNull();
    expect(place.textContent).toContain("<img");
  });
});
