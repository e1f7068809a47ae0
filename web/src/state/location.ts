import { computed, signal } from "@preact/signals";

/** Where the browser is: what is chosen on a page stands in the address. */
export const here = signal(new URL(globalThis.location.href));

export const path = computed(() => here.value.pathname);

/** param returns a parameter of the address, "" where it has none. */
export const param = (name: string) => here.value.searchParams.get(name) ?? "";

/** to writes the address of a page with parameters; empty ones are left out. */
export function to(page: string, params: Record<string, string | undefined> = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) if (value) search.set(name, value);
  return search.size > 0 ? `${page}?${search}` : page;
}

// Who has something to lose is asked before the place is left.
let mayLeave: (() => boolean) | undefined;

/** guard asks before another page, or another thing on this one, is shown; what it returns ends that. */
export function guard(ask: () => boolean): () => void {
  mayLeave = ask;
  return () => {
    if (mayLeave === ask) mayLeave = undefined;
  };
}

// A filter or an order is no other place: what is shown beside it stays.
const place = (url: URL) => {
  const names = ["store", "key", "script", "new", "id"];
  return [url.pathname, ...names.map((n) => url.searchParams.get(n) ?? "")].join("\n");
};

const stays = (url: URL) => place(url) !== place(here.value) && mayLeave !== undefined && !mayLeave();

/** go goes to an address of ours. */
export function go(href: string, { replace = false } = {}) {
  const url = new URL(href, here.value);
  if (url.href === here.value.href || stays(url)) return;
  if (replace) history.replaceState(null, "", url);
  else history.pushState(null, "", url);
  here.value = url;
}

/** choose sets parameters of the page that is shown, so that a link keeps them. */
export function choose(params: Record<string, string | undefined>, replace = true) {
  const url = new URL(here.value);
  for (const [name, value] of Object.entries(params)) {
    if (value) url.searchParams.set(name, value);
    else url.searchParams.delete(name);
  }
  go(url.href, { replace });
}

/** follow turns clicks on links to our pages into navigation without a load. */
export function follow(isPage: (path: string) => boolean) {
  addEventListener("popstate", () => {
    const url = new URL(location.href);
    // The browser has gone there already: it is sent back.
    if (stays(url)) history.pushState(null, "", here.value);
    else here.value = url;
  });
  document.addEventListener("click", (e) => {
    if (e.defaultPrevented || e.button !== 0 || e.metaKey || e.ctrlKey || e.shiftKey || e.altKey) return;
    const link = e.target instanceof Element ? e.target.closest("a[href]") : null;
    if (!(link instanceof HTMLAnchorElement) || link.target || link.hasAttribute("download")) return;
    const url = new URL(link.href);
    if (url.origin !== location.origin || !isPage(url.pathname)) return;
    if (url.pathname === location.pathname && url.search === location.search && url.hash) return;
    e.preventDefault();
    go(url.href);
  });
}
