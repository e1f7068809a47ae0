import { batch, signal } from "@preact/signals";
import { call, Refusal } from "../api/client";
import { listen, type Stream } from "../api/events";
import type { ChangeEntry, Entry, Events, Status, TickStore, Visit } from "../api/types";
import { merge } from "./merge";
import { take as takeSample } from "./rates";

export type Connection = "connecting" | "live" | "lost" | "paused";

/** Who looks at the pages; undefined until the agent has said it. */
export const visit = signal<Visit | undefined>();

/** What the agent does, as of now. */
export const status = signal<Status | undefined>();

/** What is known of the stores beside the status: their IDs and roots, in its order. */
export const places = signal<TickStore[]>([]);

/** The changes of keys, newest first. */
export const changes = signal<ChangeEntry[]>([]);

/** Units and stores that went into a state while the page was open, newest first. */
export const states = signal<Entry[]>([]);

export const connection = signal<Connection>("connecting");

/** The console was switched off. */
export const off = signal(false);

/** Why the agent cannot be asked, "" where it can. */
export const trouble = signal("");

const maxChanges = 1000;
const maxStates = 1000;
const rest = 1000; // between two reads of the status, in milliseconds

let stream: Stream | undefined;
let timer: ReturnType<typeof setTimeout> | undefined;
let retry: ReturnType<typeof setTimeout> | undefined;
let reading = false;
let stale = false;

/** enter asks who we are, and follows the agent where it lets us in. */
export async function enter() {
  clearTimeout(retry);
  try {
    const { content } = await call("GET /v1/console");
    trouble.value = "";
    off.value = false;
    visit.value = content;
    if (content.admitted) follow();
    else leave();
  } catch (error) {
    trouble.value = error instanceof Error ? error.message : String(error);
    connection.value = "lost";
    off.value = error instanceof Refusal && error.status === 404;
    if (off.value) leave();
    else if (!stream) retry = setTimeout(() => void enter(), 5 * rest);
  }
}

/** leave ends what follow began, and forgets what was shown. */
export function leave() {
  pause();
  batch(() => {
    status.value = undefined;
    changes.value = [];
    states.value = [];
    places.value = [];
  });
}

/** follow reads what there is, and then only what happens. */
function follow() {
  if (stream || document.hidden) return;
  connection.value = "connecting";
  stream = listen(take, {
    lost: () => {
      connection.value = "lost";
    },
    denied: () => void enter(),
  });
}

function pause() {
  stream?.close();
  stream = undefined;
  clearTimeout(timer);
  timer = undefined;
}

/** watchVisibility pauses while nobody looks: a hidden page costs the agent nothing. */
export function watchVisibility() {
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      if (!stream) return;
      pause();
      connection.value = "paused";
    } else void enter();
  });
}

function take<E extends keyof Events>(name: E, data: Events[E]) {
  switch (name) {
    case "hello":
      connection.value = "live";
      void readChanges(); // the journal bounds them; those of before are part of the page
      refresh();
      return;
    case "tick":
      tick(data as Events["tick"]);
      return;
    case "change":
      addChange(data as ChangeEntry);
      break;
    case "unit":
    case "store":
      states.value = [data as Entry, ...states.value].slice(0, maxStates);
  }
  if (name !== "end") refresh();
}

function tick(t: Events["tick"]) {
  batch(() => {
    places.value = t.stores;
    takeSample(t);
    if (status.value) status.value = merge(status.value, t);
  });
}

/** Order goes by ID; one that is known already changes nothing. */
function addChange(...more: ChangeEntry[]) {
  const known = new Set(changes.value.map((c) => c.id));
  const fresh = more.filter((c) => !known.has(c.id));
  if (fresh.length === 0) return;
  changes.value = [...changes.value, ...fresh].sort((a, b) => b.id - a.id).slice(0, maxChanges);
}

async function readChanges() {
  try {
    const { content } = await call("GET /v1/changes", { query: { limit: 100 } });
    addChange(...content.changes);
  } catch {
    // the stream says that the agent is gone, or enter that we are
  }
}

/** loadOlder reads the changes before those that are shown, and returns how many came. */
export async function loadOlder(): Promise<number> {
  const oldest = changes.value.at(-1);
  const { content } = await call("GET /v1/changes", { query: { limit: 100, before: oldest?.id } });
  addChange(...content.changes);
  return content.changes.length;
}

/** refresh reads the status anew, at most once a second. */
export function refresh() {
  stale = true;
  if (timer !== undefined || reading) return;
  void read();
}

async function read() {
  stale = false;
  reading = true;
  try {
    status.value = await call("GET /v1/status");
    trouble.value = "";
  } catch (error) {
    trouble.value = error instanceof Error ? error.message : String(error);
  }
  reading = false;
  if (!stream) return;
  timer = setTimeout(() => {
    timer = undefined;
    if (stale) void read();
  }, rest);
}
