import { signal } from "@preact/signals";
import { call } from "../api/client";
import type { Specification } from "../api/types";

/** What configuration and scripts are made of; undefined until it was read. */
export const specs = signal<Specification | undefined>();

let reading: Promise<void> | undefined;

/** readSpecs reads it once: it stays as it is while the agent runs. */
export function readSpecs(): Promise<void> {
  reading ??= call("GET /v1/specs").then(
    ({ content }) => {
      specs.value = content;
    },
    () => {
      reading = undefined; // an editor without it edits all the same; the next one asks again
    },
  );
  return reading;
}
