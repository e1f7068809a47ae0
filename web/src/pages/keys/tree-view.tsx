import { useState } from "preact/hooks";
import type { KeyTree } from "../../api/types";
import { to } from "../../state/location";
import { keyTone, storeTone } from "../../state/tones";
import { Badge, Shape } from "../../ui/badge";
import { number } from "../../ui/format";
import { words } from "../../words";
import { type Folder, filter, grow } from "./tree";

// A folder with more than this is closed at first, and shows so many at a time.
const page = 200;

interface Props {
  trees: readonly KeyTree[];
  text: string;
  store: string;
  chosen: string;
}

/** TreeView is the keys of all stores: folders that open, and a link for each key. */
export function TreeView({ trees, text, store, chosen }: Props) {
  const w = words.value;
  return (
    <>
      {trees.map((t) => {
        const root = grow(filter(t.keys, text));
        if (text !== "" && root.total === 0) return null;
        return (
          <section key={t.id} class="tree" aria-label={t.id}>
            <h2>
              <span class="mono">{t.id}</span>{" "}
              {t.id === "local" ? (
                <span class="faint small">{w.keys.files}</span>
              ) : (
                <Badge tone={storeTone(t.state)} text={w.state.store[t.state]} />
              )}
              {t.root && <span class="faint small mono">{t.root}</span>}
            </h2>
            {root.total === 0 && <p class="faint small">{w.keys.noKeys}</p>}
            <Branch folder={root} store={t.id} chosen={store === t.id ? chosen : ""} open={text !== ""} />
            {t.cut && <p class="faint small">{w.keys.cut(number(t.keys.length))}</p>}
          </section>
        );
      })}
    </>
  );
}

interface BranchProps {
  folder: Folder;
  store: string;
  chosen: string;
  open: boolean;
}

function Branch({ folder, store, chosen, open }: BranchProps) {
  const [shown, setShown] = useState(page);
  const w = words.value;
  const rest = folder.keys.length - shown;
  return (
    <ul class="branch">
      {folder.folders.map((f) => (
        <li key={f.path}>
          <Fold folder={f} store={store} chosen={chosen} open={open} />
        </li>
      ))}
      {folder.keys.slice(0, shown).map(({ name, entry }) => (
        <li key={entry.key}>
          <a
            class="leaf"
            href={to("/keys", { store, key: entry.key, filter: open ? undefined : "" })}
            aria-current={entry.key === chosen ? "true" : undefined}
            title={entry.error || entry.key}
          >
            <Shape tone={keyTone(entry.state)} />
            <span class="mono name">{name}</span>
            {entry.state !== "applied" && entry.state !== "" && (
              <span class={`small tone-${keyTone(entry.state)}`}>{w.state.key[entry.state]}</span>
            )}
          </a>
        </li>
      ))}
      {rest > 0 && (
        <li>
          <button type="button" class="quiet more" onClick={() => setShown(shown + 5 * page)}>
            {w.shell.more(number(Math.min(rest, 5 * page)))}
          </button>
        </li>
      )}
    </ul>
  );
}

// What is in a closed folder is not made: ten thousand keys would hold the page up.
function Fold({ folder, store, chosen, open }: BranchProps) {
  const inside = chosen.startsWith(folder.path);
  const [own, setOwn] = useState<boolean>();
  const isOpen = own ?? (open || inside || folder.total <= page);
  return (
    <details open={isOpen} onToggle={(e) => e.currentTarget.open !== isOpen && setOwn(e.currentTarget.open)}>
      <summary>
        <span class="mono">{folder.name}/</span> <span class="faint small">{number(folder.total)}</span>
        {folder.bad > 0 && (
          <span class="refused-count">
            <Badge tone="bad" text={words.value.keys.bad(number(folder.bad))} />
          </span>
        )}
      </summary>
      {isOpen && <Branch folder={folder} store={store} chosen={chosen} open={open} />}
    </details>
  );
}
