import type { Events } from "./types";

export type EventName = keyof Events;

/** A Listener is told of each event with its data. */
export type Listener = <E extends EventName>(name: E, data: Events[E]) => void;

export interface Stream {
  close(): void;
}

const names: EventName[] = ["hello", "change", "generation", "unit", "store", "tick", "end"];

/** What a stream tells beside its events. */
export interface Ends {
  /** The stream is lost; the browser or we connect again. */
  lost(): void;
  /** The agent does not let us in. */
  denied(): void;
}

// The pauses before we connect again where the browser does not: after an answer
// that is no stream.
const pauseMin = 2_000;
const pauseMax = 30_000;

/**
 * listen follows what happens, and goes on behind the last event it has seen when
 * the connection comes back. It needs no timer while it is connected.
 */
export function listen(tell: Listener, ends: Ends, open = (url: string) => new EventSource(url)): Stream {
  let source: EventSource | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let last = "";
  let pause = pauseMin;
  let closed = false;

  const connect = () => {
    timer = undefined;
    source = open(last === "" ? "/v1/events?ticks=true" : `/v1/events?ticks=true&since=${last}`);
    for (const name of names) source.addEventListener(name, (e) => take(name, e as MessageEvent<string>));
    source.addEventListener("error", fail);
  };
  const take = (name: EventName, e: MessageEvent<string>) => {
    if (e.lastEventId !== "") last = e.lastEventId;
    const data = JSON.parse(e.data);
    if (name === "hello") {
      pause = pauseMin;
      if (last === "") last = String(data.last);
    }
    tell(name, data);
  };
  const fail = () => {
    if (closed) return;
    if (source?.readyState === EventSource.CLOSED) {
      // The answer was no stream. Why, an EventSource does not say: who is told
      // that access is denied asks.
      ends.denied();
      timer = setTimeout(connect, pause);
      pause = Math.min(pause * 2, pauseMax);
    }
    ends.lost();
  };
  connect();
  return {
    close() {
      closed = true;
      clearTimeout(timer);
      source?.close();
    },
  };
}
