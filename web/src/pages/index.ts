import type { ComponentType } from "preact";
import { lazy } from "../ui/lazy";
import type { Words } from "../words";
import { Changes } from "./changes";
import { Overview } from "./overview";
import { Stores } from "./stores";
import { Units } from "./units";

export interface PageEntry {
  id: keyof Words["shell"]["pages"];
  path: string;
  /** The key after g that goes there. */
  key: string;
  show: ComponentType;
}

/** The pages, in the order of the navigation. */
export const pages: readonly PageEntry[] = [
  { id: "overview", path: "/", key: "o", show: Overview },
  { id: "units", path: "/units", key: "u", show: Units },
  { id: "changes", path: "/changes", key: "c", show: Changes },
  { id: "stores", path: "/stores", key: "s", show: Stores },
  { id: "keys", path: "/keys", key: "k", show: lazy(async () => (await import("./keys")).Keys) },
  { id: "scripts", path: "/scripts", key: "p", show: lazy(async () => (await import("./scripts")).Scripts) },
  { id: "query", path: "/query", key: "q", show: lazy(async () => (await import("./query")).Query) },
];
