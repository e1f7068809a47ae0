import { beforeEach, describe, expect, it, vi } from "vitest";
import { changes, connection, enter, leave, loadOlder, off, states, status, visit } from "../src/state/live";
import { change, status as statusOf, tick, unit } from "./api";

// One agent, as the pages see it: its answers, and its stream.
const answers = new Map<string, () => Response>();
const asked: string[] = [];
let stream: EventTarget | undefined;

const json = (body: unknown, code = 200) =>
  new Response(JSON.stringify(body), { status: code, headers: { "Content-Type": "application/json" } });

const say = (name: string, data: unknown, id = "") =>
  stream?.dispatchEvent(new MessageEvent(name, { data: JSON.stringify(data), lastEventId: id }));

const settle = () => vi.advanceTimersByTimeAsync(0);
const reads = () => asked.filter((u) => u === "/v1/status").length;
const letIn = { admitted: true, logged_in: false, locked: false, write: false };

beforeEach(() => {
  vi.useFakeTimers();
  leave();
  asked.length = 0;
  answers.clear();
  answers.set("/v1/console", () => json({ content: letIn }));
  answers.set("/v1/status", () => json(statusOf({ generation: 7, units: [unit({ points: 1 })] })));
  answers.set("/v1/changes?limit=100", () =>
    json({ content: { changes: [change(3), change(4)], complete: true, last: 4 } }),
  );
  vi.spyOn(globalThis, "fetch").mockImplementation(async (url) => {
    asked.push(String(url));
    return answers.get(String(url))?.() ?? json({ message: "no" }, 404);
  });
  vi.stubGlobal(
    "EventSource",
    class extends EventTarget {
      static CLOSED = 2;
      readyState = 1;
      constructor() {
        super();
        stream = this;
      }
      close() {
        stream = undefined;
      }
    },
  );
});

const begin = async () => {
  await enter();
  say("hello", { last: 4, complete: true });
  await settle();
};

describe("the live state", () => {
  it("is read once, and then follows what happens", async () => {
    await begin();
    expect(connection.value).toBe("live");
    expect(status.value?.generation).toBe(7);
    expect(changes.value.map((c) => c.id)).toEqual([4, 3]);
    say("change", change(5), "5");
    expect(changes.value.map((c) => c.id)).toEqual([5, 4, 3]);
  });

  it("polls nothing while nothing happens", async () => {
    await begin();
    const before = asked.length;
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(asked).toHaveLength(before);
  });

  it("reads the status at most once a second, however much happens", async () => {
    await begin();
    await vi.advanceTimersByTimeAsync(5_000);
    const before = reads();
    for (let i = 10; i < 60; i++) say("unit", { id: i, time: "", kind: "unit", unit: null }, String(i));
    await vi.advanceTimersByTimeAsync(500);
    expect(reads() - before).toBe(1);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(reads() - before).toBe(2);
    expect(states.value).toHaveLength(50);
  });

  it("lets figures grow by ticks, without a read", async () => {
    await begin();
    await vi.advanceTimersByTimeAsync(5_000);
    const before = asked.length;
    const u = {
      id: "input/cpu",
      gathers: 2,
      points: 20,
      errors: 0,
      missed: 0,
      last_gather: "",
      next_gather: "",
    };
    say("tick", tick("2026-01-01T00:00:02Z", { units: [u] }));
    await vi.advanceTimersByTimeAsync(5_000);
    expect(status.value?.units[0]?.points).toBe(20);
    expect(asked).toHaveLength(before);
  });

  it("knows each change once, also after the connection came back", async () => {
    await begin();
    say("change", change(5), "5");
    say("hello", { last: 5, complete: true });
    await settle();
    expect(changes.value.map((c) => c.id)).toEqual([5, 4, 3]);
  });

  it("loads older changes from behind the oldest", async () => {
    await begin();
    answers.set("/v1/changes?limit=100&before=3", () =>
      json({ content: { changes: [change(1), change(2)], complete: true, last: 4 } }),
    );
    expect(await loadOlder()).toBe(2);
    expect(changes.value.map((c) => c.id)).toEqual([4, 3, 2, 1]);
  });
});

describe("who is not let in", () => {
  it("sees nothing, and opens no stream", async () => {
    answers.set("/v1/console", () => json({ content: { ...letIn, admitted: false, locked: true } }));
    stream = undefined;
    await enter();
    expect(visit.value?.locked).toBe(true);
    expect(stream).toBeUndefined();
    expect(asked).toEqual(["/v1/console"]);
  });

  it("no longer sees what was there when the session ends", async () => {
    await begin();
    answers.set("/v1/console", () => json({ content: { ...letIn, admitted: false, locked: true } }));
    await enter();
    expect([status.value, changes.value.length, stream]).toEqual([undefined, 0, undefined]);
  });

  it("is told that the console is switched off", async () => {
    answers.set("/v1/console", () => json({ error_code: "datakit.noConsole", message: "off" }, 404));
    await enter();
    expect(off.value).toBe(true);
  });

  it("is let in as soon as the agent answers", async () => {
    answers.set("/v1/console", () => {
      throw new TypeError("connection refused");
    });
    await enter();
    expect(connection.value).toBe("lost");
    answers.set("/v1/console", () => json({ content: letIn }));
    await vi.advanceTimersByTimeAsync(30_000);
    say("hello", { last: 4, complete: true });
    expect(connection.value).toBe("live");
  });
});
