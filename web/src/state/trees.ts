import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { call } from "../api/client";
import type { KeyEntry, KeyTree } from "../api/types";
import { changes, status, visit } from "./live";

/** The keys of all stores; undefined until they were read. */
export const trees = signal<readonly KeyTree[] | undefined>();

/** Why the keys cannot be read, "" where they can. */
export const treesTrouble = signal("");

let reading = false;
let again = false;

/** readTrees reads the keys anew; what is asked for meanwhile is one more time. */
export async function readTrees(): Promise<void> {
  if (reading) {
    again = true;
    return;
  }
  reading = true;
  try {
    const { content } = await call("GET /v1/keys");
    trees.value = content.stores;
    treesTrouble.value = "";
  } catch (error) {
    treesTrouble.value = error instanceof Error ? error.message : String(error);
  }
  reading = false;
  if (!again) return;
  again = false;
  void readTrees();
}

/** useTrees keeps the keys current while a page shows them: whenever a change is told, or a store is read. */
export function useTrees() {
  const moved = [
    changes.value[0]?.id ?? 0,
    status.value?.generation ?? 0,
    status.value?.stores.map((s) => `${s.state}${s.revision}`).join() ?? "",
    visit.value?.write ?? false,
  ].join("/");
  useEffect(() => void readTrees(), [moved]);
}

/** find returns a key of a store. */
export function find(store: string, key: string): { tree: KeyTree; entry: KeyEntry | undefined } | undefined {
  const tree = trees.value?.find((t) => t.id === store);
  return tree && { tree, entry: tree.keys.find((k) => k.key === key) };
}
