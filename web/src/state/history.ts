import { useEffect, useState } from "preact/hooks";
import { call } from "../api/client";
import type { Entry } from "../api/types";
import { states } from "./live";

const limit = 100;

/** useHistory returns the states that a unit or a store went into, newest first: those of before, and those that come. */
export function useHistory(kind: "unit" | "store", id: string): Entry[] {
  const [before, setBefore] = useState<Entry[]>([]);
  useEffect(() => {
    let gone = false;
    call("GET /v1/states", { query: { [kind]: id, limit } }).then(
      ({ content }) => {
        if (!gone) setBefore(content.states);
      },
      () => {}, // the header says that the agent cannot be asked
    );
    return () => {
      gone = true;
    };
  }, [kind, id]);
  return together(
    before,
    states.value.filter((e) => e[kind]?.id === id),
  );
}

/** together joins two lists by their IDs, newest first. */
export function together(a: readonly Entry[], b: readonly Entry[]): Entry[] {
  const all = new Map([...a, ...b].map((e) => [e.id, e]));
  return [...all.values()].sort((x, y) => y.id - x.id);
}
