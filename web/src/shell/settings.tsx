import type { Signal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import { call } from "../api/client";
import { enter, leave, visit } from "../state/live";
import { type Language, language, paint, speak, type Theme, theme } from "../state/preferences";
import { Select } from "../ui/field";
import { words } from "../words";

async function logOut() {
  await call("POST /v1/console/logout");
  leave();
  await enter();
}

/** Settings are what a browser keeps: language and colours; and the way out. */
export function Settings({ help }: { help: Signal<boolean> }) {
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const w = words.value.shell;
  useEffect(() => {
    if (!open) return;
    const away = (e: Event) => {
      if (e.target instanceof Node && !box.current?.contains(e.target)) setOpen(false);
    };
    const shut = (e: KeyboardEvent) => {
      if (e.key !== "Escape") return;
      setOpen(false);
      box.current?.querySelector("button")?.focus();
    };
    addEventListener("keydown", shut);
    addEventListener("pointerdown", away);
    addEventListener("focusin", away);
    return () => {
      removeEventListener("keydown", shut);
      removeEventListener("pointerdown", away);
      removeEventListener("focusin", away);
    };
  }, [open]);
  return (
    <div class="settings" ref={box}>
      <button
        type="button"
        class="quiet"
        aria-expanded={open}
        aria-controls="settings"
        onClick={() => setOpen(!open)}
      >
        {w.settings}
      </button>
      <div id="settings" class="popup" hidden={!open}>
        <Select
          label={w.language}
          value={language.value}
          options={[
            ["en", "English"],
            ["zh", "中文"],
          ]}
          onChange={(v) => speak(v as Language)}
        />
        <Select
          label={w.theme}
          value={theme.value}
          options={[
            ["auto", w.themes.auto],
            ["light", w.themes.light],
            ["dark", w.themes.dark],
          ]}
          onChange={(v) => paint(v as Theme)}
        />
        <button
          type="button"
          class="quiet"
          onClick={() => {
            setOpen(false);
            help.value = true;
          }}
        >
          {w.keys.open} <kbd aria-hidden="true">?</kbd>
        </button>
        <a href="/plain">{w.plain}</a>
        <a href="/v1/openapi.json">{w.api}</a>
        {visit.value?.logged_in && (
          <button type="button" onClick={() => void logOut()}>
            {w.logOut}
          </button>
        )}
      </div>
    </div>
  );
}
