import { beforeEach, describe, expect, it, vi } from "vitest";
import { listen } from "../src/api/events";

// A source as browsers have it, as far as we use it: the real one is driven by the
// tests in a browser.
class Source extends EventTarget {
  static CLOSED = 2;
  readyState = 1;
  closed = false;
  constructor(readonly url: string) {
    super();
  }
  say(name: string, data: unknown, id = "") {
    this.dispatchEvent(new MessageEvent(name, { data: JSON.stringify(data), lastEventId: id }));
  }
  fail(state: number) {
    this.readyState = state;
    this.dispatchEvent(new Event("error"));
  }
  close() {
    this.closed = true;
  }
}

const begin = () => {
  const sources: Source[] = [];
  const tell = vi.fn();
  const ends = { lost: vi.fn(), denied: vi.fn() };
  const stream = listen(tell, ends, (url) => {
    const s = new Source(url);
    sources.push(s);
    return s as unknown as EventSource;
  });
  return { sources, tell, ends, stream };
};

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("EventSource", Source);
});

describe("the stream of events", () => {
  it("asks for ticks, and tells each event with its data", () => {
    const { sources, tell } = begin();
    expect(sources[0]?.url).toBe("/v1/events?ticks=true");
    sources[0]?.say("hello", { last: 7, complete: true });
    sources[0]?.say("unit", { id: 8, kind: "unit" }, "8");
    expect(tell.mock.calls.map((c) => c[0])).toEqual(["hello", "unit"]);
    expect(tell.mock.calls[1]?.[1]).toEqual({ id: 8, kind: "unit" });
  });

  it("leaves it to the browser to connect again while it can", () => {
    const { sources, ends } = begin();
    sources[0]?.fail(0);
    vi.advanceTimersByTime(120_000);
    expect(sources).toHaveLength(1);
    expect(ends.lost).toHaveBeenCalledOnce();
    expect(ends.denied).not.toHaveBeenCalled();
  });

  it("goes on behind the last event where the answer was no stream", () => {
    const { sources, ends } = begin();
    sources[0]?.say("hello", { last: 7, complete: true });
    sources[0]?.say("change", { id: 12 }, "12");
    sources[0]?.fail(Source.CLOSED);
    expect(ends.denied).toHaveBeenCalledOnce();
    vi.advanceTimersByTime(60_000);
    expect(sources[1]?.url).toBe("/v1/events?ticks=true&since=12");
  });

  it("goes on behind where it began, if nothing came", () => {
    const { sources } = begin();
    sources[0]?.say("hello", { last: 7, complete: true });
    sources[0]?.fail(Source.CLOSED);
    vi.advanceTimersByTime(60_000);
    expect(sources[1]?.url).toBe("/v1/events?ticks=true&since=7");
  });

  it("does not connect again once it is closed", () => {
    const { sources, stream, ends } = begin();
    sources[0]?.fail(Source.CLOSED);
    stream.close();
    vi.advanceTimersByTime(600_000);
    expect(sources).toHaveLength(1);
    expect(sources[0]?.closed).toBe(true);
    sources[0]?.fail(Source.CLOSED);
    expect(ends.lost).toHaveBeenCalledOnce();
  });
});
