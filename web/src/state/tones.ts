import type { Key, Store, Unit } from "../api/types";

/** A Tone says how a state is meant: it is shown by colour, by shape and by word. */
export type Tone = "good" | "warn" | "bad" | "off" | "plain";

export function storeTone(s: Store["state"]): Tone {
  switch (s) {
    case "watching":
    case "polling":
      return "good";
    case "stale":
    case "denied":
      return "bad";
    case "held":
    case "connecting":
      return "warn";
    case "disabled":
      return "off";
  }
}

export function unitTone(s: Unit["state"]): Tone {
  switch (s) {
    case "running":
      return "good";
    case "failed":
      return "bad";
    case "starting":
    case "stopping":
      return "warn";
  }
}

export function keyTone(s: Key["state"] | "removed"): Tone {
  switch (s) {
    case "applied":
      return "good";
    case "kept":
    case "rejected":
      return "bad";
    case "duplicate":
    case "shadowed":
    case "singleton":
      return "warn";
    default:
      return "off";
  }
}

export function scriptTone(s: string): Tone {
  switch (s) {
    case "active":
      return "good";
    case "kept":
    case "rejected":
      return "bad";
    case "shadowed":
      return "warn";
    default:
      return "plain";
  }
}
