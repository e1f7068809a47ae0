// What was asked before, the last one first, kept by the browser.

const place = "datakit.queries";
const most = 50;

/** The part of localStorage that history needs. */
export type Shelf = Pick<Storage, "getItem" | "setItem" | "removeItem">;

/** history returns what was asked before. What is not ours, or damaged, counts as nothing. */
export function history(shelf: Shelf): string[] {
  try {
    const list: unknown = JSON.parse(shelf.getItem(place) ?? "[]");
    return Array.isArray(list) ? list.filter((q) => typeof q === "string").slice(0, most) : [];
  } catch {
    return [];
  }
}

/** remember puts query before all others. A browser that keeps nothing forgets it. */
export function remember(shelf: Shelf, query: string): string[] {
  const list = [query, ...history(shelf).filter((q) => q !== query)].slice(0, most);
  try {
    shelf.setItem(place, JSON.stringify(list));
  } catch {
    // The shelf is full, or the browser is told to keep nothing.
  }
  return list;
}

/** forget takes all of it away. */
export function forget(shelf: Shelf): void {
  try {
    shelf.removeItem(place);
  } catch {
    // There was nothing that could be taken away.
  }
}
