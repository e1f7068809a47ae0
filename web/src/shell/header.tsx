import type { Signal } from "@preact/signals";
import { connection, status, visit } from "../state/live";
import { Shape } from "../ui/badge";
import { words } from "../words";
import { Settings } from "./settings";

interface Props {
  menu: Signal<boolean>;
  help: Signal<boolean>;
}

/** Header says which agent is shown, and whether the page follows it. */
export function Header({ menu, help }: Props) {
  const w = words.value.shell;
  return (
    <header class="header">
      <button
        type="button"
        class="quiet menu"
        aria-expanded={menu.value}
        aria-controls="navigation"
        onClick={() => {
          menu.value = !menu.value;
        }}
      >
        <span aria-hidden="true">☰</span>
        <span class="hidden">{w.menu}</span>
      </button>
      <a class="brand" href="/">
        DataKit
      </a>
      {status.value && (
        <span class="host" title={status.value.version}>
          {status.value.hostname}
        </span>
      )}
      <span class="space" />
      {visit.value?.admitted && <ConnectionState />}
      <Settings help={help} />
    </header>
  );
}

function ConnectionState() {
  const w = words.value.shell;
  const c = connection.value;
  const tone = c === "live" ? "good" : c === "lost" ? "bad" : "off";
  return (
    <span class={`connection tone-${tone}`} role="status" title={w.connectionHint[c]}>
      <Shape tone={tone} />
      {w.connection[c]}
    </span>
  );
}
