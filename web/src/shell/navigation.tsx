import type { Signal } from "@preact/signals";
import { pages } from "../pages";
import { path } from "../state/location";
import { words } from "../words";

/** Navigation leads to the pages; where there is little room, the menu opens it. */
export function Navigation({ menu }: { menu: Signal<boolean> }) {
  const w = words.value.shell;
  return (
    <nav id="navigation" class={menu.value ? "nav open" : "nav"} aria-label={w.navigation}>
      <ul>
        {pages.map((p) => (
          <li key={p.id}>
            <a
              href={p.path}
              aria-current={path.value === p.path ? "page" : undefined}
              onClick={() => {
                menu.value = false;
              }}
            >
              {w.pages[p.id]}
              <kbd aria-hidden="true">g {p.key}</kbd>
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}
