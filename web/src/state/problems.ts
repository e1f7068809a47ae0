import type { Key, Output, Script, Status } from "../api/types";
import { to } from "./location";
import { keyLink, type PlacedStore } from "./places";
import type { Tone } from "./tones";

/** A Problem is one thing that keeps the agent from doing all that is asked of it. */
export interface Problem {
  id: string;
  tone: Tone;
  /** What kind it is; the words say what to do about each. */
  kind:
    | "agent"
    | "storeStale"
    | "storeDenied"
    | "storeHeld"
    | "storeConnecting"
    | "keyKept"
    | "keyRejected"
    | "unitFailed"
    | "unitMoving"
    | "output"
    | "dropped";
  subject: string;
  why: string;
  href: string | undefined;
}

/** problems lists what is wrong, the worst first. */
export function problems(status: Status, stores: readonly PlacedStore[]): Problem[] {
  const found: Problem[] = [
    ...status.errors.map((why, i) => agent(why, i)),
    ...stores.flatMap(ofStore),
    ...status.keys.flatMap((k) => ofKey(k, stores)),
    ...status.scripts.flatMap((s) => ofScript(s, status.keys, stores)),
    ...ofUnits(status),
    ...status.outputs.flatMap(ofOutput),
  ];
  const order: Tone[] = ["bad", "warn"];
  return order.flatMap((tone) => found.filter((p) => p.tone === tone));
}

const agent = (why: string, i: number): Problem => ({
  id: `agent ${i}`,
  tone: "bad",
  kind: "agent",
  subject: "",
  why,
  href: undefined,
});

function ofStore(s: PlacedStore): Problem[] {
  const kinds = {
    stale: "storeStale",
    denied: "storeDenied",
    held: "storeHeld",
    connecting: "storeConnecting",
  } as const;
  if (!(s.state in kinds)) return [];
  const state = s.state as keyof typeof kinds;
  return [
    {
      id: `store ${s.id}`,
      tone: state === "stale" || state === "denied" ? "bad" : "warn",
      kind: kinds[state],
      subject: s.id,
      why: s.error,
      href: to("/stores", { id: s.id }),
    },
  ];
}

function ofKey(k: Key, stores: readonly PlacedStore[]): Problem[] {
  if (k.state !== "kept" && k.state !== "rejected") return [];
  return [
    {
      id: `key ${k.store} ${k.key}`,
      tone: "bad",
      kind: k.state === "kept" ? "keyKept" : "keyRejected",
      subject: `${k.store}:${k.key}`,
      why: k.error,
      href: keyLink(`${k.store}:${k.key}`, stores),
    },
  ];
}

// A script of a key is known by its key; one of a folder stands here alone.
function ofScript(s: Script, keys: readonly Key[], stores: readonly PlacedStore[]): Problem[] {
  const named = keys.some((k) => `${k.store}:${k.key}` === s.origin);
  if (named || (s.state !== "kept" && s.state !== "rejected")) return [];
  return [
    {
      id: `script ${s.namespace} ${s.category} ${s.name}`,
      tone: "bad",
      kind: s.state === "kept" ? "keyKept" : "keyRejected",
      subject: `${s.category}/${s.name}`,
      why: s.error,
      href: keyLink(s.origin, stores),
    },
  ];
}

const ofUnits = (status: Status): Problem[] =>
  status.units
    .filter((u) => u.state !== "running")
    .map((u) => ({
      id: `unit ${u.id}`,
      tone: u.state === "failed" ? "bad" : "warn",
      kind: u.state === "failed" ? "unitFailed" : "unitMoving",
      subject: u.id,
      why: u.last_error,
      href: to("/units", { id: u.id }),
    }));

function ofOutput(o: Output): Problem[] {
  const base = { subject: o.name, why: o.last_error, href: undefined };
  if (o.last_error !== "" && o.queue_points > 0) {
    return [{ ...base, id: `output ${o.name}`, tone: "bad", kind: "output" }];
  }
  return o.dropped > 0 ? [{ ...base, id: `output ${o.name}`, tone: "warn", kind: "dropped" }] : [];
}
