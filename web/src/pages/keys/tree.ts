import type { KeyEntry } from "../../api/types";

/** A Folder is the keys that begin alike, up to a slash. */
export interface Folder {
  name: string;
  path: string;
  folders: Folder[];
  keys: { name: string; entry: KeyEntry }[];
  /** The keys in it and below. */
  total: number;
  /** Those of them that are not taken as they are. */
  bad: number;
}

/** isBad reports whether a key asks for somebody's attention. */
export const isBad = (k: KeyEntry) => k.state === "kept" || k.state === "rejected";

/** grow makes a tree of sorted keys. */
export function grow(keys: readonly KeyEntry[]): Folder {
  const root: Folder = { name: "", path: "", folders: [], keys: [], total: 0, bad: 0 };
  for (const entry of keys) {
    const parts = entry.key.split("/");
    const name = parts.pop() ?? "";
    let at = root;
    count(at, entry);
    for (const part of parts) {
      let next = at.folders.at(-1);
      if (next?.name !== part) next = at.folders.find((f) => f.name === part);
      if (!next) {
        next = { name: part, path: `${at.path}${part}/`, folders: [], keys: [], total: 0, bad: 0 };
        at.folders.push(next);
      }
      count(next, entry);
      at = next;
    }
    at.keys.push({ name, entry });
  }
  return root;
}

function count(f: Folder, entry: KeyEntry) {
  f.total++;
  if (isBad(entry)) f.bad++;
}

/** filter returns the keys that hold each word of a text, in the key or as their state. */
export function filter(keys: readonly KeyEntry[], text: string): readonly KeyEntry[] {
  const wanted = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (wanted.length === 0) return keys;
  return keys.filter((k) => {
    const name = k.key.toLowerCase();
    return wanted.every((w) => name.includes(w) || k.state === w);
  });
}
