import type { Signal } from "@preact/signals";
import { pages } from "../pages";
import { go } from "../state/location";
import { Dialog } from "../ui/dialog";
import { words } from "../words";

/** KeyHelp lists the keys. */
export function KeyHelp({ onClose }: { onClose: () => void }) {
  const w = words.value.shell;
  return (
    <Dialog title={w.keys.title} onClose={onClose}>
      <dl class="key-list">
        {pages.map((p) => (
          <div key={p.id}>
            <dt>
              <kbd>g</kbd> <kbd>{p.key}</kbd>
            </dt>
            <dd>{w.keys.go(w.pages[p.id])}</dd>
          </div>
        ))}
        <div>
          <dt>
            <kbd>/</kbd>
          </dt>
          <dd>{w.keys.filter}</dd>
        </div>
        <div>
          <dt>
            <kbd>?</kbd>
          </dt>
          <dd>{w.keys.help}</dd>
        </div>
        <div>
          <dt>
            <kbd>Esc</kbd>
          </dt>
          <dd>{w.keys.escape}</dd>
        </div>
      </dl>
    </Dialog>
  );
}

// How long after g the second key counts, in milliseconds.
const patience = 1500;

/** watchKeys goes where the keys say, unless somebody is writing. */
export function watchKeys(help: Signal<boolean>): () => void {
  let g = 0;
  const press = (e: KeyboardEvent) => {
    if (
      e.defaultPrevented ||
      e.ctrlKey ||
      e.metaKey ||
      e.altKey ||
      writes(e) ||
      document.querySelector("dialog[open]")
    )
      return;
    const after = g > 0 && e.timeStamp - g < patience;
    g = 0;
    const page = after ? pages.find((p) => p.key === e.key) : undefined;
    if (page) go(page.path);
    else if (e.key === "g") g = e.timeStamp;
    else if (e.key === "?") help.value = true;
    else if (e.key === "/") {
      const filter = document.querySelector<HTMLInputElement>("[data-filter]");
      if (!filter) return;
      filter.focus();
      filter.select();
    } else return;
    e.preventDefault();
  };
  addEventListener("keydown", press);
  return () => removeEventListener("keydown", press);
}

// The editor lies in a shadow tree: the path names what is in it.
function writes(e: KeyboardEvent): boolean {
  const at = e.composedPath()[0];
  return at instanceof HTMLElement && (at.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(at.tagName));
}
